/** @file exp(-x^2 / 2) as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, add, gt, head, mul, type Num, sub, where } from "../expr.ts";
import { expOf } from "./exp.ts";
import { pow2Single } from "./exp-single.ts";

export function gaussian(x: Num, precision: Precision): Num {
  if (precision === "single") return pow2Single(mul(mul(x, x), -Math.LOG2E / 2));
  const { high, low } = halfSquare(x);
  return expOf(high, low, precision);
}

/**
 * -x^2 / 2 in two parts, as its rounding error would count up to 750 times in the exponential. The first part has at
 * most 42 digits; the second is at most 0.002 in size, and its own rounding does not matter.
 *
 * Beyond 39 the numbers are those of 39, where the exponential is 0. NaN gives NaN.
 */
export function halfSquare(x: Num): { readonly a: Num; readonly high: Num; readonly low: Num } {
  const a = where(gt(abs(x), 39), 39, abs(x));
  const top = head(a);
  const rest = sub(a, top);
  return {
    a,
    high: mul(mul(top, top), -0.5),
    low: mul(mul(rest, add(a, top)), -0.5),
  };
}
