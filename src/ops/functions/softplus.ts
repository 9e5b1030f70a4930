/** @file log(1 + exp(x)) as arithmetic: max(x, 0) + log(1 + exp(-|x|)), which never overflows and keeps its tail. */
import type { Precision } from "../expand.ts";
import { abs, add, div, fma, gt, mul, type Num, neg, sub, where } from "../expr.ts";
import { exp } from "./exp.ts";
import { quotientOfPow2 } from "./exp-single.ts";
import { logDouble } from "./logarithm.ts";
import { polynomialInPairs } from "./polynomial.ts";

export function softplus(x: Num, precision: Precision): Num {
  const size = abs(x);
  const ramp = where(gt(x, 0), x, 0);
  return precision === "single" ? single(size, ramp) : add(ramp, tailDouble(size));
}

/**
 * 2 * atanh(s) / s as a polynomial in s^2, for s up to 1/3: minimax in the relative error, which is 2^-33.2 (Remez
 * algorithm in 160 bits).
 */
const ATANH = [
  1.9999999998028168, 0.6666667930721507, 0.3999869091839225, 0.2862072174475921, 0.21393254071541876,
  0.24413056899025212,
];

/** ramp + log(1 + p): the second is 2 * atanh(p / (2 + p)), where p is scale * (E + O) / (E - O). */
function single(size: Num, ramp: Num): Num {
  const { scale, above, below } = quotientOfPow2(where(gt(size, 709), 709, size), -Math.LOG2E);
  const power = mul(scale, above);
  const s = div(power, fma(2, below, power));
  return fma(s, polynomialInPairs(mul(s, s), ATANH, fma), ramp);
}

/** The power p is at most 1; above sqrt(2) - 1, 1 + p is 2 * (1 + (p - 1) / 2). */
function tailDouble(size: Num): Num {
  const power = exp(neg(size), "double");
  const large = gt(power, Math.SQRT2 - 1);
  const difference = sub(power, 1);
  // The difference is exact from 1/2 on; below, what it loses is divided by the sum of 1 and p, from 1.41 to 1.5.
  const lost = mul(sub(power, add(difference, 1)), 1 / 1.457);
  const f = where(large, mul(difference, 0.5), power);
  return logDouble(f, where(large, 1, 0), where(large, lost, 0));
}
