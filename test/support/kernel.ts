/** @file Runs compiled kernels in a memory of their own, for comparison with the oracle. */
import type { Dtype } from "../../src/ops/dtype.ts";
import { type ElementArrays, type ElementChannels, evaluate } from "../../src/ops/evaluate.ts";
import type { Program } from "../../src/ops/program.ts";
import { compileKernel } from "../../src/workers/compile.ts";

export type Run = (count: number, x: number, ...channels: number[]) => void;

/** The array types that hold the elements of each dtype. */
export const ARRAYS = { float16: Uint16Array, float32: Float32Array, float64: Float64Array } as const;

export function instantiate(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Run {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return instance.exports.run as Run;
}

/** 4 MiB. */
const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });

/**
 * What the kernel of `program` makes of `elements`, which stay as they are. `channels` says which of a channel
 * parameter's values each element has, or is the table itself.
 */
export function runKernel<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: ElementArrays[D],
  channels?: ElementChannels | Float32Array | Float64Array,
): ElementArrays[D] {
  const run = instantiate(compileKernel(program, dtype), memory);
  let free = 0;
  const place = (bytes: ArrayBufferView): number => {
    const address = free;
    new Uint8Array(memory.buffer, address, bytes.byteLength).set(bytesOf(bytes));
    free += bytes.byteLength;
    return address;
  };
  const addresses = program.channels.map(({ values }) =>
    place(channels && "count" in channels ? table(dtype, values, elements.length, channels) : channels!),
  );
  const x = place(elements);
  run(elements.length, x, ...addresses);
  const result = new ARRAYS[dtype](elements.length) as ElementArrays[D];
  bytesOf(result).set(new Uint8Array(memory.buffer, x, elements.byteLength));
  return result;
}

/** What the oracle makes of `elements`, which stay as they are. */
export function runOracle<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: ElementArrays[D],
  channels?: ElementChannels,
): ElementArrays[D] {
  const result = elements.slice() as ElementArrays[D];
  evaluate(program, dtype, result, channels);
  return result;
}

/** One value per element, in the compute type. */
export function table(
  dtype: Dtype,
  values: readonly number[],
  length: number,
  { count, stride, first }: ElementChannels,
): Float32Array | Float64Array {
  const result = dtype === "float64" ? new Float64Array(length) : new Float32Array(length);
  return result.map((_, i) => values[Math.floor((first + i) / stride) % count]!);
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
