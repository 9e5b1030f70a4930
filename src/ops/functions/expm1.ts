/** @file exp(x) - 1 as arithmetic, without cancellation near 0. */
import type { Precision } from "../expand.ts";
import { add, clamp, div, eq, fma, gt, lt, mul, type Num, neg, pow2, sub, where } from "../expr.ts";
import { addParts, reduceExp, scale } from "./exp-double.ts";
import { partsOfPow2 } from "./exp-single.ts";
import { isNeverPositive } from "./sign.ts";

export function expm1(x: Num, precision: Precision): Num {
  return precision === "single" ? expm1Single(x) : expm1Double(x);
}

/** (s * (E + O) - (E - O)) / (E - O), with s - 1 multiplied out: near 0 it is exactly 0, and -0 stays. */
function expm1Single(x: Num): Num {
  const low = isNeverPositive(x);
  const inner = low ? where(lt(x, -50), -50, x) : clamp(x, -50, 700);
  const { scale, even, odd } = partsOfPow2(inner, Math.LOG2E);
  const numerator = fma(neg(sub(1, scale)), even, mul(add(scale, 1), odd));
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
