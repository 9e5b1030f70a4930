/** @file 1 / sqrt(x) in float32. */
import { add, div, gt, lt, mul, type Num, sqrt, sub, where } from "../../ops/expr.ts";

/** A step of Newton's method makes good what a device's root and division are off, for WGSL allows them a few units. */
export function rsqrt(x: Num): Num {
  const y = div(1, sqrt(x));
  const better = add(y, mul(y, sub(0.5, mul(mul(x, y), mul(0.5, y)))));
  return where(gt(x, 0), where(lt(x, Infinity), better, y), y);
}
