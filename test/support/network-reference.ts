/** @file Networks and losses in float64, written out plainly: what the engine's numbers are compared with. */
import { bind } from "../../src/ops/bind.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { evaluateRows } from "../../src/ops/evaluate-rows.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { isRowWise } from "../../src/ops/row-plan.ts";
import type { Conv2d, Pool } from "../../src/train/layers.ts";
import type { Loss } from "../../src/train/losses.ts";
import { channelAxisOf, type Layer, type Network, sizeOf } from "../../src/train/network.ts";

export type Doubles = ReadonlyMap<string, Float64Array>;

export interface Mode {
  readonly training: boolean;
  /** Whether dropout drops an element of a batch, by its number. */
  readonly drops?: (layer: number, element: number) => boolean;
}

/** The outputs of some rows. */
export function outputs(
  network: Network,
  tensors: Doubles,
  features: Float64Array,
  mode: Mode,
): Float64Array {
  const rows = features.length / sizeOf(network.inputShape);
  return network.layers.reduce((x, layer) => through(layer, tensors, x, rows, mode), features);
}

function through(layer: Layer, tensors: Doubles, x: Float64Array, rows: number, mode: Mode): Float64Array {
  const { spec, inShape, outShape, index } = layer;
  const tensor = (name: string): Float64Array => tensors.get(`${index}.${name}`)!;
  const size = sizeOf(inShape);
  switch (spec.kind) {
    case "flatten":
    case "reshape":
      return x;
    case "dense": {
      const [weight, bias] = [tensor("weight"), tensors.get(`${index}.bias`)];
      return Float64Array.from({ length: rows * spec.units }, (_, i) => {
        const [row, unit] = [Math.floor(i / spec.units), i % spec.units];
        let sum = bias?.[unit] ?? 0;
        for (let k = 0; k < size; k++) sum += x[row * size + k]! * weight[unit * size + k]!;
        return sum;
      });
    }
    case "op":
      return throughOp(layer, tensors, x);
    case "dropout":
      if (!mode.training) return x;
      return x.map((value, i) => (mode.drops?.(index, i) ? 0 : value / (1 - spec.rate)));
    case "layer_norm": {
      const length = inShape.at(-1)!;
      const [weight, bias] = [tensor("weight"), tensor("bias")];
      const y = x.slice();
      for (let start = 0; start < y.length; start += length) {
        const { mean, variance } = moments(x.subarray(start, start + length));
        for (let i = 0; i < length; i++) {
          y[start + i] = ((x[start + i]! - mean) / Math.sqrt(variance + spec.eps)) * weight[i]! + bias[i]!;
        }
      }
      return y;
    }
    case "batch_norm": {
      const [channels, stride] = [inShape[0]!, size / inShape[0]!];
      const channelOf = (i: number): number => Math.floor(i / stride) % channels;
      const statistics = Array.from({ length: channels }, (_, channel) =>
        mode.training
          ? moments(x.filter((_, i) => channelOf(i) === channel))
          : { mean: tensor("running_mean")[channel]!, variance: tensor("running_var")[channel]! },
      );
      return x.map((value, i) => {
        const channel = channelOf(i);
        const { mean, variance } = statistics[channel]!;
        const h = (value - mean) / Math.sqrt(variance + spec.eps);
        return h * tensor("weight")[channel]! + tensor("bias")[channel]!;
      });
    }
    case "standardize":
      return x.map((value, i) => (value - tensor("mean")[i % size]!) / tensor("deviation")[i % size]!);
    case "conv2d":
      return throughWindows(layer, x, rows, (window, out) => {
        const weight = tensor("weight");
        let sum = tensors.get(`${index}.bias`)?.[out] ?? 0;
        const taps = inShape[0]! * spec.kernel[0] * spec.kernel[1];
        for (let channel = 0, tap = 0; channel < inShape[0]!; channel++) {
          for (const value of window(channel, 0)) sum += value * weight[out * taps + tap++]!;
        }
        return sum;
      });
    case "max_pool":
      return throughWindows(layer, x, rows, (window, out) => Math.max(...window(out, -Infinity)));
    case "avg_pool":
      return throughWindows(layer, x, rows, (window, out) => {
        const values = window(out, 0);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      });
  }
  throw new Error(`${sizeOf(outShape)} outputs of what?`);
}

/** @param of an output channel, from the windows of any input channel */
function throughWindows(
  { spec, inShape, outShape }: Layer,
  x: Float64Array,
  rows: number,
  of: (window: (channel: number, padding: number) => number[], out: number) => number,
): Float64Array {
  const { kernel, stride, padding } = spec as Conv2d | Pool;
  const [channels, height, width] = inShape as [number, number, number];
  const [outChannels, outHeight, outWidth] = outShape as [number, number, number];
  const y: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outChannels; out++) {
      for (let oy = 0; oy < outHeight; oy++) {
        for (let ox = 0; ox < outWidth; ox++) {
          const window = (channel: number, outside: number): number[] => {
            const values: number[] = [];
            for (let ky = 0; ky < kernel[0]; ky++) {
              for (let kx = 0; kx < kernel[1]; kx++) {
                const [iy, ix] = [oy * stride[0] + ky - padding[0], ox * stride[1] + kx - padding[1]];
                const isInside = iy >= 0 && iy < height && ix >= 0 && ix < width;
                const at = ((row * channels + channel) * height + iy) * width + ix;
                values.push(isInside ? x[at]! : outside);
              }
            }
            return values;
          };
          y.push(of(window, out));
        }
      }
    }
  }
  return Float64Array.from(y);
}

/** The op's own expression, evaluated in float64, with learned values in their places. */
function throughOp({ spec, inShape, tensors: specs }: Layer, tensors: Doubles, x: Float64Array) {
  if (spec.kind !== "op") throw new Error(spec.kind);
  const { op, values } = spec.op;
  const learned = spec.learned.map(({ param }, i) => {
    const values = tensors.get(specs[i]!.name)!;
    return [param, values.length === 1 ? values[0]! : values] as const;
  });
  const bound = bind(op, { ...values, ...Object.fromEntries(learned) });
  const program = fuse([bound]);
  const y = x.slice();
  const isPerChannel = program.channels.length > 0;
  const axis = isPerChannel ? channelAxisOf(spec, inShape) : 0;
  const channels = isPerChannel
    ? { count: inShape[axis]!, stride: sizeOf(inShape.slice(axis + 1)), first: 0 }
    : undefined;
  if (isRowWise(program)) evaluateRows(program, "float64", y, inShape.at(-1)!, channels);
  else evaluate(program, "float64", y, channels);
  return y;
}

function moments(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

export interface Rows {
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

/** The mean loss of some rows, straight from the formulas in PyTorch's documentation. */
export function lossOf(loss: Loss, y: Float64Array, { targets, weights }: Rows): number {
  const rows = weights.length;
  const [size, targetSize] = [y.length / rows, targets.length / rows];
  let [sum, total] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const out = [...y.subarray(row * size, (row + 1) * size)];
    const target = [...targets.subarray(row * targetSize, (row + 1) * targetSize)];
    const { value, weight } = ofRow(loss, out, target);
    sum += weights[row]! * value;
    total += weights[row]! * weight;
  }
  return sum / total;
}

function ofRow(loss: Loss, y: number[], target: number[]): { value: number; weight: number } {
  const mean = (values: number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
  const errors = y.map((each, i) => each - target[i]!);
  switch (loss.kind) {
    case "mse":
      return { value: mean(errors.map((error) => error ** 2)), weight: 1 };
    case "mae":
      return { value: mean(errors.map(Math.abs)), weight: 1 };
    case "huber": {
      const { delta } = loss;
      const each = errors.map((error) =>
        Math.abs(error) <= delta ? error ** 2 / 2 : delta * (Math.abs(error) - delta / 2),
      );
      return { value: mean(each), weight: 1 };
    }
    case "bce_with_logits": {
      const weight = loss.classWeights?.[target[0]! > 0.5 ? 1 : 0] ?? 1;
      const each = y.map((x, i) => {
        const p = 1 / (1 + Math.exp(-x));
        return -(target[i]! * Math.log(p) + (1 - target[i]!) * Math.log(1 - p));
      });
      return { value: weight * mean(each), weight };
    }
    case "cross_entropy": {
      const [label] = target as [number];
      const weights = loss.classWeights ?? y.map(() => 1);
      const logSum = Math.log(y.reduce((sum, each) => sum + Math.exp(each), 0));
      const smooth = y.reduce((sum, each, c) => sum + weights[c]! * (logSum - each), 0) / y.length;
      const hard = weights[label]! * (logSum - y[label]!);
      return { value: (1 - loss.smoothing) * hard + loss.smoothing * smooth, weight: weights[label]! };
    }
  }
}
