/** @file 1 / (1 + exp(-x)) in float32. */
import { add, div, gt, lt, type Num, neg, where } from "../../ops/expr.ts";
import { expNear } from "./exp.ts";

/** 0 where it would be subnormal. */
export function sigmoid(x: Num): Num {
  const down = neg(x);
  const value = div(1, add(1, expNear(where(gt(down, 88), 88, where(lt(down, -88), -88, down)))));
  return where(lt(x, -87.33654), 0, value);
}
