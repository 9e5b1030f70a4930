/**
 * @file exp(x) in float32, and what other functions make of it.
 *
 * exp(x) = 2^n * exp(r), with r = x - n * log(2) at most 0.35 in size. No step relies on a rounding: n may be off where
 * x is halfway between two, and the products with the first part of log(2) are exact, fused or not.
 */
import { add, clamp, floor, gt, mul, type Num, pow2, sub, where } from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";

/** log(2) in two parts; the first has 15 digits, so that its products with whole numbers up to 128 are exact. */
export const LN2_HIGH = 0.693145751953125;
export const LN2_LOW = 1.4286068203094173e-6;

/** (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2: minimax in the error of exp(r), which is 2^-28.2 (Remez algorithm). */
const EXP = [
  0.4999999403953552, 0.16666516661643982, 0.04166810214519501, 0.00836916547268629, 0.001383800758048892,
];

/** The first x whose exponential rounds to more than the largest float32 is the next one. */
export const LAST = 88.72283172607422;

/** exp(x): 0 for results that would be subnormal. */
export function exp(x: Num): Num {
  const { n, r } = reduceExp(clamp(x, -88, 89));
  return where(gt(x, LAST), Infinity, scale(add(1, expm1Near0(r)), n));
}

/**
 * exp(x + low) for x from -88 to 88, and NaN for NaN.
 *
 * @param low digits that x has no room for, at most 0.1 in size
 */
export function expNear(x: Num, low?: Num): Num {
  const { n, r } = reduceExp(x, low);
  return mul(add(1, expm1Near0(r)), pow2(n));
}

/** n and r with x + low = n * log(2) + r. */
export function reduceExp(x: Num, low?: Num): { readonly n: Num; readonly r: Num } {
  const n = floor(add(mul(x, Math.LOG2E), 0.5));
  const rest = sub(x, mul(n, LN2_HIGH));
  const small = mul(n, LN2_LOW);
  return { n, r: low ? add(rest, sub(low, small)) : sub(rest, small) };
}

/** exp(r) - 1 for |r| <= log(2) / 2. */
export function expm1Near0(r: Num): Num {
  return add(r, mul(mul(r, r), polynomial(r, EXP)));
}

/** x * 2^n for n from -127, where it is 0, to 128; x is at least 0.7, and below 1 for 128. */
export function scale(x: Num, n: Num): Num {
  const isLast = gt(n, 127);
  return mul(where(isLast, add(x, x), x), pow2(where(isLast, 127, n)));
}
