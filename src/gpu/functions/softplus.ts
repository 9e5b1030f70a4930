/** @file log(1 + exp(x)) in float32: max(x, 0) + log(1 + exp(-|x|)). */
import { abs, add, gt, mul, type Num, neg, sub, where } from "../../ops/expr.ts";
import { expNear } from "./exp.ts";
import { logOf, MOST } from "./log.ts";

/** The power p is at most 1; above sqrt(2) - 1, 1 + p is 2 * (1 + (p - 1) / 2). */
export function softplus(x: Num): Num {
  const size = abs(x);
  const power = expNear(neg(where(gt(size, 88), 88, size)));
  const isLarge = gt(power, MOST);
  const f = where(isLarge, mul(sub(power, 1), 0.5), power);
  return add(where(gt(x, 0), x, 0), logOf(where(isLarge, 1, 0), f));
}
