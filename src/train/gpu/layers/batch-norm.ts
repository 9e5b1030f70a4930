/**
 * @file Batch normalisation as PyTorch has it: see `engine/layers/batch-norm.ts`. Sums go over the rows first, and then over
 * the columns of a channel.
 *
 * ```text
 *   forward    mean of each channel, variance of each channel         y  = h * weight + bias, h = (x - mean) / deviation
 *   backward   sums of dy and of dy * h: the gradients                dx = weight / deviation * (dy - mean(dy) - h * mean(dy * h))
 * ```
 */
import type { GpuJs, GpuKernel } from "../../../gpu/gpu-js.ts";
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import { KernelText } from "../../../gpu/source.ts";
import type { DeviceArray } from "../../../gpu/staging.ts";
import { type Layer, sizeOf } from "../../network.ts";
import type { DeviceLayer, LayerContext } from "../layer.ts";
import { sumLines } from "../sums.ts";
import { channelSums, tables } from "./elementwise.ts";

const [X, Y] = ["this.thread.x", "this.thread.y"];

export async function batchNormLayer({ gpu, weights }: LayerContext, layer: Layer): Promise<DeviceLayer> {
  const { index, spec, inShape, tensors } = layer;
  if (spec.kind !== "batch_norm") throw new TypeError(`${spec.kind} is no batch_norm`);
  const { eps, momentum } = spec;
  const size = sizeOf(inShape);
  const count = inShape[0]!;
  // In the text, for kernels read no more than eight arrays. A variance with it is not 0.
  const least = String(Math.fround(eps));
  const channels = { count, stride: size / count };
  const [weight, bias, mean, variance] = tensors.map(({ name }) => name) as [string, string, string, string];
  const at = (tensor: string, c: string): string => `p[${weights.offsetOf(tensor)} + ${c}]`;
  const channel = (text: KernelText): string => text.quotient(X, channels.stride);
  /** (x - mean) / deviation, of element X of a row. */
  const normalised = (text: KernelText, row: string): string => {
    const c = channel(text);
    return `(x[${row} * ${size} + ${X}] - means[${c}]) / Math.sqrt(variances[${c}] + ${least})`;
  };
  const summing = (names: readonly string[], term: (text: KernelText, k: string) => string): Promise<Sums> =>
    compileSums(gpu, names, term, channels, size);

  const means = await summing(["x"], (_, k) => `x[${k} * ${size} + ${X}]`);
  const variances = await summing(["x", "means"], (text, k) => {
    const from = `(x[${k} * ${size} + ${X}] - means[${channel(text)}])`;
    return `${from} * ${from}`;
  });
  const ofBias = await summing(["dy"], (_, k) => `dy[${k} * ${size} + ${X}]`);
  const ofWeight = await summing(
    ["x", "dy", "means", "variances"],
    (text, k) => `dy[${k} * ${size} + ${X}] * ${normalised(text, k)}`,
  );
  const dividing: KernelSource = {
    source: `function (sums, by) { return sums[${X}] / by; }`,
    constants: {},
    arguments: ["array", "float"],
  };
  // One each, for the next result of a kernel takes the place of the one before.
  const [ofMean, ofVariance] = [await gpu.kernel(dividing), await gpu.kernel(dividing)];
  const plane = (names: readonly string[], value: (text: KernelText) => string): Promise<GpuKernel> => {
    const text = new KernelText();
    const line = `return ${value(text)};`;
    return gpu.kernel({ ...text.build(tables(names), [line]), plane: true });
  };
  const training = await plane(["x", "p", "means", "variances"], (text) => {
    const c = channel(text);
    return `${normalised(text, Y)} * ${at(weight, c)} + ${at(bias, c)}`;
  });
  const inference = await plane(["x", "p"], (text) => {
    const c = channel(text);
    const h = `(x[${Y} * ${size} + ${X}] - ${at(mean, c)}) / Math.sqrt(${at(variance, c)} + ${least})`;
    return `${h} * ${at(weight, c)} + ${at(bias, c)}`;
  });
  const backward = await gpu.kernel(backwardKernel());
  const running = await gpu.kernel(runningKernel());

  function backwardKernel(): KernelSource {
    const text = new KernelText();
    const c = channel(text);
    const lines = [
      `const h = ${normalised(text, Y)};`,
      `const scale = ${at(weight, c)} / Math.sqrt(variances[${c}] + ${least});`,
      `const centred = dy[${Y} * ${size} + ${X}] - sumDy[${c}] / count;`,
      `return scale * (centred - h * (sumDyH[${c}] / count));`,
    ];
    const arrays = tables(["x", "dy", "p", "means", "variances", "sumDy"]);
    return { ...text.build([...arrays, ["sumDyH", "table"], ["count", "float"]], lines), plane: true };
  }

  /** Mean, then variance; of one value the variance is not known, and stays. */
  function runningKernel(): KernelSource {
    const text = new KernelText();
    const share = text.hidden(momentum);
    const rest = text.hidden(1 - momentum);
    const lines = [
      `const before = ${Y} === 0 ? ${at(mean, X)} : ${at(variance, X)};`,
      `const unbiased = values > 1.0 ? variances[${X}] * (values / (values - 1.0)) : before;`,
      `const found = ${Y} === 0 ? means[${X}] : unbiased;`,
      `const mixed = ${rest} * before + ${share} * found;`,
      `const next = ${Y} === 0 ? mixed : (values > 1.0 ? mixed : before);`,
      "return status[0] > 0.5 ? next : before;",
    ];
    const arrays = tables(["p", "means", "variances", "status"]);
    return { ...text.build([...arrays, ["values", "float"]], lines), plane: true };
  }

  let ofBatch: readonly [DeviceArray, DeviceArray] | undefined;
  let sums: readonly [DeviceArray, DeviceArray] | undefined;
  return {
    index,
    async forward(x, { rows, training: trains }) {
      if (!trains) return inference.start([x, weights.values], [size, rows]);
      const values = rows * channels.stride;
      const average = await ofMean.start([await means([x], rows), values], count);
      const squares = await variances([x, average], rows);
      ofBatch = [average, await ofVariance.start([squares, values], count)];
      return training.start([x, weights.values, ...ofBatch], [size, rows]);
    },
    async gradients(x, dy, { rows }) {
      sums = [await ofBias([dy], rows), await ofWeight([x, dy, ...ofBatch!], rows)];
      return [
        { tensor: bias, values: sums[0] },
        { tensor: weight, values: sums[1] },
      ];
    },
    backward: (x, dy, { rows }) =>
      backward.start([x, dy, weights.values, ...ofBatch!, ...sums!, rows * channels.stride], [size, rows]),
    async updates(status, { rows }) {
      const values = rows * channels.stride;
      const from = await running.start([weights.values, ...ofBatch!, status, values], [count, 2]);
      return [mean, variance].map((tensor, i) => ({
        ...{ from, start: i * count, count },
        ...{ to: weights.values, at: weights.offsetOf(tensor) },
      }));
    },
  };
}

/** One sum for each channel. */
type Sums = (arrays: readonly DeviceArray[], rows: number) => Promise<DeviceArray>;

async function compileSums(
  gpu: GpuJs,
  names: readonly string[],
  term: (text: KernelText, k: string) => string,
  channels: { readonly count: number; readonly stride: number },
  size: number,
): Promise<Sums> {
  const text = new KernelText();
  const lines = sumLines("total", "rows", (k) => ({ value: term(text, k) }));
  const columns = await gpu.kernel(
    text.build([...tables(names), ["rows", "integer"]], [...lines, "return total;"]),
  );
  const folded = channels.count === size ? undefined : await gpu.kernel(channelSums(channels, size));
  return async (arrays, rows) => {
    const ofColumns = await columns.start([...arrays, rows], size);
    return folded ? folded.start([ofColumns], channels.count) : ofColumns;
  };
}
