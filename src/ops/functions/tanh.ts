/** @file tanh(x) as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, add, clamp, div, eq, fma, gt, lt, mul, type Num, neg, pow2, sub, where } from "../expr.ts";
import { addParts, reduceExp } from "./exp-double.ts";
import { partsOfPow2 } from "./exp-single.ts";
import { polynomial } from "./polynomial.ts";

export function tanh(x: Num, precision: Precision): Num {
  return precision === "single" ? tanhSingle(x) : tanhDouble(x);
}

/**
 * (exp(2x) - 1) / (exp(2x) + 1) is (s * (E + O) - (E - O)) / (s * (E + O) + (E - O)). With s - 1 multiplied out it is
 * exactly O / E near 0, and -0 stays.
 */
function tanhSingle(x: Num): Num {
  // At 22 the result is 1.
  const { scale, even, odd } = partsOfPow2(clamp(x, -22, 22), 2 * Math.LOG2E);
  const more = add(scale, 1);
  const less = neg(sub(1, scale));
  return div(fma(less, even, mul(more, odd)), fma(less, odd, mul(more, even)));
}

/** tanh(x) = x + x^3 * P(x^2) / Q(x^2) for |x| < 0.625. Source: Cephes, double/tanh.c (S. Moshier 1995). */
const P = [-1614.6876844170845, -99.28772310019185, -0.9643991794250523];
const Q = [4844.063053251255, 2235.4883906010045, 112.81167849163293, 1];
const NEAR = 0.625;

/** Near 0 the rational form, else 1 - 2 / (exp(2|x|) + 1). Both are the same division. */
function tanhDouble(x: Num): Num {
  const size = abs(x);
  const square = mul(x, x);
  const near = lt(size, NEAR);
  const { high, low } = expPlus1(mul(2, where(gt(size, 22), 22, size)));
  const above = where(near, mul(square, polynomial(square, P)), 2);
  const fraction = div(above, where(near, polynomial(square, Q), high));
  // 1 - fraction, with what that rounds away, and with what `low` takes from the fraction.
  const rest = sub(1, fraction);
  const lost = sub(sub(1, rest), fraction);
  const far = add(rest, add(lost, mul(mul(fraction, fraction), mul(0.5, low))));
  const result = where(near, add(x, mul(x, fraction)), where(lt(x, 0), neg(far), far));
  return where(eq(x, 0), x, result);
}

/** exp(x) + 1 for x >= 0, as an unrounded sum. */
function expPlus1(x: Num): { high: Num; low: Num } {
  const { n, r, tail } = reduceExp(x);
  const { sum, rest } = addParts(1, r, tail);
  const all = add(sum, rest);
  const power = pow2(n);
  const large = mul(power, all);
  const high = add(large, 1);
  const lowOfPower = mul(power, sub(rest, sub(all, sum)));
  return { high, low: add(sub(1, sub(high, large)), lowOfPower) };
}
