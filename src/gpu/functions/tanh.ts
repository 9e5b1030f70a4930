/** @file tanh(x) in float32. */
import { abs, add, div, gt, lt, mul, type Num, neg, sub, where } from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";
import { expNear } from "./exp.ts";

/** (tanh(x) / x - 1) / x^2 in powers of x^2 for |x| <= 0.625: minimax, 2^-27.7 (Remez algorithm). */
const NEAR = [
  -0.3333328068256378, 0.13331405818462372, -0.05373651534318924, 0.02062816731631756, -0.0056922961957752705,
];
/** Below, tanh(x) is x. Also for -0. */
const TINY = 2 ** -13;

/** Near 0 a polynomial, else 1 - 2 / (exp(2|x|) + 1), which is 1 from |x| = 10 on. */
export function tanh(x: Num): Num {
  const size = abs(x);
  const square = mul(x, x);
  const near = add(x, mul(x, mul(square, polynomial(square, NEAR))));
  const far = sub(1, div(2, add(expNear(mul(2, where(gt(size, 10), 10, size))), 1)));
  const inner = where(lt(size, TINY), x, near);
  return where(lt(size, 0.625), inner, where(lt(x, 0), neg(far), far));
}
