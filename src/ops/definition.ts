/** @file What an op is: a named expression over `x`, its parameters, and what people should know about it. */
import { UsageError } from "../errors.ts";
import { constant, type Input, type Mask, type Num, type Operand, type Param, param, x } from "./expr.ts";
import { formatNumber, formulaOf, quote } from "./formula.ts";
import { type Expr, operands } from "./walk.ts";

/** One parameter of an op. */
export interface ParamSpec<Name extends string = string> {
  readonly name: Name;
  /** Left out: the parameter is required. */
  readonly default?: number;
  /** May also be a list, with one value per channel of the tensor's last axis, or of the `channelAxis`. */
  readonly perChannel?: boolean;
  /**
   * It says on which axis of the tensor the channels of the others lie: a whole number, counted from the end where it is
   * negative. It stands in no expression, and has no gradient.
   */
  readonly channelAxis?: boolean;
  /** Infinities are refused: the op would turn zeros into NaN. */
  readonly finite?: boolean;
  /** 0 is refused: the op divides by it. */
  readonly nonZero?: boolean;
  /** Numbers below 0 are refused. */
  readonly notNegative?: boolean;
  /** Its value must not be below the value of the parameter named here. */
  readonly notBelow?: string;
  readonly about: string;
  /** What other libraries call it. Error messages know these names; chains do not. */
  readonly aliases?: readonly string[];
}

/** An op, as pure data: what `sluice ops` prints, and what a chain binds values to. */
export interface OpDefinition<Name extends string = string> {
  readonly name: string;
  /** What other libraries call it. Error messages know these names; chains do not. */
  readonly aliases: readonly string[];
  /** In the order in which a chain gives them without names. */
  readonly params: readonly ParamSpec<Name>[];
  /** Of `input(0)`, which is x, and of a `param` for each of `params`. */
  readonly expression: Num;
  readonly summary: string;
  /** The expression as people write it. */
  readonly formula: string;
  /** The derivative as people write it, by x and by each parameter: `x > 0 ? 1 : alpha; by alpha: x > 0 ? 0 : x`. */
  readonly gradient: string;
  /** How far results may be from the true value, in units in the last place. */
  readonly accuracy: string;
  /** For which x the result is a number, and what happens at NaN and the infinities. */
  readonly domain: string;
  /** Whose semantics it follows: framework, function and file. */
  readonly source: string;
}

/** A parameter's value: one number, or one per channel. */
export type ParamValue = number | readonly number[];

/** An op with a value for every parameter: a link of a chain. Made by `bind` and `parseChain`, which check it. */
export interface BoundOp {
  readonly op: OpDefinition;
  readonly values: Readonly<Record<string, ParamValue>>;
}

/** What a definition says of one parameter: its default, or more. */
export type ParamOptions = number | (Omit<ParamSpec, "name" | "about"> & { readonly about?: string });

/** What a definition says beside name, parameters and expression. */
export type About = Partial<Omit<OpDefinition, "name" | "params" | "expression">>;

/** The parameters of an op as the expressions that stand for them. */
export type Params<Options> = { readonly [Name in keyof Options & string]: Param };

/**
 * An op from its parts, unknown to chains: to register it is up to `defineOp`.
 *
 * @throws UsageError where `build` gives no expression of x and the parameters.
 */
export function createOp<const Options extends Readonly<Record<string, ParamOptions>>>(
  name: string,
  options: Options,
  build: (x: Input, params: Params<Options>) => Operand,
  about: About = {},
): OpDefinition<keyof Options & string> {
  const names = Object.keys(options) as (keyof Options & string)[];
  const params = names.map((each): ParamSpec<keyof Options & string> => {
    const given: ParamOptions = options[each]!;
    return typeof given === "number"
      ? { name: each, default: given, about: "" }
      : { about: "", ...given, name: each };
  });
  const inExpression = params.filter((spec) => !spec.channelAxis).map((spec) => spec.name);
  const nodes = Object.fromEntries(inExpression.map((each) => [each, param(each)])) as Params<Options>;
  const built = build(x, nodes);
  const expression = typeof built === "number" ? constant(built) : built;
  const problem = problemWith(expression, inExpression);
  if (problem !== undefined) {
    throw new UsageError(`the expression of ${name} ${problem}`, {
      remedy: "Build it from x, the parameters and functions such as where(gt(x, 0), x, 0).",
    });
  }
  return {
    name,
    aliases: about.aliases ?? [],
    params,
    expression,
    summary: about.summary ?? "",
    formula: about.formula ?? formulaOf(expression),
    gradient: about.gradient ?? "",
    accuracy: about.accuracy ?? "",
    domain: about.domain ?? "",
    source: about.source ?? "",
  };
}

/** Plain JavaScript can hand over anything as an expression: find it here rather than in a kernel. */
function problemWith(expression: unknown, params: readonly string[]): string | undefined {
  if (!isNumber(expression)) return "is not a number for each x";
  const seen = new Set<unknown>();
  const toSee: Expr[] = [expression];
  for (let node = toSee.pop(); node !== undefined; node = toSee.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === "input" && node.index !== 0)
      return `reads input ${node.index}; an op has the one input x`;
    if (node.kind === "param" && !params.includes(node.name)) {
      return `uses the parameter ${quote(node.name)}, which it does not declare`;
    }
    for (const [i, operand] of operands(node).entries()) {
      const fits = node.kind === "where" && i === 0 ? isTruthValue(operand) : isNumber(operand);
      if (!fits) return `has a part of the wrong kind in ${node.kind}`;
      toSee.push(operand);
    }
  }
  return undefined;
}

const kindOf = (node: unknown): unknown => (node as { kind?: unknown } | null | undefined)?.kind;
const isTruthValue = (node: unknown): node is Mask => kindOf(node) === "compare";
const isNumber = (node: unknown): node is Num =>
  ["const", "input", "param", "rowLength", "unary", "binary", "where", "reduce"].includes(
    kindOf(node) as string,
  );

/** How a chain names an op and its parameters: `leaky_relu(alpha=0.01)`, `threshold(threshold, value)`, `relu`. */
export function signatureOf(op: OpDefinition): string {
  if (op.params.length === 0) return op.name;
  const params = op.params.map((spec) =>
    spec.default === undefined ? spec.name : `${spec.name}=${formatNumber(spec.default)}`,
  );
  return `${op.name}(${params.join(", ")})`;
}
