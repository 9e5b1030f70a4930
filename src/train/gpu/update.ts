/** @file The optimiser's update of all weights at once, from its expressions: one kernel for each array that it changes. */
import type { GpuJs, GpuKernel } from "../../gpu/gpu-js.ts";
import type { KernelSource } from "../../gpu/kernel-source.ts";
import { KernelText } from "../../gpu/source.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import { input, mul, type Num } from "../../ops/expr.ts";
import { Interner } from "../../ops/intern.ts";
import type { Optimizer } from "../optimizers.ts";
import type { Move } from "./arrays.ts";
import type { Place, Weights } from "./weights.ts";

const X = "this.thread.x";

export interface Updater {
  /** Gives the copies that put the new values in the place of the old ones, once all of them are computed. */
  run(status: DeviceArray, scalars: readonly number[]): Promise<readonly Move[]>;
}

export async function compileUpdate(
  gpu: GpuJs,
  weights: Weights,
  { update, state, scalars }: Optimizer,
  clips: boolean,
): Promise<Updater> {
  const arrays = ["p", "g", ...state.map((_, i) => `s${i}`)];
  const compile = (value: Num, old: string): Promise<GpuKernel> =>
    gpu.kernel(
      updateKernel(
        clips ? clipped(value, arrays.length + scalars.length) : value,
        old,
        arrays,
        scalars.length,
      ),
    );
  const kernels = [await compile(update.value, "p")];
  for (const [i, value] of update.state.entries()) kernels.push(await compile(value, `s${i}`));
  const targets = [weights.values, ...weights.state];
  const kept: { readonly place: Place; readonly kernel: GpuKernel }[] = [];
  for (const place of weights.places.values()) {
    if (place.spec.keep) kept.push({ place, kernel: await gpu.kernel(keepKernel(place, place.spec.keep)) });
  }
  return {
    async run(status, scalars) {
      const given = [weights.values, weights.gradient, ...weights.state, status, ...scalars];
      const moves: Move[] = [];
      for (const [i, kernel] of kernels.entries()) {
        moves.push({ from: await kernel.start(given, weights.learned), to: targets[i]! });
      }
      const [{ from: values }] = moves as [Move];
      for (const { place, kernel } of kept) {
        moves.push({ from: await kernel.start([values], place.size), to: weights.values, at: place.offset });
      }
      return moves;
    },
  };
}

/** With the gradient scaled by the factor of the status, which is the input of that index. */
function clipped(value: Num, factor: number): Num {
  return new Interner().copy(value, (leaf) =>
    leaf.kind === "input" && leaf.index === 1 ? mul(input(factor), leaf) : leaf,
  );
}

/** @param old the array that is replaced */
function updateKernel(value: Num, old: string, arrays: readonly string[], scalars: number): KernelSource {
  const text = new KernelText();
  const { lines, names } = text.compute([value], (index) => {
    if (index < arrays.length) return `${arrays[index]}[${X}]`;
    return index === arrays.length + scalars ? "status[1]" : `scalar${index - arrays.length}`;
  });
  return text.build(
    [
      ...arrays.map((name) => [name, "array"] as const),
      ["status", "table"],
      ...Array.from({ length: scalars }, (_, i) => [`scalar${i}`, "float"] as const),
    ],
    [...lines, `return status[0] > 0.5 ? ${names[0]} : ${old}[${X}];`],
  );
}

function keepKernel({ offset }: Place, [least, most]: readonly [number, number]): KernelSource {
  const text = new KernelText();
  return text.build(
    [["values", "table"]],
    [
      `const value = values[${offset} + ${X}];`,
      `const raised = value < ${text.hidden(least)} ? ${text.hidden(least)} : value;`,
      `return raised > ${text.hidden(most)} ? ${text.hidden(most)} : raised;`,
    ],
  );
}
