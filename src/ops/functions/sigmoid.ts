/** @file 1 / (1 + exp(-x)) as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, add, clamp, div, fma, lt, mul, type Num, neg, sub, where } from "../expr.ts";
import { exp } from "./exp.ts";
import { quotientOfPow2 } from "./exp-single.ts";

export function sigmoid(x: Num, precision: Precision): Num {
  return precision === "single" ? sigmoidSingle(x) : sigmoidDouble(x);
}

/** 1 / (1 + s * (E + O) / (E - O)), as one fraction. */
function sigmoidSingle(x: Num): Num {
  const { scale, above, below } = quotientOfPow2(clamp(x, -710, 709), -Math.LOG2E);
  return div(below, fma(scale, above, below));
}

/** exp(-x) overflows where the result is not 0 yet; so exp(-|x|), and exp(x) / (1 + exp(x)) for negative x. */
function sigmoidDouble(x: Num): Num {
  const power = exp(neg(abs(x)), "double");
  const sum = add(1, power);
  const quotient = div(where(lt(x, 0), power, 1), sum);
  // The sum has rounded away `lost`: as large a share as that of the sum goes from the quotient.
  const lost = sub(power, sub(sum, 1));
  return sub(quotient, mul(quotient, div(lost, sum)));
}
