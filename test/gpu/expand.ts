/** @file An expression with the GPU's functions in place of their names, to compute it in JavaScript. */

import { functions, pow } from "../../src/gpu/functions/index.ts";
import { isTranscendental } from "../../src/ops/expand.ts";
import type { Num } from "../../src/ops/expr.ts";
import { Interner } from "../../src/ops/intern.ts";
import { rewrite } from "../../src/ops/rewrite.ts";

/** `output` without functions, and with equal parts shared. */
export function expandFloat32(output: Num): Num {
  const expanded = rewrite(output, (node) => {
    if (node.kind === "binary" && node.fn === "pow") return pow(node.a, node.b);
    if (node.kind !== "unary") return node;
    if (node.fn === "detach") return node.x;
    return isTranscendental(node.fn) ? functions[node.fn](node.x) : node;
  });
  return new Interner().copy(expanded, (leaf) => leaf);
}
