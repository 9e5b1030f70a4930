/** @file exp(x) as arithmetic. */

import type { Precision } from "../expand.ts";
import { add, clamp, mul, type Num, pow2, round, sub } from "../expr.ts";

export function exp(x: Num, _precision: Precision): Num {
  const t = clamp(mul(x, Math.LOG2E), -200, 200);
  const n = round(t);
  const f = mul(sub(t, n), Math.LN2);
  let p: Num = add(mul(f, 1 / 720), 1 / 120);
  for (const c of [1 / 24, 1 / 6, 1 / 2, 1, 1]) p = add(mul(p, f), c);
  return mul(p, pow2(n));
}
