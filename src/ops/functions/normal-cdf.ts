/** @file The distribution function of the standard normal distribution as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, lt, type Num, sub, where } from "../expr.ts";
import { normalTail } from "./normal-tail.ts";
import { isNeverPositive } from "./sign.ts";

/** The tail below 0, where it must be exact by itself; 1 - tail above. */
export function normalCdf(x: Num, precision: Precision): Num {
  if (isNeverPositive(x)) return normalTail(x, precision);
  return abs(sub(where(lt(x, 0), 0, 1), normalTail(x, precision)));
}
