/**
 * @file The power of a positive number in float32, by a logarithm with 32 digits.
 *
 * 2^(y * log2(x)) has an error as many times larger as the exponent is. So log2(x) is a sum of two, and products that
 * matter are taken of heads: 12 digits each, so that they are exact, fused or not. Method: fdlibm, e_powf.c (Sun
 * Microsystems 1993), with heads made by rounding to a multiple instead of on bits.
 */
import {
  abs,
  add,
  clamp,
  constant,
  div,
  exponent,
  floor,
  ge,
  gt,
  lt,
  mul,
  type Num,
  pow2,
  significand,
  sub,
  where,
} from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";
import { withLimits } from "../../ops/functions/pow.ts";
import { powByProducts } from "../../ops/functions/pow-constant.ts";
import { expm1Near0, scale } from "./exp.ts";
import { NORMAL } from "./log.ts";

/** A number as a sum of two, the first with 12 digits. */
interface Parts {
  readonly high: Num;
  readonly low: Num;
}

export function pow(x: Num, y: Num): Num {
  const short = powByProducts(x, y, "double");
  if (short) return short;
  return withLimits(x, y, powOf(abs(x), partsOf(y)), NORMAL);
}

/** Far beyond 2^40 every power but that of 1 is 0 or Infinity. A constant is not rounded to float32. */
function partsOf(y: Num): Parts {
  const most = 2 ** 40;
  if (y.kind === "const") {
    const value = Math.max(-most, Math.min(y.value, most));
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 11);
    const high = Math.round(value / unit) * unit;
    return { high: constant(high), low: constant(value - high) };
  }
  const bounded = clamp(y, -most, most);
  const high = head(bounded);
  return { high, low: sub(bounded, high) };
}

/** x^y for positive, finite, normal x and |y| up to 2^40. */
function powOf(x: Num, y: Parts): Num {
  const log = log2(x);
  const high = mul(y.high, log.high);
  const low = add(mul(y.low, log.high), mul(add(y.high, y.low), log.low));
  const whole = add(high, low);
  const n = floor(add(whole, 0.5));
  const rest = add(sub(high, n), low);
  const power = scale(add(1, expm1Near0(mul(rest, Math.LN2))), n);
  return where(gt(whole, 128.25), Infinity, where(lt(whole, -127.25), 0, power));
}

/** 2 / log(2), its head and the rest. */
const K = 2.8853900817779268;
const K_HIGH = 2.8857421875;
const K_LOW = -0.0003521057220731853;
/** (log2((1 + s) / (1 - s)) / s - K) / s^2 in powers of s^2, for |s| up to 0.1011: minimax, 2^-35.5 of the logarithm (Remez algorithm). */
const CUBIC = [0.961796760559082, 0.5770401358604431, 0.41856759786605835];
/** log2(1.5) in two parts. */
const LOG2_1_5_HIGH = 0.5849609375;
const LOG2_1_5_LOW = 1.5632211561814537e-6;

function log2(x: Num): Parts {
  const from1 = significand(x);
  // Between sqrt(3/4) and sqrt(3): c is 1 up to sqrt(3/2), and 3/2 above.
  const isLarge = ge(from1, Math.sqrt(3));
  const m = where(isLarge, mul(from1, 0.5), from1);
  const e = add(exponent(x), where(isLarge, 1, 0));
  const isMiddle = ge(m, Math.sqrt(1.5));
  const c = where(isMiddle, 1.5, 1);

  // s = (m - c) / (m + c), in two parts: what the first leaves of the numerator is exact.
  const above = sub(m, c);
  const below = add(m, c);
  const high = head(div(above, below));
  const belowHigh = mul(floor(add(mul(below, 1024), 0.5)), 1 / 1024);
  const belowLow = sub(m, sub(belowHigh, c));
  const low = div(sub(sub(above, mul(high, belowHigh)), mul(high, belowLow)), below);

  const s = add(high, low);
  const square = mul(s, s);
  const cubic = mul(mul(s, square), polynomial(square, CUBIC));
  const first = mul(K_HIGH, high);
  const ofC = where(isMiddle, LOG2_1_5_LOW, 0);
  const second = add(add(add(mul(K_LOW, high), mul(K, low)), ofC), cubic);
  const whole = add(e, where(isMiddle, LOG2_1_5_HIGH, 0));
  const sum = head(add(whole, add(first, second)));
  return { high: sum, low: add(add(sub(whole, sum), first), second) };
}

/** The nearest number with 12 binary digits; 0 for numbers below 2^-100. */
function head(x: Num): Num {
  const size = abs(x);
  const e = exponent(where(lt(size, 2 ** -100), 1, size));
  return mul(floor(add(mul(x, pow2(sub(11, e))), 0.5)), pow2(sub(e, 11)));
}
