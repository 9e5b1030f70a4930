/** @file exp(x) - 1 as arithmetic, without cancellation near 0. */
import type { Precision } from "../expand.ts";
import { add, clamp, div, eq, gt, lt, mul, type Num, neg, pow2, sub, where } from "../expr.ts";
import { addParts, reduceExp, scale } from "./exp-double.ts";
import { quotientOfPow2, roundToPositiveZero } from "./exp-single.ts";
import { isNeverPositive } from "./sign.ts";

export function expm1(x: Num, precision: Precision): Num {
  return precision === "single" ? expm1Single(x) : expm1Double(x);
}

/** (s * (E + O) - (E - O)) / (E - O), with s - 1 multiplied out: near 0 it is exactly 0, and -0 stays. */
function expm1Single(x: Num): Num {
  const low = isNeverPositive(x);
  const t = mul(low ? where(lt(x, -50), -50, x) : clamp(x, -50, 700), Math.LOG2E);
  const { scale, even, odd } = quotientOfPow2(t, roundToPositiveZero(t));
  const numerator = sub(mul(add(scale, 1), odd), mul(sub(1, scale), even));
  const quotient = div(numerator, sub(even, odd));
  return low ? quotient : where(gt(x, 700), Infinity, quotient);
}

/** 2^n * ((1 - 2^-n) + r + tail) */
function expm1Double(x: Num): Num {
  const { n, r, fineTail } = reduceExp(clamp(x, -50, 710));
  const power = pow2(neg(where(gt(n, 64), 64, n)));
  // Up to n = 53 it is exact.
  const start = sub(1, power);
  const lost = sub(sub(1, start), power);
  const { sum, rest } = addParts(start, r, add(fineTail, lost));
  return where(eq(x, 0), x, scale(add(sum, rest), n));
}
