/**
 * @file What tensors begin with: weights by He or by Xavier Glorot, as the activation behind them asks for, so that signals
 * neither fade nor grow from layer to layer.
 *
 * He et al. 2015 (arXiv 1502.01852): variance `gain^2 / fan_in`, with gain `sqrt(2 / (1 + alpha^2))` for a leaky ReLU of
 * slope alpha. A ReLU has slope 0, and where nothing follows the slope is 1. Glorot and Bengio 2010: variance
 * `2 / (fan_in + fan_out)`, for activations with two bounds.
 */
import type { ParamValue } from "../ops/definition.ts";
import { formatNumber } from "../ops/formula.ts";
import { type Init, type LayerSpec, nameOf, type OpLayer } from "./layers.ts";
import { type Layer, type Network, sizeOf, type TensorSpec } from "./network.ts";
import { keyOf, normalAt } from "./random.ts";

/** Mean and standard deviation of each feature, for `standardize`. */
export interface FeatureStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

export interface Initialised {
  /** By name, in the order of the layers. */
  readonly tensors: Map<string, Float32Array>;
  /** A sentence for each layer with weights: `0 dense: He for slope 0.01, deviation 0.0505`. */
  readonly choices: readonly string[];
}

/**
 * Initial values: weights are normally distributed, biases 0, norms the identity, slopes as their op says.
 *
 * The same seed gives the same values. Each tensor has random numbers of its own: a layer more changes no other's.
 */
export function initialise(network: Network, seed: number, statistics?: FeatureStatistics): Initialised {
  const tensors = new Map<string, Float32Array>();
  const choices: string[] = [];
  for (const layer of network.layers) {
    for (const [i, tensor] of layer.tensors.entries()) {
      const values = new Float32Array(sizeOf(tensor.shape));
      tensors.set(tensor.name, values);
      if (isWeight(layer.spec) && tensor.shape.length > 1) {
        const { text, deviation } = choose(network, layer, tensor);
        choices.push(
          `${layer.index} ${nameOf(layer.spec)}: ${text}, deviation ${formatNumber(short(deviation))}`,
        );
        const key = keyOf(seed, INITIAL, layer.index, i);
        for (let at = 0; at < values.length; at++) values[at] = deviation * normalAt(key, at);
      } else fill(values, layer.spec, tensor, statistics);
    }
  }
  return { tensors, choices };
}

/** Keeps these random numbers apart from those of orders and of dropout. */
const INITIAL = 0x1717;

const isWeight = ({ kind }: LayerSpec): boolean => kind === "dense" || kind === "conv2d";

const short = (value: number): number => Number(value.toPrecision(3));

function fill(
  values: Float32Array,
  spec: LayerSpec,
  { name }: TensorSpec,
  statistics: FeatureStatistics | undefined,
): void {
  const own = name.slice(name.indexOf(".") + 1);
  if (spec.kind === "op") {
    const param = own === "weight" && spec.op.op.name === "prelu" ? "alpha" : own;
    const value = spec.op.values[param]!;
    if (typeof value === "number") values.fill(value);
    else values.set(value);
  } else if (spec.kind === "standardize") {
    if (statistics) values.set(own === "mean" ? statistics.mean : statistics.deviation);
    else values.fill(own === "mean" ? 0 : 1);
  } else values.fill(own === "weight" || own === "running_var" ? 1 : 0);
}

interface Choice {
  readonly text: string;
  readonly deviation: number;
}

/** The weight is [out, in] or [out, in, height, width]. */
function choose(network: Network, layer: Layer, { shape }: TensorSpec): Choice {
  const place = sizeOf(shape.slice(2));
  const [fanOut, fanIn] = [shape[0]! * place, shape[1]! * place];
  const next = activationBehind(network, layer.index);
  const given = "init" in layer.spec ? layer.spec.init : undefined;
  const kind: Init = given ?? (next && BOUNDED.has(next.op.op.name) ? "xavier" : "he");
  if (typeof kind === "object") return { text: "as given", deviation: kind.std };
  if (kind === "xavier") {
    const why = given ? "" : ` for ${next!.op.op.name}`;
    return { text: `Xavier${why}`, deviation: Math.sqrt(2 / (fanIn + fanOut)) };
  }
  const square = next ? squaredSlope(next) : 1;
  const slope = next ? formatNumber(short(Math.sqrt(square))) : "1, as nothing follows";
  return { text: `He for slope ${slope}`, deviation: Math.sqrt(2 / (1 + square) / fanIn) };
}

/** Ops with two bounds. */
const BOUNDED: ReadonlySet<string> = new Set([
  "sigmoid",
  "tanh",
  "hard_sigmoid",
  "hard_tanh",
  "softsign",
  "clamp",
  "erf",
  "sin",
  "cos",
  "softmax",
]);
/** Ops that scale or move, but bend nothing: what bends comes behind them. */
const STRAIGHT: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "neg", "log_softmax"]);

/** The op that bends what the layer gives, before another layer with weights. */
function activationBehind({ layers }: Network, index: number): OpLayer | undefined {
  for (const { spec } of layers.slice(index + 1)) {
    if (isWeight(spec)) return undefined;
    if (spec.kind === "op" && !STRAIGHT.has(spec.op.op.name)) return spec;
  }
  return undefined;
}

/** Of the op's left side, squared; the mean where channels have one each. Smooth ops count as the ReLU that they round. */
function squaredSlope({ op: { op, values } }: OpLayer): number {
  const mean = (value: ParamValue): number =>
    typeof value === "number" ? value ** 2 : value.reduce((sum, each) => sum + each ** 2, 0) / value.length;
  switch (op.name) {
    case "leaky_relu":
    case "prelu":
      return mean(values.alpha!);
    case "rrelu":
      return (((values.lower as number) + (values.upper as number)) / 2) ** 2;
    // The identity but for a piece; |x|; and SELU, which is made for a variance of 1 / fan_in (arXiv 1706.02515).
    case "softshrink":
    case "hardshrink":
    case "tanhshrink":
    case "abs":
    case "selu":
      return 1;
    default:
      return 0;
  }
}
