/**
 * @file A chain of ops as one program: each op's x is the output of the op before it.
 *
 * Nothing is simplified: `x + 0` is not x (at -0), and every step must round as it would alone. So a fused chain gives
 * the bits that its ops give one after another, except in float16, which is rounded once at the end of the chain.
 */
import { UsageError } from "../errors.ts";
import type { BoundOp, OpDefinition, ParamValue } from "./definition.ts";
import { constant, input, type Num, type Param, param, x } from "./expr.ts";
import { formatNumber } from "./formula.ts";
import { Interner, type Leaf, lineOf } from "./intern.ts";
import { type ChannelParameter, LAST_AXIS, type Program } from "./program.ts";
import { settle } from "./settle.ts";
import { type Expr, postorder } from "./walk.ts";

/** A parameter of a chain, as it stands in the chain's expression. */
export interface ChainParam {
  /** `prelu.alpha`; in the second and third prelu of a chain `prelu#2.alpha` and `prelu#3.alpha`. */
  readonly name: string;
  readonly leaf: Param;
  readonly value: ParamValue;
  /** Of the tensor, on which the channels lie where the value is a list. */
  readonly axis: number;
}

/** A chain as one expression of `x` and of all its parameters. */
export interface ChainExpression {
  readonly expression: Num;
  readonly x: Num;
  readonly params: readonly ChainParam[];
}

/** @throws UsageError for an empty chain */
export function chainExpression(chain: readonly BoundOp[]): ChainExpression {
  if (chain.length === 0) {
    throw new UsageError("the chain has no ops", {
      remedy: 'Name at least one, as in "leaky_relu(alpha=0.1)".',
    });
  }
  const nodes = new Interner();
  const own = (expression: Num): Num => nodes.copy(expression, (leaf) => leaf);
  const params: ChainParam[] = [];
  const seen = new Map<string, number>();
  const start = own(x);
  let expression = start;
  for (const { op, values } of chain) {
    const nth = (seen.get(op.name) ?? 0) + 1;
    seen.set(op.name, nth);
    const leaves = new Map<string, Num>();
    const axis = axisOf(op, values);
    for (const { name, channelAxis } of op.params) {
      if (channelAxis) continue;
      const leaf = param(`${op.name}${nth === 1 ? "" : `#${nth}`}.${name}`);
      params.push({ name: leaf.name, leaf: own(leaf) as Param, value: values[name]!, axis });
      leaves.set(name, leaf);
    }
    const before = expression;
    const replace = (leaf: Leaf): Num =>
      leaf.kind === "input" ? before : leaf.kind === "param" ? leaves.get(leaf.name)! : leaf;
    expression = nodes.copy(op.expression, replace);
  }
  return { expression, x: start, params };
}

/** The axis that the op's lists are for; the last one, where it does not say. */
function axisOf(op: OpDefinition, values: BoundOp["values"]): number {
  const spec = op.params.find(({ channelAxis }) => channelAxis);
  return spec ? (values[spec.name] as number) : LAST_AXIS;
}

/**
 * Fuses a chain into its forward program.
 *
 * Parameters with one value become constants, and those with a list become inputs.
 *
 * @throws UsageError for an empty chain, and for lists of different lengths: and for different axes.
 */
export function fuse(chain: readonly BoundOp[]): Program {
  const { expression, params } = chainExpression(chain);
  return link({ inputs: 1, target: 0, output: expression, sums: [], params, precise: false });
}

/** A program whose parameters are not settled yet. */
interface Unlinked extends Omit<Program, "key" | "channels"> {
  readonly params: readonly ChainParam[];
}

/** Puts values in the places of parameters, and shares what is equal. */
export function link({ params, ...unlinked }: Unlinked): Program {
  const channels: ChannelParameter[] = [];
  const settled = new Map<string, Num>();
  for (const { name, value, axis } of params) {
    if (typeof value === "number") settled.set(name, constant(value));
    else settled.set(name, input(unlinked.inputs - 1 + channels.push({ name, values: value, axis })));
  }
  checkChannels(channels);
  const nodes = new Interner();
  const withValues = (expression: Num): Num => {
    const complete = nodes.copy(expression, (leaf) =>
      leaf.kind === "param" ? settled.get(leaf.name)! : leaf,
    );
    return nodes.copy(settle(complete), (leaf) => leaf);
  };
  const output = withValues(unlinked.output);
  const sums = unlinked.sums.map((sum) => ({ ...sum, term: withValues(sum.term) }));
  const program = { ...unlinked, output, sums, channels };
  return { ...program, key: keyOf(program) };
}

/**
 * A forward program from an expression of your own: `input(0)` is x, `input(1 + c)` is `channels[c]`.
 *
 * @throws UsageError where the expression has a parameter left in it, or reads an input that is not there.
 */
export function toProgram(expression: Num, channels: readonly ChannelParameter[] = []): Program {
  const output = new Interner().copy(settle(expression), (leaf) => {
    if (leaf.kind === "param") throw new UsageError(`the parameter ${leaf.name} has no value`);
    if (leaf.kind === "input" && !(leaf.index >= 0 && leaf.index <= channels.length)) {
      throw new UsageError(`the expression reads input ${leaf.index} of ${1 + channels.length}`);
    }
    return leaf;
  });
  checkChannels(channels);
  const program = { inputs: 1, target: 0, output, channels, sums: [], precise: false };
  return { ...program, key: keyOf(program) };
}

/** A chain as text that `parseChain` reads back: `leaky_relu(alpha=0.1) | mul(c=2)`. */
export function describeChain(chain: readonly BoundOp[]): string {
  return chain
    .map(({ op, values }) => {
      const told = op.params.filter((spec) => !spec.channelAxis || values[spec.name] !== spec.default);
      if (told.length === 0) return op.name;
      const texts = told.map(({ name }) => {
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
 * expression alone, so equal programs have equal keys. Of a backward program the key also tells which input is replaced,
 * and which lines are the output and the terms.
 */
function keyOf({ inputs, target, output, channels, sums, precise }: Omit<Program, "key">): string {
  const numbers = new Map<Expr, number>();
  const lines = postorder(output, ...sums.map(({ term }) => term)).map((node) => {
    numbers.set(node, numbers.size);
    return lineOf(node, (operand) => numbers.get(operand)!);
  });
  const count = inputs + channels.length;
  const body = `${count} ${count === 1 ? "input" : "inputs"}: ${lines.join("; ")}`;
  if (inputs === 1 && sums.length === 0 && !precise) return body;
  const terms = sums.map(({ term, perChannel }) => `${numbers.get(term)}${perChannel ? " per channel" : ""}`);
  return `${body}; ${numbers.get(output)} to input ${target} of ${inputs}; sums of [${terms.join(", ")}]`;
}

function checkChannels(channels: readonly ChannelParameter[]): void {
  const [first] = channels;
  if (first === undefined) return;
  const axis = first.axis ?? LAST_AXIS;
  for (const other of channels) {
    if (other.values.length !== first.values.length) {
      throw new UsageError(
        `${first.name} has ${first.values.length} values, but ${other.name} has ${other.values.length}`,
        {
          remedy: `Give each one value per channel of ${axis === LAST_AXIS ? "the tensor's last axis" : `axis ${axis}`}.`,
        },
      );
    }
    if ((other.axis ?? LAST_AXIS) !== axis) {
      throw new UsageError(
        `${first.name} is for axis ${axis}, but ${other.name} is for axis ${other.axis ?? LAST_AXIS}`,
        { remedy: "Apply them one after the other: a chain has one axis of channels." },
      );
    }
  }
}
