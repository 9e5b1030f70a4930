/** @file What can be told of an argument's sign from its form, where a function needs less for one half of the numbers. */
import { abs, type Num } from "../expr.ts";

/** Whether it is `-|x|`, or `x > 0 ? 0 : x`: never above 0. */
export function isNeverPositive(of: Num): boolean {
  if (of.kind === "unary" && of.fn === "neg") return isNeverNegative(of.x);
  if (of.kind !== "where" || of.a.kind !== "const" || of.test.fn !== "gt") return false;
  return of.a.value <= 0 && of.test.b.kind === "const" && of.test.b.value <= 0 && of.test.a === of.b;
}

/** |of|, which is y where `of` is `-y` for a y that is never below 0. */
export function sizeOf(of: Num): Num {
  return of.kind === "unary" && of.fn === "neg" && isNeverNegative(of.x) ? of.x : abs(of);
}

/** Whether it is `|x|`, or `|x| > c ? c : |x|`. */
function isNeverNegative(of: Num): boolean {
  if (of.kind === "unary") return of.fn === "abs";
  return of.kind === "where" && of.a.kind === "const" && of.a.value >= 0 && isNeverNegative(of.b);
}
