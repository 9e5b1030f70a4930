/** @file Changing an expression from its leaves up, without recursion. */
import type { Mask, Num } from "./expr.ts";
import { postorder } from "./walk.ts";

/**
 * `root` with every number in it replaced by what `change` gives for it. `change` gets each node once, after its
 * operands: they are changed already.
 */
export function rewrite(root: Num, change: (node: Num) => Num): Num {
  const nums = new Map<Num, Num>();
  const masks = new Map<Mask, Mask>();
  for (const node of postorder(root)) {
    if (node.kind === "compare") {
      const [a, b] = [nums.get(node.a)!, nums.get(node.b)!];
      masks.set(node, a === node.a && b === node.b ? node : { ...node, a, b });
    } else {
      nums.set(node, change(withOperands(node, nums, masks)));
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
    case "where": {
      const [test, a, b] = [masks.get(node.test)!, nums.get(node.a)!, nums.get(node.b)!];
      return test === node.test && a === node.a && b === node.b ? node : { ...node, test, a, b };
    }
  }
}
