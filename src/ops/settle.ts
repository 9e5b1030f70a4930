/** @file What is left of an expression to compute, once its derivative is taken and its parameters have values. */
import { type Binary, constant, type Num } from "./expr.ts";
import { rewrite } from "./rewrite.ts";

/**
 * The expression without what only the derivative rules read (`detach`, `derived_as`), and with arithmetic of values
 * alone done: in float64, as frameworks compute with scalars, so that `(lower + upper) / 2` is rounded once where it is
 * used.
 */
export function settle(expression: Num): Num {
  return rewrite(expression, (node) => {
    if (node.kind === "unary" && node.fn === "detach") return node.x;
    if (node.kind === "unary" && node.fn === "neg" && node.x.kind === "const") return constant(-node.x.value);
    if (node.kind !== "binary") return node;
    if (node.fn === "derived_as") return node.a;
    if (node.a.kind !== "const" || node.b.kind !== "const") return node;
    const value = arithmetic(node.fn, node.a.value, node.b.value);
    return value === undefined ? node : constant(value);
  });
}

function arithmetic(fn: Binary["fn"], a: number, b: number): number | undefined {
  switch (fn) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return a / b;
    default:
      return undefined;
  }
}
