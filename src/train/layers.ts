/**
 * @file Layers as plain data, and the functions that make them. What they compute, their shapes and their defaults are those
 * of PyTorch's modules.
 *
 * Shapes below are those of one row; where none is given the layer keeps it. All functions throw UsageError for a number
 * that cannot be; whether the shapes of neighbours fit is known when a training begins.
 *
 * ```ts
 * const model = sequential(layers.flatten(), layers.dense(256), leakyRelu, layers.dropout(0.1), layers.dense(10));
 * const images = sequential(
 *   ...[layers.reshape(1, 28, 28), layers.standardize(), layers.conv2d(8, 3, { padding: 1 }), layers.batchNorm()],
 *   ...[layers.prelu({ each: true }), layers.maxPool(2), layers.avgPool([2, 7]), layers.layerNorm()],
 *   ...[layers.activation(leakyRelu.definition, [{ param: "alpha", channels: "one" }]), layers.dense(10)],
 * );
 * ```
 */
import { UsageError } from "../errors.ts";
import { catalog } from "../ops/catalog/index.ts";
import { type BoundOp, bind, type OpDefinition } from "../ops/op.ts";

/** How weights begin: by He, by Xavier Glorot, or normally distributed with a standard deviation. */
export type Init = "he" | "xavier" | { readonly std: number };

/** A parameter of an op that is learned. */
export interface Learned {
  readonly param: string;
  /** One value for all elements, or one for each channel: for each index of the op's `axis`. */
  readonly channels: "one" | "each";
  /** Where its values stay, whatever the optimiser does. */
  readonly keep?: readonly [least: number, most: number];
}

export type Pair = readonly [height: number, width: number];

export interface Dense {
  readonly kind: "dense";
  readonly units: number;
  readonly bias: boolean;
  readonly init?: Init;
}
/** An op of the catalog; axes of its parameters are those of the batch: 0 is that of the rows, 1 that of the channels. */
export interface OpLayer {
  readonly kind: "op";
  readonly op: BoundOp;
  readonly learned: readonly Learned[];
}
export interface Dropout {
  readonly kind: "dropout";
  readonly rate: number;
}
/** Over the last axis, with a learned weight and bias. */
export interface LayerNorm {
  readonly kind: "layer_norm";
  readonly eps: number;
}
/** Over all but axis 1 of the batch, with a learned weight and bias. */
export interface BatchNorm {
  readonly kind: "batch_norm";
  readonly momentum: number;
  readonly eps: number;
}
/** Each feature with its mean subtracted, divided by its standard deviation; both come from the training data. */
export interface Standardize {
  readonly kind: "standardize";
}
export interface Conv2d {
  readonly kind: "conv2d";
  readonly channels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly bias: boolean;
  readonly init?: Init;
}
export interface Pool {
  readonly kind: "max_pool" | "avg_pool";
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}
export interface Flatten {
  readonly kind: "flatten";
}
/** The shape of one row. */
export interface Reshape {
  readonly kind: "reshape";
  readonly shape: readonly number[];
}

export type LayerSpec =
  | Dense
  | OpLayer
  | Dropout
  | LayerNorm
  | BatchNorm
  | Standardize
  | Conv2d
  | Pool
  | Flatten
  | Reshape;

/** One number for both axes, or one each. */
export type PairInput = number | Pair;

/** `y = x W^T + b`, as `nn.Linear`, on all elements of a row, to [units]: one of several axes is flattened first. */
export function dense(units: number, { bias = true, init }: { bias?: boolean; init?: Init } = {}): Dense {
  checkCount("units of dense", units);
  return { kind: "dense", units, bias, ...checkedInit(init) };
}

/** An op of the catalog, or one of `defineOp`, with its parameters fixed or learned. */
export function activation(op: BoundOp | OpDefinition, learned: readonly Learned[] = []): OpLayer {
  const bound = "values" in op ? op : bind(op);
  for (const { param, channels, keep } of learned) {
    const what = `${param} of ${bound.op.name}`;
    const spec = bound.op.params.find(({ name }) => name === param);
    if (!spec || spec.channelAxis) {
      throw new UsageError(`${what} cannot be learned: it is no parameter with a gradient`);
    }
    if (channels === "each" && !spec.perChannel) {
      throw new UsageError(`${what} cannot have a value for each channel`);
    }
    if (channels === "one" && typeof bound.values[param] !== "number") {
      throw new UsageError(`${what} has a value for each channel, but one is to be learned`);
    }
    if (keep && !(keep[0] <= keep[1])) {
      throw new UsageError(`${what} cannot be kept within [${keep.join(", ")}]`, {
        remedy: "Give the lower bound first.",
      });
    }
  }
  return { kind: "op", op: bound, learned };
}

/** `nn.PReLU`: a leaky ReLU whose slope is learned, one for all or one for each channel. */
export function prelu({ init = 0.25, each = false }: { init?: number; each?: boolean } = {}): OpLayer {
  const op = bind(catalog.prelu, { alpha: init, axis: 1 });
  return activation(op, [{ param: "alpha", channels: each ? "each" : "one" }]);
}

/** Whether an element is dropped is asked of 32 random bits: closer to 1 no rate can be. */
const MOST_DROPPED = 1 - 2 ** -32;

/** Sets each element to 0 with a probability of `rate` while training, and divides the others by `1 - rate`. */
export function dropout(rate = 0.5): Dropout {
  if (!(rate >= 0 && rate <= MOST_DROPPED)) {
    throw new UsageError(`the rate of dropout is ${rate}`, { remedy: "Give a number from 0, below 1." });
  }
  return { kind: "dropout", rate };
}

/** `nn.LayerNorm` over the last axis. */
export function layerNorm({ eps = 1e-5 }: { eps?: number } = {}): LayerNorm {
  checkPositive("eps of layer_norm", eps);
  return { kind: "layer_norm", eps };
}

/** `nn.BatchNorm1d` or `nn.BatchNorm2d`, by the shape of the rows. */
export function batchNorm({
  momentum = 0.1,
  eps = 1e-5,
}: {
  momentum?: number;
  eps?: number;
} = {}): BatchNorm {
  checkPositive("eps of batch_norm", eps);
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new UsageError(`the momentum of batch_norm is ${momentum}`, {
      remedy: "Give a number from 0 to 1: the share of each batch in the running statistics.",
    });
  }
  return { kind: "batch_norm", momentum, eps };
}

/** Each feature less its mean, by its deviation. Comes before all layers that compute, for its statistics are those of the data. */
export function standardize(): Standardize {
  return { kind: "standardize" };
}

/**
 * `nn.Conv2d`, from [channels, height, width] to [`channels`, places down, places across]; rows of [height, width] have one
 * channel. There are `floor((height + 2 * padding - kernel) / stride) + 1` places down, and so on across.
 */
export function conv2d(
  channels: number,
  kernel: PairInput,
  options: { stride?: PairInput; padding?: PairInput; bias?: boolean; init?: Init } = {},
): Conv2d {
  checkCount("channels of conv2d", channels);
  const { stride = 1, padding = 0, bias = true, init } = options;
  return {
    kind: "conv2d",
    channels,
    kernel: pairOf("kernel of conv2d", kernel, 1),
    stride: pairOf("stride of conv2d", stride, 1),
    padding: pairOf("padding of conv2d", padding, 0),
    bias,
    ...checkedInit(init),
  };
}

/** How far apart windows are, left out as far as they are large; and how many places are added at each side. */
export interface PoolOptions {
  readonly stride?: PairInput;
  readonly padding?: PairInput;
}

/** `nn.MaxPool2d`: the largest of each window; the gradient goes to the first of equal ones. Shapes are as of `conv2d`. */
export function maxPool(kernel: PairInput, options: PoolOptions = {}): Pool {
  return pool("max_pool", kernel, options);
}

/** `nn.AvgPool2d`: the mean of each window, in which padding counts as zeros. Shapes are as of `conv2d`. */
export function avgPool(kernel: PairInput, options: PoolOptions = {}): Pool {
  return pool("avg_pool", kernel, options);
}

function pool(kind: Pool["kind"], kernel: PairInput, { stride, padding = 0 }: PoolOptions): Pool {
  const size = pairOf(`kernel of ${kind}`, kernel, 1);
  const around = pairOf(`padding of ${kind}`, padding, 0);
  if (around.some((each, axis) => 2 * each > size[axis]!)) {
    throw new UsageError(`the padding of ${kind} is more than half of its kernel`, {
      remedy: "Give a smaller padding: some windows would hold nothing but padding.",
    });
  }
  return { kind, kernel: size, stride: pairOf(`stride of ${kind}`, stride ?? size, 1), padding: around };
}

/** A row as one axis: [elements]. */
export function flatten(): Flatten {
  return { kind: "flatten" };
}

/** A row's elements in the same order, in another shape. */
export function reshape(...shape: readonly number[]): Reshape {
  for (const length of shape) checkCount("each axis of reshape", length);
  if (shape.length === 0)
    throw new UsageError("reshape needs a shape", { remedy: "Write reshape(1, 28, 28)." });
  return { kind: "reshape", shape };
}

/** What chains call the layer: `dense`, `leaky_relu`. */
export function nameOf(spec: LayerSpec): string {
  return spec.kind === "op" ? spec.op.op.name : spec.kind;
}

function checkCount(what: string, count: unknown): void {
  if (Number.isSafeInteger(count) && (count as number) >= 1) return;
  throw new UsageError(`${what} cannot be ${String(count)}`, { remedy: "Give a whole number from 1." });
}

function checkPositive(what: string, number: number): void {
  if (number > 0 && Number.isFinite(number)) return;
  throw new UsageError(`${what} cannot be ${number}`, { remedy: "Give a number above 0." });
}

function pairOf(what: string, given: PairInput, least: number): Pair {
  const pair = typeof given === "number" ? ([given, given] as const) : given;
  if (pair.length === 2 && pair.every((each) => Number.isSafeInteger(each) && each >= least)) return pair;
  throw new UsageError(`the ${what} cannot be ${JSON.stringify(given)}`, {
    remedy: `Give one whole number from ${least}, or two: [height, width].`,
  });
}

function checkedInit(init: Init | undefined): { init?: Init } {
  if (init === undefined) return {};
  if (typeof init === "object") checkPositive("std of init", init.std);
  return { init };
}
