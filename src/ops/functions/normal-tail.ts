/**
 * @file The upper tail of the normal distribution, T(a) = erfc(a / sqrt(2)) / 2 for a >= 0, on which normal_cdf and erf
 * stand.
 *
 * T(a) falls like exp(-a^2 / 2). What is left, exp(a^2 / 2) * T(a), is smooth: 1/2 at 0, and near 0.4 / a far out. A
 * quotient of polynomials follows it all the way.
 *
 * All coefficients: rational minimax by the Remez algorithm, in 45 digits and more.
 */
import type { Precision } from "../expand.ts";
import { add, div, fma, gt, mul, type Num, sub, where } from "../expr.ts";
import { expOf } from "./exp.ts";
import { quotientOfPow2 } from "./exp-single.ts";
import { halfSquare } from "./gaussian.ts";
import { monic, polynomial } from "./polynomial.ts";
import { sizeOf } from "./sign.ts";

/** T(|x|) */
export function normalTail(x: Num, precision: Precision): Num {
  if (precision === "single") return single(x);
  const { a, high, low } = halfSquare(x);
  return double(a, high, low);
}

/** erfc(|x|), where 1 - erfc(|x|) is wanted, for |x| of about 1 and above. */
export function complement(x: Num): Num {
  const { a, high, low } = halfSquare(x);
  // exp(-x^2) is exp(-x^2 / 2) with twice the exponent; that sqrt(2) * x is rounded matters little beside.
  const half = double(mul(a, Math.SQRT2), mul(high, 2), mul(low, 2));
  return add(half, half);
}

/**
 * exp(a^2 / 2) * T(a) = (P[0] + P[1] * a + ...) / (Q[0] + Q[1] * a + ... + a^5) on [0, 13.3], where a * T(a) falls below the
 * normal float32 numbers, with a relative error of 2^-27.58; it grows to 2^-25 at 14, where they end, and to 2^-18 at 37.5.
 */
const SINGLE = {
  P: [49.61805027631043, 43.23580614831785, 17.99217257530901, 3.967872448495597, 0.3989479502865568],
  Q: [99.23610005923969, 165.65059996132192, 118.53594083073756, 46.08328521408948, 9.946713754522278],
};

/**
 * Relative error below 2^-27.5 for |x| up to 13.3. Beyond 37.5 the result is that of 37.5, 4.6e-308: 0 in float32, and
 * 0 in float32 after a multiplication by x too.
 */
function single(x: Num): Num {
  const size = sizeOf(x);
  const a = where(gt(size, 37.5), 37.5, size);
  const { scale, above, below } = quotientOfPow2(mul(a, a), -Math.LOG2E / 2);
  // One division for both fractions.
  const upper = mul(above, polynomial(a, SINGLE.P, fma));
  const lower = mul(below, monic(a, SINGLE.Q, fma));
  return mul(scale, div(upper, lower));
}

const SHIFT = 51 / 64;
const MEAN = 9 / 64;

/**
 * log(exp(a^2 / 2) * T(a) * 2 * (a + SHIFT)) + MEAN = (P[0] + P[1] * a + ...) / (Q[0] + Q[1] * a + ...) on [0, 39], with
 * an error of 2^-60.8. It lies between -0.1 and 0.1, so that its own roundings count little.
 */
const DOUBLE = {
  P: [
    -0.08643245063534609, -0.014460482625451335, 0.7602330175453915, 1.7012305355542905, 1.759702792307179,
    1.087924051785119, 0.445360455739288, 0.12445895385481189, 0.02291636917596865, 0.002238963401083978,
    -7.897227854132724e-5, -6.207569299911945e-5, -9.081457178381683e-6, -5.764801101306501e-7,
  ],
  Q: [
    1.0, 5.4548711640265735, 13.039531553406757, 18.239050103665857, 16.86532776826297, 11.046799146294557,
    5.347149789970351, 1.9603204730249097, 0.5502711427195301, 0.11805288997110489, 0.01903156915256274,
    0.002214483601925057, 0.00016996620527611267, 6.76887165210799e-6,
  ],
};

/**
 * T(a) = exp(high + low - MEAN + P(a) / Q(a)) / (2 * (a + SHIFT)), where high + low = -a^2 / 2. The exponent and the
 * divisor have two parts each; what is left to round is one exponential and one division. In fdlibm's erfc (s_erf.c) the
 * fraction is in the exponent as well.
 */
function double(a: Num, high: Num, low: Num): Num {
  const fraction = div(polynomial(a, DOUBLE.P), polynomial(a, DOUBLE.Q));
  const base = sub(high, MEAN);
  const exponent = add(base, fraction);
  const lost = sub(fraction, sub(exponent, base));
  const divisor = add(a, SHIFT);
  const cut = sub(a, sub(divisor, SHIFT));
  const correction = sub(add(low, lost), div(cut, divisor));
  return div(expOf(exponent, correction, "double"), add(divisor, divisor));
}
