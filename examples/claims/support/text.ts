/** @file Numbers as the page shows them. */
import type { Figure } from "./statistics.ts";

export type Format = (value: number) => string;

/** With a true minus, and none before a 0. */
export const fixed =
  (digits: number): Format =>
  (value) => {
    if (!Number.isFinite(value)) return "∞";
    const text = value.toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  };

/** `87.5` for 0.875. */
export const percent =
  (digits = 1): Format =>
  (value) =>
    fixed(digits)(100 * value);

/** Two or more significant digits, with an exponent where it is short: `3.05e-5`. */
export const scientific =
  (digits = 3): Format =>
  (value) => {
    if (value === 0) return "0";
    const plain = Math.abs(value) >= 0.01 && Math.abs(value) < 1e5;
    const text = plain ? String(Number(value.toPrecision(digits))) : value.toExponential(digits - 1);
    return text.replaceAll("-", "−").replace("e+", "e");
  };

/** `0.910 (0.908 to 0.912)`. */
export const withInterval = ({ middle, low, high }: Figure, format: Format): string =>
  `${format(middle)} (${format(low)} to ${format(high)})`;
