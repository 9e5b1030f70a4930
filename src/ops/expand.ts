/**
 * @file Functions become arithmetic: what every backend computes in place of `exp(x)` or `tanh(x)`.
 *
 * All of them compute in float64, from the expressions of `functions/`; so the JavaScript evaluation and the SIMD
 * kernels take the same steps, and give the same bits.
 */
import type { Num, Transcendental } from "./expr.ts";
import { functions, pow } from "./functions/index.ts";
import { Interner } from "./intern.ts";
import { rewrite } from "./rewrite.ts";

/**
 * How exact an expansion is.
 * - `single`: relative error below 2^-30, of the normal tail 2^-27.5, so that a result rounded to float32 is off by little
 *   more than half a unit in the last place; of fused multiply-adds;
 * - `double`: about one unit in the last place of float64.
 */
export type Precision = "single" | "double";

/** `output` without functions, and with equal parts shared. */
export function expand(output: Num, precision: Precision): Num {
  const expanded = rewrite(output, (node) => {
    if (node.kind === "binary" && node.fn === "pow") return pow(node.a, node.b, precision);
    if (node.kind !== "unary") return node;
    if (node.fn === "detach") return node.x;
    return isTranscendental(node.fn) ? functions[node.fn](node.x, precision) : node;
  });
  return new Interner().copy(expanded, (leaf) => leaf);
}

export function isTranscendental(fn: string): fn is Transcendental {
  return Object.hasOwn(functions, fn);
}
