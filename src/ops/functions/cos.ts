/** @file cos(x) as arithmetic. */
import type { Precision } from "../expand.ts";
import type { Num } from "../expr.ts";
import * as double from "./angle-double.ts";
import * as single from "./angle-single.ts";

/** sin(x + pi / 2) */
export function cos(x: Num, precision: Precision): Num {
  return precision === "single" ? single.sine(x, 0.25) : double.sine(x, 1);
}
