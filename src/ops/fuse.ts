/**
 * @file A chain of ops as one program: each op's x is the output of the op before it.
 *
 * Nothing is simplified: `x + 0` is not x (at -0), and every step must round as it would alone. So a fused chain gives
 * the bits that its ops give one after another, except in float16, which is rounded once at the end of the chain.
 */
import { UsageError } from "../errors.ts";
import type { BoundOp } from "./definition.ts";
import { constant, input, type Num, x } from "./expr.ts";
import { formatNumber } from "./formula.ts";
import { Interner, type Leaf, lineOf } from "./intern.ts";
import type { ChannelParameter, Program } from "./program.ts";
import { type Expr, postorder } from "./walk.ts";

/**
 * Fuses a chain into a program.
 *
 * Parameters with one value become constants. One with a list becomes an input, called `prelu.alpha`; in the second and
 * third prelu of the chain `prelu#2.alpha` and `prelu#3.alpha`, whether or not the first one has a list.
 *
 * @throws UsageError for an empty chain, and for lists of different lengths: all are for the same last axis.
 */
export function fuse(chain: readonly BoundOp[]): Program {
  if (chain.length === 0) {
    throw new UsageError("the chain has no ops", {
      remedy: 'Name at least one, as in "leaky_relu(alpha=0.1)".',
    });
  }
  const nodes = new Interner();
  const channels: ChannelParameter[] = [];
  const seen = new Map<string, number>();
  let output: Num = nodes.copy(x, (leaf) => leaf);
  for (const { op, values } of chain) {
    const nth = (seen.get(op.name) ?? 0) + 1;
    seen.set(op.name, nth);
    const params = new Map<string, Num>();
    for (const { name } of op.params) {
      const value = values[name]!;
      if (typeof value === "number") {
        params.set(name, constant(value));
      } else {
        channels.push({ name: `${op.name}${nth === 1 ? "" : `#${nth}`}.${name}`, values: value });
        params.set(name, input(channels.length));
      }
    }
    const before = output;
    const replace = (leaf: Leaf): Num =>
      leaf.kind === "input" ? before : leaf.kind === "param" ? params.get(leaf.name)! : leaf;
    output = nodes.copy(op.expression, replace);
  }
  checkLengths(channels);
  return { key: keyOf(output, channels.length), output, channels };
}

/**
 * A program from an expression of your own: `input(0)` is x, `input(1 + c)` is `channels[c]`.
 *
 * @throws UsageError where the expression has a parameter left in it, or reads an input that is not there.
 */
export function toProgram(expression: Num, channels: readonly ChannelParameter[] = []): Program {
  const output = new Interner().copy(expression, (leaf) => {
    if (leaf.kind === "param") throw new UsageError(`the parameter ${leaf.name} has no value`);
    if (leaf.kind === "input" && !(leaf.index >= 0 && leaf.index <= channels.length)) {
      throw new UsageError(`the expression reads input ${leaf.index} of ${1 + channels.length}`);
    }
    return leaf;
  });
  checkLengths(channels);
  return { key: keyOf(output, channels.length), output, channels };
}

/** A chain as text that `parseChain` reads back: `leaky_relu(alpha=0.1) | mul(c=2)`. */
export function describeChain(chain: readonly BoundOp[]): string {
  return chain
    .map(({ op, values }) => {
      if (op.params.length === 0) return op.name;
      const texts = op.params.map(({ name }) => {
        const value = values[name]!;
        const text =
          typeof value === "number" ? formatNumber(value) : `[${value.map(formatNumber).join(", ")}]`;
        return `${name}=${text}`;
      });
      return `${op.name}(${texts.join(", ")})`;
    })
    .join(" | ");
}

/**
 * The nodes in order, one a line, each naming its operands by line number; in front the number of inputs.
 *
 * `where(gt(x, 0), x, mul(0.1, x))` is `1 input: x0; 0; gt 0 1; 0.1; mul 3 0; where 2 0 4`. The order follows from the
 * expression alone, so equal programs have equal keys.
 */
function keyOf(output: Num, channels: number): string {
  const numbers = new Map<Expr, number>();
  const lines = postorder(output).map((node) => {
    numbers.set(node, numbers.size);
    return lineOf(node, (operand) => numbers.get(operand)!);
  });
  return `${1 + channels} ${channels === 0 ? "input" : "inputs"}: ${lines.join("; ")}`;
}

function checkLengths(channels: readonly ChannelParameter[]): void {
  const [first] = channels;
  const other = channels.find(({ values }) => values.length !== first!.values.length);
  if (first === undefined || other === undefined) return;
  throw new UsageError(
    `${first.name} has ${first.values.length} values, but ${other.name} has ${other.values.length}`,
    { remedy: "Give each one value per channel of the tensor's last axis." },
  );
}
