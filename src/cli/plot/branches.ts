/**
 * @file Where an expression takes another branch: at its comparisons, and at the functions that hide one.
 *
 * Between two such places it is smooth, so they are all the kinks, jumps and poles that it can have.
 */
import { add, constant, eq, gt, lt, mul, type Num, where } from "../../ops/expr.ts";
import { type Expr, postorder } from "../../ops/walk.ts";

/** An expression that is constant wherever `expression` is smooth. */
export function branchesOf(expression: Num): Num {
  const switches = postorder(expression).flatMap(switchesOf);
  // Weights without a common measure, so that no two combinations of branches have the same sum.
  return switches.reduce<Num>((sum, each, i) => add(sum, mul(Math.sqrt(i + 2), each)), constant(0));
}

const sign = (x: Num): Num => where(gt(x, 0), 1, where(eq(x, 0), 0, -1));

/** Numbers that are constant on each side of what the node decides. */
function switchesOf(node: Expr): Num[] {
  switch (node.kind) {
    case "compare":
      return [where(node, 1, 0)];
    case "unary":
      if (node.fn === "abs") return [sign(node.x)];
      return node.fn === "floor" || node.fn === "ceil" || node.fn === "round" ? [node] : [];
    case "binary":
      if (node.fn === "min" || node.fn === "max") return [where(lt(node.a, node.b), 1, 0)];
      if (node.fn === "div") return [sign(node.b)];
      return node.fn === "pow" ? [sign(node.a)] : [];
    default:
      return [];
  }
}
