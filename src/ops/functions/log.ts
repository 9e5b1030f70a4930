/** @file The natural logarithm as arithmetic. */
import type { Precision } from "../expand.ts";
import { add, fma, lt, mul, type Num, sub, where } from "../expr.ts";
import { atanhSingle, distanceFrom1, logDouble, NORMAL, reduceLog, withLimits } from "./logarithm.ts";

export function log(x: Num, precision: Precision): Num {
  if (precision === "double") return logOfAll(x);
  const { exponent, m, divisor } = reduceLog(x);
  const near1 = atanhSingle(sub(m, divisor), add(m, divisor));
  return withLimits(x, fma(exponent, Math.LN2, near1));
}

/** Subnormal numbers are scaled up first, as their bits have no exponent. */
function logOfAll(x: Num): Num {
  const subnormal = lt(x, NORMAL);
  const scaled = where(subnormal, mul(x, 2 ** 54), x);
  const reduced = reduceLog(scaled);
  const exponent = add(reduced.exponent, where(subnormal, -54, 0));
  return withLimits(scaled, logDouble(distanceFrom1(reduced), exponent, 0));
}
