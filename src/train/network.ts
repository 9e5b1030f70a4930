/**
 * @file A network: layers one after the other, with the shapes between them and the tensors that they hold.
 *
 * Names are those of PyTorch's `nn.Sequential`: the index of the layer, counted over all layers, and what the module calls
 * its tensor. So the tensors of a network go into `load_state_dict` as they are.
 */
import { UsageError } from "../errors.ts";
import { LAST_AXIS } from "../ops/program.ts";
import { type LayerSpec, type Learned, nameOf, type OpLayer, type Pair } from "./layers.ts";

/** A tensor that a layer holds: weights, slopes, statistics. */
export interface TensorSpec {
  /** `0.weight`, `3.running_mean` */
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether the optimiser changes it. */
  readonly learned: boolean;
  /** Where its values stay. */
  readonly keep?: readonly [least: number, most: number];
}

export interface Layer {
  readonly index: number;
  readonly spec: LayerSpec;
  /**
   * Shape of a row as the layer takes it: one axis for `dense`, [channels, height, width] for images. It has as many
   * elements as the rows of the layer before, in the same order.
   */
  readonly inShape: readonly number[];
  readonly outShape: readonly number[];
  /** In the order of `nn.Module.state_dict`. */
  readonly tensors: readonly TensorSpec[];
}

/** All shapes are those of one row, without the axis of the batch. */
export interface Network {
  readonly inputShape: readonly number[];
  readonly layers: readonly Layer[];
  readonly outputShape: readonly number[];
}

/** Values of tensors by name, in C order. */
export type Tensors = ReadonlyMap<string, Float32Array>;

/** Elements of a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** All tensors of a network, in the order of its layers. */
export function tensorsOf(network: Network): readonly TensorSpec[] {
  return network.layers.flatMap(({ tensors }) => tensors);
}

/**
 * Works out shapes and tensors.
 *
 * @param inputShape of one row; a row of plain numbers has one axis
 * @throws UsageError where a layer does not fit its input: it names the layer and the shape
 */
export function buildNetwork(specs: readonly LayerSpec[], inputShape: readonly number[]): Network {
  if (specs.length === 0) {
    throw new UsageError("the network has no layers", {
      remedy: 'Name at least one, as in "dense(256) | leaky_relu(0.01) | dense(10)".',
    });
  }
  if (inputShape.length === 0 || !inputShape.every((length) => Number.isSafeInteger(length) && length >= 1)) {
    throw new UsageError(`the rows of the input cannot have the shape ${shapeText(inputShape)}`);
  }
  const layers: Layer[] = [];
  let shape = inputShape;
  for (const [index, spec] of specs.entries()) {
    const place: Place = { index, spec, shape };
    if (spec.kind === "standardize") checkFirst(place, layers);
    const { inShape = shape, outShape, tensors = [] } = shapesOf(place);
    layers.push({
      index,
      spec,
      inShape,
      outShape,
      tensors: tensors.map(({ name, ...tensor }) => ({ name: `${index}.${name}`, ...tensor })),
    });
    shape = outShape;
  }
  return { inputShape, layers, outputShape: shape };
}

/**
 * The shape of the output where layers alone tell it: behind a dense layer or a reshape it follows, whatever the input is.
 *
 * @throws UsageError where layers do not fit each other
 */
export function outputShapeOf(specs: readonly LayerSpec[]): readonly number[] | undefined {
  let shape: readonly number[] | undefined;
  for (const [index, spec] of specs.entries()) {
    if (spec.kind === "dense") shape = [spec.units];
    else if (spec.kind === "reshape") shape = spec.shape;
    else if (shape) shape = shapesOf({ index, spec, shape }).outShape;
  }
  return shape;
}

/**
 * Along which axis of a row the values of a per-channel parameter of the layer lie.
 *
 * @throws UsageError where the rows have no such axis
 */
export function channelAxisOf({ op: { op, values } }: OpLayer, shape: readonly number[]): number {
  const spec = op.params.find(({ channelAxis }) => channelAxis);
  const axis = spec ? (values[spec.name] as number) : LAST_AXIS;
  const ofRow = axis < 0 ? shape.length + axis : axis - 1;
  if (ofRow >= 0 && ofRow < shape.length) return ofRow;
  throw new UsageError(
    `${op.name} has its channels on axis ${axis} of the batch, whose rows are ${shapeText(shape)}`,
    { remedy: "Give axis=1 for the first axis of a row, or axis=-1 for the last." },
  );
}

/** `[28, 28]` */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** A layer and the rows that come to it. */
interface Place {
  readonly index: number;
  readonly spec: LayerSpec;
  readonly shape: readonly number[];
}

interface Shapes {
  /** Left out: the rows as they come. */
  readonly inShape?: readonly number[];
  readonly outShape: readonly number[];
  readonly tensors?: readonly TensorSpec[];
}

function shapesOf(place: Place): Shapes {
  const { spec, shape } = place;
  switch (spec.kind) {
    case "dense": {
      const inputs = sizeOf(shape);
      const weight = learned("weight", [spec.units, inputs]);
      const tensors = spec.bias ? [weight, learned("bias", [spec.units])] : [weight];
      return { inShape: [inputs], outShape: [spec.units], tensors };
    }
    case "op":
      return { outShape: shape, tensors: tensorsOfOp(place, spec) };
    case "dropout":
      return { outShape: shape };
    case "layer_norm": {
      const last = [shape.at(-1)!];
      return { outShape: shape, tensors: [learned("weight", last), learned("bias", last)] };
    }
    case "batch_norm": {
      const channels = [shape[0]!];
      const tensors = [
        learned("weight", channels),
        learned("bias", channels),
        stored("running_mean", channels),
        stored("running_var", channels),
      ];
      return { outShape: shape, tensors };
    }
    case "standardize":
      return { outShape: shape, tensors: [stored("mean", shape), stored("deviation", shape)] };
    case "conv2d": {
      const [channels, ...plane] = imageOf(place);
      const weight = learned("weight", [spec.channels, channels, ...spec.kernel]);
      return {
        inShape: [channels, ...plane],
        outShape: [spec.channels, ...windows(place, plane, spec)],
        tensors: spec.bias ? [weight, learned("bias", [spec.channels])] : [weight],
      };
    }
    case "max_pool":
    case "avg_pool": {
      const [channels, ...plane] = imageOf(place);
      return { inShape: [channels, ...plane], outShape: [channels, ...windows(place, plane, spec)] };
    }
    case "flatten":
      return { outShape: [sizeOf(shape)] };
    case "reshape":
      if (sizeOf(spec.shape) !== sizeOf(shape)) {
        throw misfit(place, `gives rows of ${shapeText(spec.shape)}`, "Give a shape of as many elements.");
      }
      return { outShape: spec.shape };
  }
}

const learned = (name: string, shape: readonly number[], keep?: Learned["keep"]): TensorSpec => ({
  name,
  shape,
  learned: true,
  ...(keep && { keep }),
});
const stored = (name: string, shape: readonly number[]): TensorSpec => ({ name, shape, learned: false });

function tensorsOfOp({ shape }: Place, spec: OpLayer): TensorSpec[] {
  const { op, values } = spec.op;
  const isEach = (name: string): boolean =>
    typeof values[name] !== "number" ||
    spec.learned.some(({ param, channels }) => param === name && channels === "each");
  for (const { name, channelAxis } of op.params) {
    if (channelAxis || !isEach(name)) continue;
    const value = values[name]!;
    const channels = shape[channelAxisOf(spec, shape)]!;
    if (typeof value === "number" || value.length === channels) continue;
    throw new UsageError(
      `${name} of ${op.name} has ${value.length} values, but rows of ${shapeText(shape)} have ${channels} channels`,
      { remedy: "Give one number, or one per channel." },
    );
  }
  return spec.learned.map(({ param, channels, keep }) => {
    const count = channels === "each" ? shape[channelAxisOf(spec, shape)]! : 1;
    return learned(op.name === "prelu" ? "weight" : param, [count], keep);
  });
}

/** [channels, height, width] */
function imageOf(place: Place): [number, number, number] {
  const { shape } = place;
  if (shape.length === 3) return shape as unknown as [number, number, number];
  if (shape.length === 2) return [1, ...shape] as unknown as [number, number, number];
  throw misfit(
    place,
    "takes images of [channels, height, width]",
    "Put reshape in front, as in reshape(1, 28, 28).",
  );
}

/** How many windows fit along each axis. */
function windows(
  place: Place,
  plane: readonly number[],
  { kernel, stride, padding }: { kernel: Pair; stride: Pair; padding: Pair },
): number[] {
  return plane.map((length, axis) => {
    const room = length + 2 * padding[axis]! - kernel[axis]!;
    if (room >= 0) return Math.floor(room / stride[axis]!) + 1;
    throw misfit(
      place,
      `has a kernel of ${kernel.join(" x ")}, larger than they are`,
      "Give a smaller kernel, or a padding.",
    );
  });
}

/** Only what leaves the data as it is may come before. */
function checkFirst(place: Place, before: readonly Layer[]): void {
  const other = before.find(({ spec }) => spec.kind !== "flatten" && spec.kind !== "reshape");
  if (!other) return;
  throw misfit(
    place,
    `comes after ${nameOf(other.spec)}, but its statistics are those of the data`,
    "Put it first.",
  );
}

function misfit({ index, spec, shape }: Place, problem: string, remedy: string): UsageError {
  return new UsageError(
    `layer ${index} (${nameOf(spec)}) ${problem}; rows of ${shapeText(shape)} come to it`,
    { remedy },
  );
}
