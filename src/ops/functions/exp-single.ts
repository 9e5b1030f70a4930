/**
 * @file 2^t to 31 bits in few operations: a power of two times a quotient of two small polynomials.
 *
 * exp(r) = (E + O) / (E - O) for an even E and an odd O with O / E = tanh(r / 2). Functions that divide anyway (sigmoid,
 * tanh, softplus) put E and O into their own fraction, and so need no more than one division.
 */
import { add, clamp, div, mul, type Num, pow2, round, sub } from "../expr.ts";

/** 2^t = scale * (even + odd) / (even - odd). */
export interface Quotient {
  /** 2^n for the whole n nearest to t. */
  readonly scale: Num;
  readonly even: Num;
  readonly odd: Num;
}

/**
 * tanh(f * log(2) / 2) = f * (ODD + f^2) / (EVEN + F2 * f^2) on [-1/2, 1/2]: minimax in the relative error, which is
 * 2^-30.8 (Remez algorithm in 200 bits). The relative error of the quotient above is then 2^-32.3.
 */
const ODD = 125.04273469030169;
const EVEN = 360.7970666657418;
const F2 = 17.330879365150327;

/**
 * @param t from -1023.5 to 1024.5, with a `scale` of 0 and of Infinity at the ends; or NaN
 * @param n the nearest whole number
 */
export function quotientOfPow2(t: Num, n: Num = round(t)): Quotient {
  const f = sub(t, n);
  const square = mul(f, f);
  return { scale: pow2(n), even: add(mul(square, F2), EVEN), odd: mul(f, add(square, ODD)) };
}

/** Added and taken away again, it rounds to a whole number; with 1023 more, `pow2` is only a shift of the sum. */
const ROUND = 1.5 * 2 ** 52 + 1023;

/** The nearest whole number to |t| < 2^51, which is never -0: where t is, `odd` then is too. */
export const roundToPositiveZero = (t: Num): Num => sub(add(t, ROUND), ROUND);

/** 2^t; 0 or Infinity beyond the ends of the range, far beyond that of float32. */
export function pow2Single(t: Num): Num {
  const { scale, even, odd } = quotientOfPow2(clamp(t, -1023, 1024));
  return mul(scale, div(add(even, odd), sub(even, odd)));
}
