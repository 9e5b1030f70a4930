/**
 * @file The backward program of an op whose input is gone: it was computed in place, and only its output is left.
 *
 * The input, or one that has the same gradient, is written in terms of the output and put in its place; the rules do the
 * rest. PyTorch does the same for its in-place activations (torch/nn/functional.py, `inplace=True`), and gives wrong
 * gradients for a slope below 0, which `leaky_relu_backward` refuses for that reason.
 */
import { UsageError } from "../errors.ts";
import { backward } from "./backward.ts";
import type { BoundOp } from "./definition.ts";
import { div, gt, le, type Num, param, where } from "./expr.ts";
import { formatNumber } from "./formula.ts";
import type { Program } from "./program.ts";

/** By op: x, for its output y. Of x <= 0 relu leaves nothing, but there its gradient is 0 everywhere, so any will do. */
const INPUTS: Readonly<Record<string, (y: Num) => Num>> = {
  leaky_relu: (y) => where(gt(y, 0), y, div(y, param("leaky_relu.alpha"))),
  prelu: (y) => where(gt(y, 0), y, div(y, param("prelu.alpha"))),
  relu: (y) => where(le(y, 0), -1, y),
};

const remedy = "Keep the input of the ops, and leave out --from-output (in the API: fromOutput).";

/**
 * As `backward`, but `input(0)` is the output of the op.
 *
 * @throws UsageError where the output does not tell: a chain, an op that is not in the table, a slope that is not above 0
 */
export function backwardFromOutput(chain: readonly BoundOp[]): Program {
  const [only, ...rest] = chain;
  if (only === undefined || rest.length > 0) {
    throw new UsageError("Of a chain of ops, the output does not tell what went into each", { remedy });
  }
  const { op, values } = only;
  const inputOf = Object.hasOwn(INPUTS, op.name) ? INPUTS[op.name] : undefined;
  if (!inputOf) {
    throw new UsageError(
      `The output of ${op.name} does not tell its input; that of ${Object.keys(INPUTS).join(", ")} does`,
      { remedy },
    );
  }
  const slope = values.alpha ?? 1;
  const wrong = (typeof slope === "number" ? [slope] : slope).find((each) => !(each > 0));
  if (wrong !== undefined) {
    throw new UsageError(
      `alpha is ${formatNumber(wrong)}, so the sign of x cannot be told from the output of ${op.name}`,
      { remedy },
    );
  }
  return backward(chain, inputOf);
}
