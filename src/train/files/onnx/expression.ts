/**
 * @file Any expression as ONNX nodes, in float32, so that every op of the catalog and every op of a user can be exported.
 *
 * Sluice computes functions in float64 and rounds once. Here each step rounds, so functions that ONNX lacks are written
 * in forms that keep their digits in float32, too.
 */
import { UnsupportedError } from "../../../errors.ts";
import type { Comparison, Num, UnaryFn } from "../../../ops/expr.ts";
import { type Expr, operands, postorder } from "../../../ops/walk.ts";
import type { GraphBuilder, Value } from "./graph.ts";

/**
 * The value of an expression that is settled (`ops/settle.ts`) and has no parameters left.
 *
 * @param inputs values for `input(0)`, which is x, and those that follow
 * @param rowLength of x's last axis
 * @returns a value of the shape of x
 */
export function writeExpression(
  graph: GraphBuilder,
  expression: Num,
  inputs: readonly Value[],
  rowLength: number,
): Value {
  const values = new Map<Expr, Value>();
  /** What has an element for each element of x. */
  const full = new Set<Expr>();
  for (const node of postorder(expression)) {
    values.set(node, writeNode(graph, node, values, inputs, rowLength));
    const reads = operands(node).some((operand) => full.has(operand));
    if (node.kind === "input" ? node.index === 0 : node.kind !== "reduce" && reads) full.add(node);
  }
  const value = values.get(expression)!;
  return full.has(expression) ? value : graph.add("Expand", [value, graph.add("Shape", [inputs[0]!])]);
}

function writeNode(
  graph: GraphBuilder,
  node: Expr,
  values: ReadonlyMap<Expr, Value>,
  inputs: readonly Value[],
  rowLength: number,
): Value {
  const of = (operand: Expr): Value => values.get(operand)!;
  switch (node.kind) {
    case "const":
      return graph.constant(node.value);
    case "input":
      return inputs[node.index]!;
    case "param":
      throw new TypeError(`The parameter ${node.name} has no value`);
    case "rowLength":
      return graph.constant(rowLength);
    case "unary":
      return unaryWriter(node.fn)(graph, of(node.x));
    case "binary":
      if (node.fn === "derived_as") throw new TypeError("The expression is not settled");
      return graph.add(BINARY[node.fn], [of(node.a), of(node.b)]);
    case "fma":
      throw new TypeError("Functions are not to be expanded here");
    case "compare":
      return compare(graph, node.fn, of(node.a), of(node.b));
    case "where":
      return graph.add("Where", [of(node.test), of(node.a), of(node.b)]);
    case "reduce":
      // Until opset 18, ReduceMax takes its axes as an attribute, and ReduceSum as an input.
      if (node.fn === "max") return graph.add("ReduceMax", [of(node.x)], { axes: [-1], keepdims: 1 });
      return graph.add("ReduceSum", [of(node.x), graph.integers([-1])], { keepdims: 1 });
  }
}

const BINARY = {
  ...{ add: "Add", sub: "Sub", mul: "Mul", div: "Div" },
  ...{ min: "Min", max: "Max", pow: "Pow" },
} as const;

const COMPARE: Readonly<Record<Exclude<Comparison, "ne">, string>> = {
  ...{ lt: "Less", le: "LessOrEqual", gt: "Greater", ge: "GreaterOrEqual", eq: "Equal" },
};

function compare(graph: GraphBuilder, fn: Comparison, a: Value, b: Value): Value {
  if (fn === "ne") return graph.add("Not", [graph.add("Equal", [a, b])]);
  return graph.add(COMPARE[fn], [a, b]);
}

type UnaryWriter = (graph: GraphBuilder, x: Value) => Value;

const single =
  (type: string): UnaryWriter =>
  (graph, x) =>
    graph.add(type, [x]);

function unaryWriter(fn: UnaryFn): UnaryWriter {
  const writer = UNARY[fn];
  if (writer) return writer;
  throw new UnsupportedError(`ONNX has nothing for ${fn}, which works on the bits of a number`);
}

const UNARY: Readonly<Partial<Record<UnaryFn, UnaryWriter>>> = {
  neg: single("Neg"),
  abs: single("Abs"),
  sqrt: single("Sqrt"),
  floor: single("Floor"),
  ceil: single("Ceil"),
  // ONNX, too, rounds halves to the even neighbour.
  round: single("Round"),
  exp: single("Exp"),
  log: single("Log"),
  sigmoid: single("Sigmoid"),
  softplus: single("Softplus"),
  tanh: single("Tanh"),
  erf: single("Erf"),
  sin: single("Sin"),
  cos: single("Cos"),
  detach: (_, x) => x,
  rsqrt: (graph, x) => graph.add("Reciprocal", [graph.add("Sqrt", [x])]),
  gaussian: (graph, x) => {
    const square = graph.add("Mul", [x, x]);
    return graph.add("Exp", [graph.add("Mul", [square, graph.constant(-0.5)])]);
  },
  normal_cdf: (graph, x) => {
    const error = graph.add("Erf", [graph.add("Mul", [x, graph.constant(Math.SQRT1_2)])]);
    return graph.add("Mul", [graph.add("Add", [error, graph.constant(1)]), graph.constant(0.5)]);
  },
  // tanh(x / 2) * (exp(x) + 1): exp(x) - 1 would lose what is near 0.
  expm1: (graph, x) => {
    const half = graph.add("Tanh", [graph.add("Mul", [x, graph.constant(0.5)])]);
    return graph.add("Mul", [half, graph.add("Add", [graph.add("Exp", [x]), graph.constant(1)])]);
  },
  // Near 0, log(u) * x / (u - 1) for u = 1 + x as it is rounded (Kahan; Goldberg 1991, theorem 4).
  log1p: (graph, x) => {
    const one = graph.constant(1);
    const u = graph.add("Add", [x, one]);
    const log = graph.add("Log", [u]);
    const product = graph.add("Mul", [log, x]);
    const kept = graph.add("Div", [product, graph.add("Sub", [u, one])]);
    const near = graph.add("Where", [graph.add("Equal", [u, one]), x, kept]);
    const isNear = graph.add("Less", [graph.add("Abs", [x]), graph.constant(0.5)]);
    return graph.add("Where", [isNear, near, log]);
  },
};
