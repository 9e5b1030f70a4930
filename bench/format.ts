/** @file Numbers as people read them. */
import type { Spread } from "./statistics.ts";

export function seconds(value: number): string {
  if (value < 0.1) return `${(value * 1000).toFixed(1)} ms`;
  return value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(1)} s`;
}

const STEPS = ["bytes", "KiB", "MiB", "GiB"];

/** Exact where it is round: `64 MiB`. */
export function bytes(value: number): string {
  let step = 0;
  let scaled = value;
  for (; scaled >= 1024 && step < STEPS.length - 1; step++) scaled /= 1024;
  return `${Number.isInteger(scaled) ? scaled : scaled.toFixed(scaled < 10 ? 2 : 0)} ${STEPS[step]}`;
}

/** `0.71 x`; with its range where there is one. */
export function times({ least, median, most }: Spread): string {
  return `${short(median)} x (${short(least)} to ${short(most)})`;
}

function short(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
