/** @file The bell curve exp(-x^2 / 2) and the distribution function of the standard normal distribution, in float32. */
import { abs, add, div, floor, gt, lt, mul, type Num, sub, where } from "../../ops/expr.ts";
import { monic, polynomial } from "../../ops/functions/polynomial.ts";
import { expNear } from "./exp.ts";

export function gaussian(x: Num): Num {
  return bell(sizeOf(x, 13.25), { high: 0, low: 0 });
}

/** Near 0 by a polynomial; else the tail, which below 0 must be exact by itself, and above is taken from 1. */
export function normalCdf(x: Num): Num {
  const a = sizeOf(x, 13.18);
  const d = monic(a, TAIL.D);
  const tail = mul(bell(a, LOG_WIDTH), div(d, add(mul(a, d), polynomial(a, TAIL.N))));
  const far = where(lt(x, 0), tail, sub(1, tail));
  return where(lt(a, 0.7), add(0.5, mul(x, polynomial(mul(x, x), NEAR))), far);
}

/** |x|, and beyond `most`, that: there the power of 2 in the result is 0. */
const sizeOf = (x: Num, most: number): Num => where(gt(abs(x), most), most, abs(x));

/** log(sqrt(2 * pi)), the first part a multiple of 2^-17. */
const LOG_WIDTH = { high: 0.9189376831054688, low: 8.500992039917803e-7 };

/**
 * exp(-a^2 / 2 - high - low) for a from 0 to 13.25. A rounding of a^2 would count up to 88 times; so a is cut into a
 * multiple of 2^-8, whose square is exact, and the rest.
 */
function bell(a: Num, { high, low }: { readonly high: number; readonly low: number }): Num {
  const top = mul(floor(add(mul(a, 256), 0.5)), 1 / 256);
  const rest = sub(a, top);
  const main = mul(mul(top, top), -0.5);
  const small = mul(mul(rest, add(a, top)), -0.5);
  return high === 0 ? expNear(main, small) : expNear(sub(main, high), sub(small, low));
}

/** (the function - 1/2) / x in powers of x^2 for |x| <= 0.7: minimax, 2^-28.6 (Remez algorithm). */
const NEAR = [
  0.3989422917366028, -0.06649058312177658, 0.009974338114261627, -0.0011865557171404362,
  0.00010767250205390155,
];
/**
 * The tail beyond a is exp(-a^2 / 2) / sqrt(2 * pi) / (a + g(a)), with g falling from 0.8 to 1 / a: the farther out, the
 * less counts what g is off. g(a) = (N[0] + N[1] * a + ...) / (D[0] + D[1] * a + ... + a^5) on [0, 13.3]: minimax in the
 * relative error of the whole, which is 2^-28.7 (Lawson's algorithm).
 */
const TAIL = {
  N: [325.0533447265625, 203.7961883544922, 67.12982177734375, 12.01388931274414, 1.0001124143600464],
  D: [407.3939514160156, 440.9599304199219, 229.30259704589844, 69.01266479492188, 12.01938247680664],
};
