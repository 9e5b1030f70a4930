/**
 * @file Equal subtrees become one object, so that a kernel computes each once.
 *
 * Also called hash-consing. It is what keeps a fused chain small: leaky_relu reads its x three times, so a chain of n
 * of them written out as a tree would have 3^n leaves; as shared nodes it has 4n.
 */
import type { Const, Input, Mask, Num, Param, RowLength } from "./expr.ts";
import { formatNumber } from "./formula.ts";
import { type Expr, postorder } from "./walk.ts";

export type Leaf = Const | Input | Param | RowLength;

/** One node as text, its operands by number: `x0`, `0.5`, `$alpha`, `mul 0 1`, `where 2 0 3`. */
export function lineOf(node: Expr, numberOf: (operand: Expr) => number): string {
  switch (node.kind) {
    case "const":
      return formatNumber(node.value);
    case "input":
      return `x${node.index}`;
    case "param":
      return `$${node.name}`;
    case "rowLength":
      return "n";
    case "reduce":
      return `row_${node.fn} ${numberOf(node.x)}`;
    case "unary":
      return `${node.fn} ${numberOf(node.x)}`;
    case "binary":
    case "compare":
      return `${node.fn} ${numberOf(node.a)} ${numberOf(node.b)}`;
    case "fma":
      return `fma ${numberOf(node.a)} ${numberOf(node.b)} ${numberOf(node.c)}`;
    case "where":
      return `where ${numberOf(node.test)} ${numberOf(node.a)} ${numberOf(node.b)}`;
  }
}

/** A set of nodes in which no two are equal. */
export class Interner {
  readonly #byLine = new Map<string, Expr>();
  readonly #numbers = new Map<Expr, number>();

  /** The set's own copy of an expression, with each leaf replaced by what `replace` gives for it. */
  copy(expression: Num, replace: (leaf: Leaf) => Num): Num {
    const nums = new Map<Num, Num>();
    const masks = new Map<Mask, Mask>();
    for (const node of postorder(expression)) {
      switch (node.kind) {
        case "const":
        case "input":
        case "param":
        case "rowLength":
          nums.set(node, this.#only(replace(node)));
          break;
        case "unary":
        case "reduce":
          nums.set(node, this.#only({ ...node, x: nums.get(node.x)! }));
          break;
        case "binary":
          nums.set(node, this.#only({ ...node, a: nums.get(node.a)!, b: nums.get(node.b)! }));
          break;
        case "compare":
          masks.set(node, this.#only({ ...node, a: nums.get(node.a)!, b: nums.get(node.b)! }));
          break;
        case "fma": {
          const copied = { ...node, a: nums.get(node.a)!, b: nums.get(node.b)!, c: nums.get(node.c)! };
          nums.set(node, this.#only(copied));
          break;
        }
        case "where": {
          const copied = { ...node, test: masks.get(node.test)!, a: nums.get(node.a)!, b: nums.get(node.b)! };
          nums.set(node, this.#only(copied));
          break;
        }
      }
    }
    return nums.get(expression)!;
  }

  /** The one node of the set that is equal to `node`, whose operands are of the set. */
  #only<Node extends Expr>(node: Node): Node {
    if (this.#numbers.has(node)) return node;
    const line = lineOf(node, (operand) => this.#numbers.get(operand)!);
    const known = this.#byLine.get(line);
    // Equal lines are equal nodes, so of the same type.
    if (known !== undefined) return known as Node;
    this.#byLine.set(line, node);
    this.#numbers.set(node, this.#numbers.size);
    return node;
  }
}
