/**
 * @file The power of a positive number to full float64, by a logarithm with some 65 digits.
 *
 * Products whose rounding would matter are taken of heads: 21 digits each, so that they are exact. Names end in `High`
 * and `Low` where two numbers stand for their sum.
 *
 * Source: FreeBSD's msun, src/e_pow.c (fdlibm, Sun Microsystems 2004): the method and the coefficients.
 */
import {
  add,
  div,
  exponent,
  ge,
  gt,
  head,
  lt,
  mul,
  type Num,
  round,
  significand,
  sub,
  where,
} from "../expr.ts";
import { EXP, scale } from "./exp-double.ts";
import { NORMAL } from "./logarithm.ts";
import { polynomial } from "./polynomial.ts";

/** (3/2) * (log(m / c) - 2 * s - 2/3 * s^3) / s^5 for s = (m - c) / (m + c). */
const L = [
  0.5999999999999946, 0.4285714285785502, 0.33333332981837743, 0.272728123808534, 0.23066074577556175,
  0.20697501780033842,
];
/** 2 / (3 * log(2)) */
const CP = 0.9617966939259756;
const CP_HIGH = 0.9617967009544373;
const CP_LOW = -7.028461650952758e-9;
/** log2(1.5) */
const LOG2_1_5_HIGH = 0.5849624872207642;
const LOG2_1_5_LOW = 1.350039202129749e-8;

/** log(2) in two parts, the first a head. */
const LN2_HIGH = 0.6931471824645996;
const LN2_LOW = -1.904654299957768e-9;

/** x^y for finite x > 0 and |y| up to 2^64; off by less than 0.7 units in the last place. */
export function powDouble(x: Num, y: Num): Num {
  const log = log2(x);
  const yHigh = head(y);
  const low = add(mul(sub(y, yHigh), log.high), mul(y, log.low));
  const high = mul(yHigh, log.high);
  const whole = add(low, high);
  const power = exp2(high, low, round(whole));
  return where(gt(whole, 1025), Infinity, where(lt(whole, -1080), 0, power));
}

/** log2(x), its first part a head. */
function log2(x: Num): { high: Num; low: Num } {
  const subnormal = lt(x, NORMAL);
  const scaled = where(subnormal, mul(x, 2 ** 54), x);
  const from1 = significand(scaled);
  // Between sqrt(3/4) and sqrt(3): c is 1 up to sqrt(3/2), and 3/2 above.
  const large = ge(from1, Math.sqrt(3));
  const m = where(large, mul(from1, 0.5), from1);
  const e = add(exponent(scaled), add(where(large, 1, 0), where(subnormal, -54, 0)));
  const middle = ge(m, Math.sqrt(1.5));
  const c = where(middle, 1.5, 1);

  const above = sub(m, c);
  const below = add(m, c);
  const reciprocal = div(1, below);
  const s = mul(above, reciprocal);
  const sHigh = head(s);
  const belowHigh = head(below);
  const belowLow = sub(m, sub(belowHigh, c));
  const sLow = mul(reciprocal, sub(sub(above, mul(sHigh, belowHigh)), mul(sHigh, belowLow)));

  // log(m / c) = 2/3 * s * (3 + s^2 + rest)
  const square = mul(s, s);
  const rest = add(mul(mul(square, square), polynomial(square, L)), mul(sLow, add(sHigh, s)));
  const squareOfHigh = mul(sHigh, sHigh);
  const factorHigh = head(add(add(3, squareOfHigh), rest));
  const factorLow = sub(rest, sub(sub(factorHigh, 3), squareOfHigh));
  const productHigh = mul(sHigh, factorHigh);
  const productLow = add(mul(sLow, factorHigh), mul(factorLow, s));
  const high = head(add(productHigh, productLow));
  const low = sub(productLow, sub(high, productHigh));
  const logHigh = mul(CP_HIGH, high);
  const logLow = add(add(mul(CP_LOW, high), mul(low, CP)), where(middle, LOG2_1_5_LOW, 0));

  const ofC = where(middle, LOG2_1_5_HIGH, 0);
  const sum = head(add(add(add(logHigh, logLow), ofC), e));
  return { high: sum, low: sub(logLow, sub(sub(sub(sum, e), ofC), logHigh)) };
}

/** 2^(high + low), where n is the nearest whole number. */
function exp2(high: Num, low: Num, n: Num): Num {
  const rest = sub(high, n);
  const t = head(add(low, rest));
  const product = mul(t, LN2_HIGH);
  const small = add(mul(sub(low, sub(t, rest)), Math.LN2), mul(t, LN2_LOW));
  const r = add(product, small);
  const lost = sub(small, sub(r, product));
  const square = mul(r, r);
  const c = sub(r, mul(square, polynomial(square, EXP)));
  const tail = sub(div(mul(r, c), sub(c, 2)), add(lost, mul(r, lost)));
  return scale(sub(1, sub(tail, r)), n);
}
