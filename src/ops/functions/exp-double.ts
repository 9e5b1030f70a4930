/**
 * @file exp(x) to full float64 as 2^n * (1 + r + tail), in parts, for functions that go on with less than the whole.
 *
 * Source: FreeBSD's msun, src/e_exp.c (fdlibm, Sun Microsystems 1993): the reduction, the rational form and its
 * coefficients.
 */
import { add, div, floor, mul, type Num, type Operand, pow2, round, sub } from "../expr.ts";
import { polynomialInPairs } from "./polynomial.ts";

/** log(2) in two parts; the first has 32 digits, so that its products with whole numbers below 2^20 are exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/** r * (exp(r) + 1) / (exp(r) - 1) = 2 + r^2 * (EXP[0] + r^2 * (EXP[1] + ...)), with an error of 2^-59. */
export const EXP = [
  0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252,
  4.1381367970572385e-8,
];

export interface Exponential {
  /** A whole number. */
  readonly n: Num;
  /** From -0.36 to 0.36. */
  readonly r: Num;
  /** About r^2 / 2. */
  readonly tail: Num;
  /** The same with some digits more, which count where 1 is taken away. */
  readonly fineTail: Num;
}

/** exp(x + low) = 2^n * (1 + r + tail), for |x| < 2^19 and a |low| of at most 0.01. */
export function reduceExp(x: Num, low: Operand = 0): Exponential {
  const n = round(mul(x, Math.LOG2E));
  const r = sub(x, mul(n, LN2_HIGH));
  const lost = low === 0 ? mul(n, LN2_LOW) : sub(mul(n, LN2_LOW), low);
  const sum = sub(r, lost);
  const square = mul(sum, sum);
  const d = mul(square, polynomialInPairs(square, EXP));
  const c = sub(sum, d);
  const product = mul(sum, c);
  const divisor = sub(2, c);
  const tail = sub(div(product, divisor), lost);
  // product / divisor = sum^2 / 2 + rest; and r^2 / 2 changes by r for what `sum` has lost.
  const rest = mul(mul(0.5, sum), div(sub(product, add(d, d)), divisor));
  const rounding = mul(sum, sub(sub(r, sum), lost));
  const fineTail = add(mul(0.5, square), sub(add(rest, rounding), lost));
  return { n, r, tail, fineTail };
}

/** `start + r + tail` as a sum and the rest of it, where |start| is 0 or above |r|. */
export function addParts(start: Operand, r: Num, tail: Num): { sum: Num; rest: Num } {
  const sum = add(start, r);
  return { sum, rest: add(sub(r, sub(sum, start)), tail) };
}

/** x * 2^n in two steps, each with a power in range: for n from -2044 to 2046. */
export function scale(x: Num, n: Num): Num {
  const half = floor(mul(n, 0.5));
  return mul(mul(x, pow2(half)), pow2(sub(n, half)));
}
