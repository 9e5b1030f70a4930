/**
 * @file Layers that go element by element, from the op's expression and its derivatives: one thread for each element. The
 * gradient of a learned parameter is added up along the rows first, and then over what is left:
 *
 * ```text
 *   columns[j]   = sum over rows of the terms of element j of each row
 *   gradient[c]  = sum of the columns that are in channel c
 * ```
 */
import type { Channels } from "../../../formats/layout.ts";
import type { GpuKernel } from "../../../gpu/gpu-js.ts";
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import { KernelText, type Parameter, type ReadInput } from "../../../gpu/source.ts";
import { backward as backwardOf } from "../../../ops/backward.ts";
import type { Num } from "../../../ops/expr.ts";
import { fuse } from "../../../ops/fuse.ts";
import type { Program } from "../../../ops/program.ts";
import { type Layer, sizeOf } from "../../network.ts";
import type { DeviceLayer, Gradient, LayerContext } from "../layer.ts";
import { sumLines } from "../sums.ts";
import type { ArrayParam, BoundLayer } from "./bound-op.ts";

const X = "this.thread.x";

interface ParamSums {
  readonly tensor: string;
  readonly count: number;
  readonly columns: GpuKernel;
  /** Left out where each column has a channel of its own. */
  readonly channels: GpuKernel | undefined;
}

export async function elementwiseLayer(
  { gpu, weights }: LayerContext,
  { index, inShape }: Layer,
  { op, arrays }: BoundLayer,
): Promise<DeviceLayer> {
  const size = sizeOf(inShape);
  const paramOf = ({ channels, inputs }: Program, at: number): ArrayParam => {
    const name = channels[at - inputs]!.name;
    return arrays.find(({ param }) => name === `${op.op.name}.${param}`)!;
  };
  /** Reads what belongs to element `this.thread.x` of row `row`. */
  const readOf =
    (text: KernelText, program: Program, row: string): ReadInput =>
    (at) =>
      at < program.inputs
        ? `${["x", "dy"][at]}[${row} * ${size} + ${X}]`
        : paramText(text, paramOf(program, at), at, weights.offsetOf);

  const elements = (program: Program, data: readonly string[]): KernelSource => {
    const text = new KernelText();
    const { lines, names } = text.compute([program.output], readOf(text, program, "this.thread.y"));
    return { ...text.build(tables([...data, "p"]), [...lines, `return ${names[0]};`]), plane: true };
  };
  const columns = (program: Program, term: Num): KernelSource => {
    const text = new KernelText();
    const body = sumLines("total", "rows", (k) => {
      const { lines, names } = text.compute([term], readOf(text, program, k));
      return { lines, value: names[0]! };
    });
    return text.build([...tables(["x", "dy", "p"]), ["rows", "integer"]], [...body, "return total;"]);
  };

  const program = backwardOf([op]);
  const forward = await gpu.kernel(elements(fuse([op]), ["x"]));
  const backward = await gpu.kernel(elements(program, ["x", "dy"]));
  const sums: ParamSums[] = [];
  for (const { param, channels, values } of arrays) {
    if (typeof values !== "string" || !weights.places.get(values)!.spec.learned) continue;
    const { term } = program.sums.find(({ name }) => name === `${op.op.name}.${param}`)!;
    const isOwn = channels.count === size;
    sums.push({
      tensor: values,
      count: channels.count,
      columns: await gpu.kernel(columns(program, term)),
      channels: isOwn ? undefined : await gpu.kernel(channelSums(channels, size)),
    });
  }

  return {
    index,
    forward: (x, { rows }) => forward.start([x, weights.values], [size, rows]),
    backward: (x, dy, { rows }) => backward.start([x, dy, weights.values], [size, rows]),
    async gradients(x, dy, { rows }) {
      const found: Gradient[] = [];
      for (const { tensor, count, columns, channels } of sums) {
        const ofColumns = await columns.start([x, dy, weights.values, rows], size);
        found.push({ tensor, values: channels ? await channels.start([ofColumns], count) : ofColumns });
      }
      return found;
    },
  };
}

export const tables = (names: readonly string[]): Parameter[] => names.map((name) => [name, "table"]);

/** The value of a parameter for element `this.thread.x` of a row. */
function paramText(
  text: KernelText,
  { values, channels: { count, stride } }: ArrayParam,
  at: number,
  offsetOf: (tensor: string) => number,
): string {
  const turns = stride === 1 ? X : text.quotient(X, stride);
  const channel = count === 1 ? undefined : text.remainder(turns, count);
  if (typeof values === "string") {
    const offset = offsetOf(values);
    return `p[${channel ? `${offset} + ${channel}` : offset}]`;
  }
  text.array(`fixed${at}`, values);
  return `this.constants.fixed${at}[${channel ?? 0}]`;
}

/**
 * Adds up the columns of each channel. Number k of channel c is element s of turn t, where t is how often all channels have
 * come before.
 */
export function channelSums({ count, stride }: Channels, size: number): KernelSource {
  const text = new KernelText();
  const body = sumLines("total", size / count, (k) => {
    const [turn, rest] = [text.quotient(k, stride), text.remainder(k, stride)];
    return { value: `columns[(${turn} * ${count} + ${X}) * ${stride} + ${rest}]` };
  });
  return text.build(tables(["columns"]), [...body, "return total;"]);
}
