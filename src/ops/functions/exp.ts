/** @file exp(x) as arithmetic. */
import type { Precision } from "../expand.ts";
import { add, clamp, type Num } from "../expr.ts";
import { addParts, reduceExp, scale } from "./exp-double.ts";
import { powerOf } from "./exp-single.ts";

export function exp(x: Num, precision: Precision): Num {
  return precision === "single" ? expSingle(x) : expDouble(x, 0);
}

/**
 * exp(x + low), where `low` holds digits that x has no room for.
 *
 * @param low at most 0.01 in size, and never infinite or NaN, or the result is undefined; where x is below -746 or above
 *   710 it does not count
 */
export function expOf(x: Num, low: Num, precision: Precision): Num {
  return precision === "single" ? exp(add(x, low), precision) : expDouble(x, low);
}

/** At the bounds the scale is 0, and Infinity. */
function expSingle(x: Num): Num {
  return powerOf(clamp(x, -709, 710), Math.LOG2E);
}

/** Beyond the bounds the scaling overflows to Infinity, or underflows to 0. */
function expDouble(x: Num, low: Num | 0): Num {
  const { n, r, tail } = reduceExp(clamp(x, -746, 710), low);
  const { sum, rest } = addParts(1, r, tail);
  return scale(add(sum, rest), n);
}
