/** @file x to the power of y as arithmetic, with the special cases of IEEE 754-2019, section 9.2.1. */
import type { Precision } from "../expand.ts";
import { abs, clamp, constant, div, eq, floor, gt, lt, mul, type Num, neg, where } from "../expr.ts";
import { pow2Single } from "./exp-single.ts";
import { log2Single, NORMAL } from "./logarithm.ts";
import { powByProducts } from "./pow-constant.ts";
import { powDouble } from "./pow-double.ts";

export function pow(x: Num, y: Num, precision: Precision): Num {
  const short = powByProducts(x, y, precision);
  if (short) return short;
  // Beyond, every power but that of 1 is 0 or Infinity; and infinities would make NaN of its logarithm.
  const bounded = clamp(y, -(2 ** 64), 2 ** 64);
  const size = abs(x);
  const power =
    precision === "single" ? pow2Single(mul(bounded, log2Single(size))) : powDouble(size, bounded);
  return withLimits(x, y, power, precision === "single" ? NORMAL : 2 ** -1074);
}

/**
 * x^y with the special cases.
 *
 * @param power |x|^y, right where |x| is finite and at least `least`, and y is no NaN
 */
export function withLimits(x: Num, y: Num, power: Num, least: number): Num {
  const size = abs(x);
  const whole = eq(floor(y), y);
  const half = mul(y, 0.5);
  const even = eq(floor(half), half);
  const ofWhole = (ifEven: Num, ifOdd: Num, otherwise: Num): Num =>
    where(whole, where(even, ifEven, ifOdd), otherwise);
  const finite = where(lt(x, 0), ofWhole(power, neg(power), constant(Number.NaN)), power);
  // Powers of zeros and infinities, and of NaN.
  const base = ofWhole(size, x, size);
  const limit = where(gt(y, 0), base, div(1, base));
  const result = where(lt(size, least), limit, where(lt(size, Infinity), finite, limit));
  const one = where(eq(x, 1), 1, where(eq(y, y), result, y));
  return where(eq(y, 0), 1, one);
}
