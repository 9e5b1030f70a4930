/** @file exp(x) - 1 in float32, exact near 0. */
import { abs, add, clamp, gt, lt, mul, type Num, pow2, sub, where } from "../../ops/expr.ts";
import { expm1Near0, LAST, reduceExp } from "./exp.ts";

/** Below, exp(x) - 1 is x. Also for -0. */
const TINY = 2 ** -25;

/** 2^n * (exp(r) - 1) + (2^n - 1), halved, so that 2^128 is in range. Below -20 it is -1. */
export function expm1(x: Num): Num {
  const { n, r } = reduceExp(clamp(x, -20, 89));
  const half = pow2(sub(n, 1));
  const value = mul(2, add(mul(half, expm1Near0(r)), sub(half, 0.5)));
  return where(gt(x, LAST), Infinity, where(lt(abs(x), TINY), x, value));
}
