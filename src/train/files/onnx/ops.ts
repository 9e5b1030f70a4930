/**
 * @file An op as ONNX: as the standard operator that computes the same, or as its expression.
 *
 * Standard operators are quicker where the model runs, and readable. Where they stand, what happens at the infinities and
 * at NaN is theirs: HardSwish and Softsign, for one, have NaN at infinities, as PyTorch has.
 */
import { constant, input, type Num } from "../../../ops/expr.ts";
import { Interner } from "../../../ops/intern.ts";
import { rewrite } from "../../../ops/rewrite.ts";
import { settle } from "../../../ops/settle.ts";
import type { OpLayer } from "../../layers.ts";
import { channelAxisOf } from "../../network.ts";
import { writeExpression } from "./expression.ts";
import { floatAttribute, type GraphBuilder, type Value } from "./graph.ts";

/** What an op computes on: a value, and the shape of its rows. */
export interface Operand {
  readonly x: Value;
  readonly shape: readonly number[];
}

/** @param learned the values of learned parameters, by their names */
export function writeOp(
  graph: GraphBuilder,
  spec: OpLayer,
  { x, shape }: Operand,
  learned: ReadonlyMap<string, Float32Array>,
): Value {
  const { op, values } = spec.op;
  const params = new Map<string, number | Value>();
  for (const { name, channelAxis } of op.params) {
    const value = learned.get(name) ?? values[name]!;
    if (typeof value === "number" || channelAxis) params.set(name, value as number);
    else params.set(name, channelTensor(graph, spec, shape, name, Float32Array.from(value)));
  }
  const standard = STANDARD[op.name];
  const written = standard?.(graph, x, (name) => params.get(name)!);
  return written ?? writeExpression(graph, ...expressionOf(op.expression, x, params), shape.at(-1)!);
}

/** A parameter with one value, or one for each channel, shaped so that it spreads over the rows. */
function channelTensor(
  graph: GraphBuilder,
  spec: OpLayer,
  shape: readonly number[],
  name: string,
  values: Float32Array,
): Value {
  const index = graph.layer;
  const after = values.length === 1 ? 0 : shape.length - 1 - channelAxisOf(spec, shape);
  return graph.tensor(`${index}.${name}`, [values.length, ...new Array<number>(after).fill(1)], values);
}

/** The expression with constants and inputs in the places of its parameters, and the values of the inputs. */
function expressionOf(
  expression: Num,
  x: Value,
  params: ReadonlyMap<string, number | Value>,
): [Num, readonly Value[]] {
  const inputs = [x];
  const known = new Map<string, Num>();
  for (const [name, value] of params) {
    known.set(name, typeof value === "number" ? constant(value) : input(inputs.push(value) - 1));
  }
  const complete = rewrite(expression, (node) => (node.kind === "param" ? known.get(node.name)! : node));
  return [new Interner().copy(settle(complete), (leaf) => leaf), inputs];
}

type Param = (name: string) => number | Value;
/** The standard operators for x; undefined where the parameters do not allow it. */
type Standard = (graph: GraphBuilder, x: Value, param: Param) => Value | undefined;

/** An operator whose attributes are constants. */
const operator =
  (
    type: string,
    attributes: (param: Param) => Readonly<Record<string, number | Value>> = () => ({}),
  ): Standard =>
  (graph, x, param) => {
    const entries = Object.entries(attributes(param));
    if (!entries.every((entry): entry is [string, number] => typeof entry[1] === "number")) return undefined;
    return graph.add(
      type,
      [x],
      Object.fromEntries(entries.map(([name, value]) => [name, floatAttribute(value)])),
    );
  };

const alpha = (param: Param) => ({ alpha: param("alpha") });

const clip =
  (bounds: (param: Param) => readonly (number | Value)[]): Standard =>
  (graph, x, param) => {
    const values = bounds(param);
    if (!values.every((value) => typeof value === "number")) return undefined;
    return graph.add("Clip", [x, ...values.map((value) => graph.constant(value))]);
  };

const alongRows =
  (type: string): Standard =>
  (graph, x) =>
    graph.add(type, [x], { axis: -1 });

const STANDARD: Readonly<Record<string, Standard>> = {
  relu: operator("Relu"),
  leaky_relu: (graph, x, param) => {
    const slope = param("alpha");
    return typeof slope === "number"
      ? operator("LeakyRelu", alpha)(graph, x, param)
      : graph.add("PRelu", [x, slope]);
  },
  prelu: (graph, x, param) => {
    const slope = param("alpha");
    return typeof slope === "number"
      ? operator("LeakyRelu", alpha)(graph, x, param)
      : graph.add("PRelu", [x, slope]);
  },
  relu6: clip(() => [0, 6]),
  hard_tanh: clip((param) => [param("min_val"), param("max_val")]),
  clamp: clip((param) => [param("lo"), param("hi")]),
  sigmoid: operator("Sigmoid"),
  tanh: operator("Tanh"),
  softsign: operator("Softsign"),
  elu: operator("Elu", alpha),
  selu: operator("Selu"),
  celu: operator("Celu", alpha),
  hard_swish: operator("HardSwish"),
  hard_sigmoid: operator("HardSigmoid", () => ({ alpha: 1 / 6, beta: 0.5 })),
  // Above the default threshold of 20 both are x in float32.
  softplus: (graph, x, param) =>
    param("beta") === 1 && (param("threshold") as number) >= 20 ? graph.add("Softplus", [x]) : undefined,
  softmax: alongRows("Softmax"),
  log_softmax: alongRows("LogSoftmax"),
  // As exporters write it, so that runtimes know it again.
  silu: (graph, x) => graph.add("Mul", [x, graph.add("Sigmoid", [x])]),
  gelu: (graph, x) => {
    const error = graph.add("Erf", [graph.add("Div", [x, graph.constant(Math.SQRT2)])]);
    const product = graph.add("Mul", [x, graph.add("Add", [error, graph.constant(1)])]);
    return graph.add("Mul", [product, graph.constant(0.5)]);
  },
};
