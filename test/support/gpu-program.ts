/** @file Programs on the GPU, over arrays of the test, without the pipeline. */
import type { Channels } from "../../src/formats/layout.ts";
import { type GpuJs, type GpuKernel, openGpuJs } from "../../src/gpu/gpu-js.ts";
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
const compiled = new Map<string, Promise<GpuKernel>>();

/** Constants by their bits: JSON has one word for both infinities and NaN, and for both zeros. */
function keyOf({ source, functions, constants }: KernelSource): string {
  const bits = Object.entries(constants).map(([name, value]) => {
    return value instanceof Float32Array
      ? [name, ...new Uint32Array(Float32Array.from(value).buffer)]
      : [name, value];
  });
  return JSON.stringify([source, functions, bits]);
}

/** A program's output and sums. What a step gives comes here, and goes to those that read it. */
export async function runOnGpu(
  program: Program,
  inputs: readonly Float32Array[],
  { channels = null, ...place }: { readonly channels?: Channels | null } & Partial<Flat> = {},
): Promise<GpuResult> {
  opened ??= openGpuJs();
  const gpu = await opened;
  const flat: Flat = { length: inputs[0]!.length, channel: 0, within: 0, rowLength: 0, ...place };
  const count = program.channels[0]?.values.length ?? 1;
  const sums = program.sums.map(({ perChannel }) => new Float64Array(perChannel ? count : 1));
  const results: Float32Array[] = [];
  let output = new Float32Array(0);
  for (const { kernel, reads, takes, resultLength, result } of programKernels(program, channels)) {
    const text = keyOf(kernel);
    const known = compiled.get(text) ?? gpu.kernel(kernel);
    compiled.set(text, known);
    const values = [...inputs, ...reads.map((read) => results[read]!), ...takes.map((name) => flat[name])];
    const found = await runGpuKernel(gpu, await known, values, resultLength(flat));
    results.push(found);
    if (result.kind === "output") output = found as Float32Array<ArrayBuffer>;
    if (result.kind === "sum") result.add(found, flat, sums[result.index]!);
  }
  return { output, sums };
}
