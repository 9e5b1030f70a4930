/** @file Changing an expression from its leaves up, without recursion. */
import type { Mask, Num } from "./expr.ts";
import { type Expr, postorderTo } from "./walk.ts";

/**
 * `root` with every number in it replaced by what `change` gives for it. `change` gets each node once, after its
 * operands: they are changed already. Nothing is changed below a node for which `leaf` gives another one.
 */
export function rewrite(
  root: Num,
  change: (node: Num) => Num,
  leaf: (node: Num) => Num | undefined = () => undefined,
): Num {
  const leaves = new Map<Expr, Num>();
  const isLeaf = (node: Expr): boolean => {
    const replacement = node.kind === "compare" ? undefined : leaf(node);
    if (replacement) leaves.set(node, replacement);
    return replacement !== undefined;
  };
  const nums = new Map<Num, Num>();
  const masks = new Map<Mask, Mask>();
  for (const node of postorderTo([root], isLeaf)) {
    if (node.kind === "compare") {
      const [a, b] = [nums.get(node.a)!, nums.get(node.b)!];
      masks.set(node, a === node.a && b === node.b ? node : { ...node, a, b });
    } else {
      nums.set(node, leaves.get(node) ?? change(withOperands(node, nums, masks)));
    }
  }
  return nums.get(root)!;
}

/** The node over changed operands; itself where none is changed, so that what is shared stays shared. */
function withOperands(node: Num, nums: ReadonlyMap<Num, Num>, masks: ReadonlyMap<Mask, Mask>): Num {
  switch (node.kind) {
    case "const":
    case "input":
    case "param":
    case "rowLength":
      return node;
    case "unary":
    case "reduce": {
      const x = nums.get(node.x)!;
      return x === node.x ? node : { ...node, x };
    }
    case "binary": {
      const [a, b] = [nums.get(node.a)!, nums.get(node.b)!];
      return a === node.a && b === node.b ? node : { ...node, a, b };
    }
    case "fma": {
      const [a, b, c] = [nums.get(node.a)!, nums.get(node.b)!, nums.get(node.c)!];
      return a === node.a && b === node.b && c === node.c ? node : { ...node, a, b, c };
    }
    case "where": {
      const [test, a, b] = [masks.get(node.test)!, nums.get(node.a)!, nums.get(node.b)!];
      return test === node.test && a === node.a && b === node.b ? node : { ...node, test, a, b };
    }
  }
}
