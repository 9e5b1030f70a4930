/**
 * @file The backward program of a chain: dy becomes dx, and each parameter gets the terms of its gradient.
 *
 * Rows' sums and maxima stand between elements: each element of a row depends on all of them. So the gradient goes back
 * through them one by one, from the last to the first:
 *
 * ```text
 *   y_i = f(x_i, r)   r = sum_j g(x_j)        dr = sum_i dy_i * df/dr        dx_j = dy_j * df/dx + dr * g'(x_j)
 * ```
 */
import type { BoundOp } from "./definition.ts";
import { orZero, plus, type Tangent } from "./derivatives.ts";
import { constant, div, eq, input, type Num, type Reduce, rowSum, where } from "./expr.ts";
import { chainExpression, link } from "./fuse.ts";
import { Interner } from "./intern.ts";
import type { Program } from "./program.ts";
import { tangent } from "./tangent.ts";
import { postorder } from "./walk.ts";

const dy = input(1);

/**
 * The backward program of a chain: `input(0)` is x, `input(1)` is dy, which dx replaces. Its sums are the gradients of
 * all parameters, in the order of the chain.
 *
 * @param inputOf where `input(0)` is to be something else than x: gives x in terms of that
 * @throws UsageError for an empty chain, and for lists of different lengths
 */
export function backward(chain: readonly BoundOp[], inputOf?: (given: Num) => Num): Program {
  const { expression, x, params } = chainExpression(chain);
  const pulled = pullBack(expression);
  const gradientOf = inputOf ? (leaf: Num) => withInput(pulled(leaf), inputOf(input(0))) : pulled;
  return link({
    inputs: 2,
    target: 1,
    output: gradientOf(x) ?? constant(0),
    sums: params.map(({ name, leaf, value }) => ({
      name,
      term: gradientOf(leaf) ?? constant(0),
      perChannel: typeof value !== "number",
    })),
    params,
    precise: true,
  });
}

function withInput(gradient: Tangent, x: Num): Tangent {
  if (!gradient) return undefined;
  return new Interner().copy(gradient, (leaf) => (leaf.kind === "input" && leaf.index === 0 ? x : leaf));
}

/** The gradient of `output` by any of its leaves, per element, for the upstream gradient `dy`. */
function pullBack(output: Num): (leaf: Num) => Tangent {
  const reduces = postorder(output).filter((node) => node.kind === "reduce");
  /** What each element of the row sends into the reduction's operand. */
  const sent = new Map<Reduce, Num>();
  const through = (node: Num): Tangent => {
    let total = tangent(output, new Map([[node, dy]]));
    for (const [reduce, weight] of sent) total = plus(total, tangent(reduce.x, new Map([[node, weight]])));
    return total;
  };
  for (const reduce of reduces.toReversed()) {
    const change = through(reduce);
    if (change) sent.set(reduce, shareOf(reduce, rowSum(change)));
  }
  return through;
}

/** What one element gets of a change of its row's value: all of it of a sum; of a maximum, if it is the largest, its part. */
function shareOf(reduce: Reduce, change: Num): Num {
  if (reduce.fn === "sum") return change;
  const isLargest = eq(reduce.x, reduce);
  return where(isLargest, div(change, rowSum(where(isLargest, 1, 0))), orZero(undefined));
}
