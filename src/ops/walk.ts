/** @file Walking an expression in order, without recursion: a chain of thousands of ops is thousands of levels deep. */
import type { Mask, Num } from "./expr.ts";

/** Any node of an expression. */
export type Expr = Num | Mask;

/** The nodes that a node reads, from left to right. */
export function operands(node: Expr): readonly Expr[] {
  switch (node.kind) {
    case "const":
    case "input":
    case "param":
    case "rowLength":
      return [];
    case "unary":
    case "reduce":
      return [node.x];
    case "binary":
    case "compare":
      return [node.a, node.b];
    case "fma":
      return [node.a, node.b, node.c];
    case "where":
      return [node.test, node.a, node.b];
  }
}

/**
 * Every node of `roots`, once: operands before the nodes that read them, left before right, the last root last.
 *
 * A node is known by its identity, so a subtree that stands at two places as one object is listed once.
 */
export function postorder(...roots: readonly Expr[]): Expr[] {
  return postorderTo(roots, () => false);
}

/** The same, but nothing below a node that is `isLeaf`. */
export function postorderTo(roots: readonly Expr[], isLeaf: (node: Expr) => boolean): Expr[] {
  const order: Expr[] = [];
  const entered = new Set<Expr>();
  const listed = new Set<Expr>();
  const stack: Expr[] = roots.toReversed();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    if (!entered.has(node)) {
      entered.add(node);
      const below = isLeaf(node) ? [] : operands(node);
      for (let i = below.length - 1; i >= 0; i--) stack.push(below[i]!);
      continue;
    }
    stack.pop();
    if (listed.has(node)) continue;
    listed.add(node);
    order.push(node);
  }
  return order;
}
