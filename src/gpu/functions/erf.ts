/** @file erf(x) in float32. */
import { abs, add, gt, lt, mul, type Num, neg, sub, where } from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";
import { expNear } from "./exp.ts";

/** erf(x) / x - 1 in powers of x^2 for |x| <= 0.9: minimax, 2^-30 (Remez algorithm). */
const NEAR = [
  0.12837916612625122, -0.3761262893676758, 0.11283624172210693, -0.026855560019612312, 0.005191753152757883,
  -0.0008039752719923854, 7.943100354168564e-5,
];
/** log(1 - erf(x)) on [0.84, 3.95]: minimax in the error of erf, which is 2^-31. */
const FAR = [
  0.00015330660971812904, -1.129409909248352, -0.6335633993148804, -0.10803750157356262, 0.024959953501820564,
  -0.004109599627554417, 0.0004216096713207662, -1.9970488210674375e-5,
];

/** Below, erf(x) is its first term, and the second part of the other sum could be subnormal. */
const TINY = 2 ** -60;

/** From 3.95 on it is 1. */
export function erf(x: Num): Num {
  const size = abs(x);
  const square = mul(x, x);
  const near = add(x, mul(x, polynomial(square, NEAR)));
  const inner = where(lt(size, TINY), mul(x, 2 / Math.sqrt(Math.PI)), near);
  const far = sub(1, expNear(polynomial(where(gt(size, 3.95), 3.95, size), FAR)));
  return where(lt(size, 0.875), inner, where(lt(x, 0), neg(far), far));
}
