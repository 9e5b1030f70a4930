/**
 * @file The end of the network on the device: the gradient of its outputs, and what each row costs. In float32; cross entropy
 * takes the largest output of a row off first, as `losses.ts` does.
 *
 * ```text
 *   share[row]   what the row counts, as a part of all rows of the batch: from the host, in float64 before it is rounded
 *   result       share * loss of each row | 1 for each row whose class is the largest output, else 0
 * ```
 */
import type { GpuJs } from "../../gpu/gpu-js.ts";
import type { KernelSource } from "../../gpu/kernel-source.ts";
import { KernelText } from "../../gpu/source.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import type { Loss } from "../losses.ts";
import { crossEntropy } from "./losses/cross-entropy.ts";
import { ofElements } from "./losses/elements.ts";
import type { LossText } from "./losses/text.ts";

/** Of the rows of a batch. */
export interface Rows {
  readonly outputs: DeviceArray;
  readonly targets: DeviceArray;
  readonly shares: DeviceArray;
}

export interface DeviceLoss {
  /** Two numbers for each of `count` rows, and the gradient of the outputs where it is asked for. */
  run(rows: Rows, count: number, withGradient: boolean): Promise<LossOfRows>;
}

export interface LossOfRows {
  readonly result: DeviceArray;
  readonly gradient: DeviceArray | undefined;
}

const [X, Y] = ["this.thread.x", "this.thread.y"];
const ARRAYS = [
  ["y", "table"],
  ["targets", "table"],
  ["shares", "table"],
] as const;

/** @param size outputs of a row */
export async function compileLoss(gpu: GpuJs, loss: Loss, size: number): Promise<DeviceLoss> {
  const { rows, ...texts } =
    loss.kind === "cross_entropy" ? crossEntropy(loss, size) : ofElements(loss, size);
  const ofRows = rows && (await gpu.kernel(rows));
  const gradient = await gpu.kernel(gradientKernel(texts, rows !== undefined));
  const result = await gpu.kernel(resultKernel(texts, rows !== undefined));
  return {
    async run({ outputs, targets, shares }, count, withGradient) {
      const given = [outputs, targets, shares];
      if (ofRows) given.push(await ofRows.start([outputs], [count, 2]));
      return {
        result: await result.start(given, [count, 2]),
        gradient: withGradient ? await gradient.start(given, [size, count]) : undefined,
      };
    },
  };
}

function gradientKernel(texts: LossText, hasRows: boolean): KernelSource {
  const text = new KernelText();
  const { lines = [], value } = texts.gradient(text);
  const parameters = hasRows ? [...ARRAYS, ["rows", "table"] as const] : ARRAYS;
  return { ...text.build(parameters, [...lines, `return (${value}) * shares[${Y}];`]), plane: true };
}

function resultKernel(texts: LossText, hasRows: boolean): KernelSource {
  const text = new KernelText();
  const lines = texts.result(text);
  const parameters = hasRows ? [...ARRAYS, ["rows", "table"] as const] : ARRAYS;
  const share = `shares[${X}]`;
  // A row that counts nothing does nothing, even where its loss is no number.
  const body = [
    ...lines,
    `const counted = ${share} === 0.0 ? 0.0 : loss * ${share};`,
    `return ${Y} === 0 ? counted : correct;`,
  ];
  return { ...text.build(parameters, body), plane: true };
}
