/** @file log(1 + x) as arithmetic, exact near 0. */
import type { Precision } from "../expand.ts";
import { add, div, eq, fma, lt, mul, type Num, sub, where } from "../expr.ts";
import { atanhSingle, distanceFrom1, logDouble, reduceLog, withLimits } from "./logarithm.ts";

/** Where the sum of 1 and x has the exponent 0, x itself is its distance from 1, with all its digits. */
export function log1p(x: Num, precision: Precision): Num {
  const sum = add(1, x);
  const reduced = reduceLog(sum);
  const { exponent, m, divisor } = reduced;
  const near = eq(exponent, 0);
  if (precision === "single") {
    const above = where(near, mul(x, divisor), sub(m, divisor));
    const near1 = atanhSingle(above, add(m, divisor));
    return withLimits(sum, fma(sub(0, exponent), -Math.LN2, near1));
  }
  // What the sum rounds away (Knuth's TwoSum) changes the logarithm by its share of the sum.
  const part = sub(sum, 1);
  const lost = add(sub(1, sub(sum, part)), sub(x, part));
  const f = where(near, x, distanceFrom1(reduced));
  // Below 1/2 nothing is lost; and what infinities would make of it is left out.
  const share = where(lt(x, 2 ** 60), div(lost, where(lt(sum, 0.5), 0.5, sum)), 0);
  const low = where(near, 0, share);
  return withLimits(sum, logDouble(f, exponent, low));
}
