/**
 * @file 2^t to 31 bits in few operations: a power of two times a quotient of two small polynomials.
 *
 * exp(r) = (E + O) / (E - O) for an even E and an odd O with O / E = tanh(r / 2). Functions that divide anyway (sigmoid,
 * tanh, softplus) put E and O into their own fraction, and so need no more than one division.
 */
import { clamp, div, fma, mul, type Num, neg, pow2, sub } from "../expr.ts";

/** 2^t = scale * above / below. */
export interface Quotient {
  /** 2^n for the whole n nearest to t. */
  readonly scale: Num;
  /** E + O */
  readonly above: Num;
  /** E - O */
  readonly below: Num;
}

/**
 * tanh(f * log(2) / 2) = f * (ODD + f^2) / (EVEN + F2 * f^2) on [-1/2, 1/2]: minimax in the relative error, which is
 * 2^-30.8 (Remez algorithm in 200 bits). The relative error of the quotient above is then 2^-32.3.
 */
const ODD = 125.04273469030169;
const EVEN = 360.7970666657418;
const F2 = 17.330879365150327;

/**
 * Added to a number, it rounds it to a whole one, which then stands in the lowest bits of the sum; and with 1023 more,
 * the bias of an exponent, `pow2` is only a shift of the sum.
 */
const ROUND = 1.5 * 2 ** 52 + 1023;

/**
 * For t = x * factor, which is not rounded.
 *
 * @param x such that t is from -1023.5 to 1024.5, with a `scale` of 0 and of Infinity at the ends; or NaN
 */
export function quotientOfPow2(x: Num, factor: number): Quotient {
  const rounded = fma(x, factor, ROUND);
  const f = fma(x, factor, sub(ROUND, rounded));
  const { even, inner } = polynomials(f);
  return {
    scale: pow2(sub(rounded, ROUND)),
    above: fma(f, inner, even),
    below: fma(neg(f), inner, even),
  };
}

/** 2^t = scale * (even + odd) / (even - odd), as `quotientOfPow2`; and where x is -0, so is `odd`. */
export function partsOfPow2(x: Num, factor: number): { scale: Num; even: Num; odd: Num } {
  const n = sub(fma(x, factor, ROUND), ROUND);
  // The sum in a multiply-add of -0 and 0 would be 0.
  const f = sub(mul(x, factor), n);
  const { even, inner } = polynomials(f);
  return { scale: pow2(n), even, odd: mul(f, inner) };
}

/** E, and O / f. */
function polynomials(f: Num): { even: Num; inner: Num } {
  return { even: fma(mul(f, f), F2, EVEN), inner: fma(f, f, ODD) };
}

/** 2^(x * factor), for the same x. */
export function powerOf(x: Num, factor: number): Num {
  const { scale, above, below } = quotientOfPow2(x, factor);
  return mul(scale, div(above, below));
}

/** 2^t; 0 or Infinity beyond the ends of the range, far beyond that of float32. */
export const pow2Single = (t: Num): Num => powerOf(clamp(t, -1023, 1024), 1);
