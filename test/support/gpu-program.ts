/** @file Programs on the GPU, over arrays of the test, without the pipeline. */
import type { Channels } from "../../src/formats/layout.ts";
import type { Gpu, HeldArray } from "../../src/gpu/gpu.ts";
import { type GpuJs, openGpuJs } from "../../src/gpu/gpu-js.ts";
import type { Flat, KernelSource } from "../../src/gpu/kernel-source.ts";
import { programKernels } from "../../src/gpu/program-kernels.ts";
import type { Program } from "../../src/ops/program.ts";
import { runGpuKernel } from "./gpu-kernel.ts";

export interface GpuResult {
  readonly output: Float32Array;
  readonly sums: readonly Float64Array[];
}

let opened: Promise<GpuJs> | undefined;
/** A program's kernels are compiled once for a file of tests. */
const compiled = new WeakMap<object, Map<string, unknown>>();

/** Constants by their bits: JSON has one word for both infinities and NaN, and for both zeros. */
function keyOf({ source, functions, constants }: KernelSource): string {
  const bits = Object.entries(constants).map(([name, value]) => {
    return value instanceof Float32Array
      ? [name, ...new Uint32Array(Float32Array.from(value).buffer)]
      : [name, value];
  });
  return JSON.stringify([source, functions, bits]);
}

type Place = { readonly channels?: Channels | null } & Partial<Flat>;

/** A program's output and sums, through WebGPU. */
export async function runOnGpu(
  program: Program,
  inputs: readonly Float32Array[],
  place: Place = {},
): Promise<GpuResult> {
  opened ??= openGpuJs();
  return runProgram(await opened, program, inputs, place);
}

/** The same on any GPU. What a step gives comes here, and goes to those that read it. */
export async function runProgram<Held extends HeldArray>(
  gpu: Gpu<Held>,
  program: Program,
  inputs: readonly Float32Array[],
  { channels = null, ...place }: Place = {},
): Promise<GpuResult> {
  const known = (compiled.get(gpu) ?? new Map()) as Map<string, ReturnType<typeof gpu.kernel>>;
  compiled.set(gpu, known);
  const flat: Flat = { length: inputs[0]!.length, channel: 0, within: 0, rowLength: 0, ...place };
  const count = program.channels[0]?.values.length ?? 1;
  const sums = program.sums.map(({ perChannel }) => new Float64Array(perChannel ? count : 1));
  const results: Float32Array[] = [];
  let output = new Float32Array(0);
  for (const { kernel, reads, takes, resultLength, result } of programKernels(program, channels)) {
    const text = keyOf(kernel);
    const making = known.get(text) ?? gpu.kernel(kernel);
    known.set(text, making);
    const values = [...inputs, ...reads.map((read) => results[read]!), ...takes.map((name) => flat[name])];
    const found = await runGpuKernel(gpu, await making, values, resultLength(flat));
    results.push(found);
    if (result.kind === "output") output = found as Float32Array<ArrayBuffer>;
    if (result.kind === "sum") result.add(found, flat, sums[result.index]!);
  }
  return { output, sums };
}
