/** @file Runs kernels over the ranges of a window, in whichever thread asks. */
import { RANGE_STRIDE, type Ranges } from "../device.ts";
import { forEachSegment, type TableLayout } from "./channels.ts";

/** A kernel as it crosses to a worker: plain data, equal keys for equal code. */
export interface Kernel {
  readonly key: string;
  /** The WebAssembly module's bytes; see `compile.ts` for what it imports and exports. */
  readonly code: Uint8Array<ArrayBuffer>;
  readonly bytesPerElement: number;
  /** One table for each per-channel parameter; all share the layout. */
  readonly tables: { readonly layout: TableLayout; readonly addresses: readonly number[] } | null;
}

type Run = (count: number, ...addresses: number[]) => void;

/** Instances kept per thread and memory; each is some KiB. */
const MOST_INSTANCES = 64;
const instances = new WeakMap<WebAssembly.Memory, Map<string, Run>>();

/** Computes every range of a window whose bytes begin at `address` of the memory. */
export function runKernels(
  memory: WebAssembly.Memory,
  kernels: readonly Kernel[],
  address: number,
  ranges: Ranges,
): void {
  for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
    const kernel = kernels[ranges[at + 2]!]!;
    const start = address + ranges[at]!;
    const count = ranges[at + 1]!;
    const run = instantiate(memory, kernel);
    if (kernel.tables) runSegments(run, kernel, kernel.tables, start, count, ranges[at + 3]!);
    else run(count, start);
  }
}

function runSegments(
  run: Run,
  kernel: Kernel,
  { layout, addresses }: NonNullable<Kernel["tables"]>,
  start: number,
  count: number,
  first: number,
): void {
  const entryBytes = tableEntryBytes(kernel.bytesPerElement);
  forEachSegment(layout, first, count, (offset, length, entry) => {
    run(
      length,
      start + offset * kernel.bytesPerElement,
      ...addresses.map((table) => table + entry * entryBytes),
    );
  });
}

/** Tables hold the compute type: float64 for float64, float32 for the rest. */
export function tableEntryBytes(bytesPerElement: number): 4 | 8 {
  return bytesPerElement === 8 ? 8 : 4;
}

function instantiate(memory: WebAssembly.Memory, kernel: Kernel): Run {
  const known = instances.get(memory) ?? new Map<string, Run>();
  instances.set(memory, known);
  let run = known.get(kernel.key);
  if (!run) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(kernel.code), { env: { memory } });
    run = instance.exports.run as Run;
    if (known.size >= MOST_INSTANCES) known.delete(known.keys().next().value!);
    known.set(kernel.key, run);
  }
  return run;
}
