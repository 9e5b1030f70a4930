/** @file sin(x) as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, lt, type Num, where } from "../expr.ts";
import * as double from "./angle-double.ts";
import * as single from "./angle-single.ts";

/** Below, sin(x) = x - x^3 / 6 is x. Also -0, which is lost in the reduction. */
const TINY = 2 ** -27;

export function sin(x: Num, precision: Precision): Num {
  const wave = precision === "single" ? single.sine(x, 0) : double.sine(x, 0);
  return where(lt(abs(x), TINY), x, wave);
}
