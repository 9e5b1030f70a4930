/**
 * @file What log, log1p, softplus and pow share: numbers near 1, and the logarithm there.
 *
 * log(m) = 2 * atanh(s) for s = (m - 1) / (m + 1), which is at most 0.1716 for m between sqrt(1/2) and sqrt(2).
 */
import {
  add,
  div,
  exponent,
  fma,
  gt,
  lt,
  mul,
  type Num,
  type Operand,
  significand,
  sub,
  where,
} from "../expr.ts";
import { LN2_HIGH, LN2_LOW } from "./exp-double.ts";
import { polynomialInPairs } from "./polynomial.ts";

/** x = 2^exponent * m / divisor, with a quotient between sqrt(1/2) and sqrt(2). */
export interface Reduced {
  /** A whole number; +0 where it is 0. */
  readonly exponent: Num;
  /** From 1 to 2. */
  readonly m: Num;
  /** 1 or 2. */
  readonly divisor: Num;
}

/** For positive normal x. */
export function reduceLog(x: Num): Reduced {
  const m = significand(x);
  const step = where(gt(m, Math.SQRT2), 1, 0);
  return { exponent: add(exponent(x), step), m, divisor: add(step, 1) };
}

/**
 * 2 * atanh(s) / s as a polynomial in s^2, for s up to 0.1716: minimax in the relative error, which is 2^-30.4 (Remez
 * algorithm in 160 bits).
 */
const ATANH = [1.999999998621348, 0.6666681595035742, 0.3997479494201127, 0.29925650692439437];

/** log((below + above) / (below - above)) to 30 bits. */
export function atanhSingle(above: Num, below: Num): Num {
  const s = div(above, below);
  return mul(s, polynomialInPairs(mul(s, s), ATANH, fma));
}

/** The same times log2(e), minimax with 2^-45.1: for pow, whose exponent makes the error up to 2^10 times as large. */
const ATANH_LOG2 = [
  2.88539008177785, 0.9617966941133053, 0.5770779423770301, 0.41220925104196576, 0.31990575525048204,
  0.2828992827037053,
];

/** log2(x) for positive normal x, with a relative error of 2^-45. */
export function log2Single(x: Num): Num {
  const { exponent, m, divisor } = reduceLog(x);
  const s = div(sub(m, divisor), add(m, divisor));
  return fma(s, polynomialInPairs(mul(s, s), ATANH_LOG2, fma), exponent);
}

/** log(1 + f) = f - (f^2/2 - s * (f^2/2 + s^2 * (LG[0] + s^2 * ...))). Source: e_log.c as below. */
const LG = [
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605106586,
];

/**
 * log(1 + f) + low + exponent * log(2) to full float64, for f from -0.293 to 0.415 and a `low` that is small beside the
 * rest. Keeps -0. Source: FreeBSD's msun, src/e_log.c (fdlibm, Sun Microsystems 1993).
 */
export function logDouble(f: Num, exponent: Num, low: Operand): Num {
  const s = div(f, add(2, f));
  const square = mul(s, s);
  const half = mul(mul(0.5, f), f);
  const product = mul(s, add(half, mul(square, polynomialInPairs(square, LG))));
  const tail = sub(half, add(product, add(mul(exponent, LN2_LOW), low)));
  return sub(sub(f, tail), mul(sub(0, exponent), LN2_HIGH));
}

/** m / divisor - 1, exactly. */
export function distanceFrom1({ m, divisor }: Reduced): Num {
  return mul(sub(m, divisor), sub(1.5, mul(0.5, divisor)));
}

/** The smallest normal number of float64. */
export const NORMAL = 2 ** -1022;

/**
 * `finite`, which must be no infinity or NaN, where x is a positive normal number; -Infinity below, NaN for negative x;
 * Infinity and NaN stay. By sums, which are quicker than choices, and keep -0 as they take 0 away.
 */
export function withLimits(x: Num, finite: Num): Num {
  const small = where(lt(x, NORMAL), Infinity, 0);
  const negative = where(lt(x, 0), -Infinity, 0);
  const large = where(lt(x, Infinity), 0, x);
  return sub(finite, sub(add(small, negative), large));
}
