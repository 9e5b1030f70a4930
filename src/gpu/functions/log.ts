/** @file log(x) and log(1 + x) in float32, without a division. */
import {
  add,
  eq,
  exponent,
  ge,
  gt,
  lt,
  mul,
  type Num,
  neg,
  pow2,
  significand,
  sub,
  where,
} from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";
import { LN2_HIGH, LN2_LOW } from "./exp.ts";

/** The smallest normal number. Smaller ones are 0 to most devices. */
export const NORMAL = 2 ** -126;

/** log(1 + f) = f - f^2 / 2 + f^3 * P(f) for 1 + f from sqrt(1/2) to sqrt(2): minimax, 2^-28.2 (Remez algorithm). */
const LOG = [
  0.3333331346511841, -0.25000008940696716, 0.2000211924314499, -0.1666799634695053, 0.14219552278518677,
  -0.12405578047037125, 0.11888143420219421, -0.11675707995891571, 0.06746753305196762,
];
/** Up to here log(1 + f) is polynomial. */
export const MOST = Math.SQRT2 - 1;

export function log(x: Num): Num {
  const { e, f } = reduceLog(x);
  return withLimits(x, logOf(e, f));
}

/** 1 + x is rounded, but only its exponent is needed: f = x * 2^-e - (1 - 2^-e) is exact. Far out the sum is exact enough. */
export function log1p(x: Num): Num {
  const sum = add(1, x);
  const reduced = reduceLog(sum);
  const power = pow2(neg(reduced.e));
  const f = where(lt(x, 2 ** 60), sub(mul(x, power), sub(1, power)), reduced.f);
  return where(eq(x, 0), x, withLimits(sum, logOf(reduced.e, f)));
}

/** x = 2^e * (1 + f), exactly, for positive normal x. */
function reduceLog(x: Num): { readonly e: Num; readonly f: Num } {
  const m = significand(x);
  const isLarge = gt(m, Math.SQRT2);
  return { e: add(exponent(x), where(isLarge, 1, 0)), f: sub(where(isLarge, mul(m, 0.5), m), 1) };
}

/** e * log(2) + log(1 + f), the small parts first. */
export function logOf(e: Num, f: Num): Num {
  const square = mul(f, f);
  const cubic = mul(mul(f, polynomial(f, LOG)), square);
  const low = sub(add(cubic, mul(e, LN2_LOW)), mul(0.5, square));
  return add(add(f, low), mul(e, LN2_HIGH));
}

/** `value` where x is positive and finite, and what is due elsewhere: -Infinity at 0, NaN below. */
function withLimits(x: Num, value: Num): Num {
  const outside = where(ge(x, 0), -Infinity, Number.NaN);
  return where(ge(x, NORMAL), where(lt(x, Infinity), value, x), outside);
}
