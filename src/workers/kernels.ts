/** @file Runs kernels over the ranges of a window, in whichever thread asks. */
import { RANGE_STRIDE, type Ranges } from "../device.ts";
import type { Channels } from "../formats/layout.ts";
import { BLOCK, ShardSums, type SumsShape } from "../ops/shards.ts";
import { forEachSegment, type TableLayout } from "./channels.ts";
import { type RowFunctions, runRows, runRowsWithSums } from "./rows/run.ts";
import type { Scratch } from "./rows/scratch.ts";

/** A kernel as it crosses to a worker: plain data, equal keys for equal code. */
export interface Kernel {
  readonly key: string;
  /** The WebAssembly module's bytes; see `compile.ts` for what it imports and exports. */
  readonly code: Uint8Array<ArrayBuffer>;
  readonly bytesPerElement: number;
  /** Arrays that it reads: x, or x and dy. */
  readonly inputs: number;
  /** Elements of a shard (`ops/shards.ts`). */
  readonly grain: number;
  readonly channels: Channels | null;
  /** Of a row-wise program: the length of its rows, null where a range is a row. */
  readonly rows: { readonly length: number | null } | null;
  /** One table for each per-channel parameter; all share the layout. */
  readonly tables: { readonly layout: TableLayout; readonly addresses: readonly number[] } | null;
}

/** Memory in which one thread at a time computes. */
export interface Workspace {
  /** The sums of what it has done so far; nothing where the program has none. */
  readonly sums: { readonly address: number; readonly shape: SumsShape } | undefined;
  /** For row-wise programs. */
  readonly scratch: Scratch | undefined;
}

interface Functions {
  readonly run: (count: number, ...addresses: number[]) => void;
  readonly sum: (address: number, count: number) => number;
  readonly accumulate: (to: number, from: number, count: number) => void;
}

/** Instances kept per thread and memory; each is some KiB. */
const MOST_INSTANCES = 64;
const instances = new WeakMap<WebAssembly.Memory, Map<string, Functions & RowFunctions>>();

/** Computes every range of a window whose bytes begin at `address` of the memory. */
export function runKernels(
  memory: WebAssembly.Memory,
  kernels: readonly Kernel[],
  address: number,
  ranges: Ranges,
  workspace?: Workspace,
): void {
  let sums: ShardSums | undefined;
  for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
    const kernel = kernels[ranges[at + 2]!]!;
    const functions = instantiate(memory, kernel);
    const span = {
      start: address + ranges[at]!,
      other: address + ranges[at + 4]!,
      count: ranges[at + 1]!,
      first: ranges[at + 3]!,
    };
    if (workspace?.sums) sums ??= openSums(memory, functions, workspace.sums);
    const terms = workspace?.sums?.address ?? 0;
    if (kernel.rows) {
      computeRows(functions, kernel, span, workspace!.scratch!, sums, terms);
    } else if (sums) {
      runShards(functions.run, kernel, span, sums, terms);
    } else {
      runSpan(functions.run, kernel, span, undefined);
    }
  }
}

/** Elements that stand together. */
interface Span {
  /** Address of the elements that are replaced. */
  readonly start: number;
  /** Address of x's elements, of a program with two inputs. */
  readonly other: number;
  readonly count: number;
  /** Index of the first element in its batch, modulo the channels' period. */
  readonly first: number;
}

/** Block by block, so that the terms are still in the cache when they are added. */
function runShards(
  run: Functions["run"],
  kernel: Kernel,
  { start, other, count, first }: Span,
  sums: ShardSums,
  terms: number,
): void {
  const { bytesPerElement, grain, channels } = kernel;
  for (let shard = 0; shard < count; shard += grain) {
    const end = Math.min(shard + grain, count);
    for (let at = shard; at < end; at += BLOCK) {
      const length = Math.min(BLOCK, end - at);
      const bytes = at * bytesPerElement;
      const block = { start: start + bytes, other: other + bytes, count: length, first: first + at };
      runSpan(run, kernel, block, terms);
      sums.addBlock(length, first + at, channels);
    }
    sums.endShard(channels);
  }
}

/** @param terms address of the terms, where the program has sums */
function runSpan(
  run: Functions["run"],
  { inputs, tables, bytesPerElement }: Kernel,
  { start, other, count, first }: Span,
  terms: number | undefined,
): void {
  if (!tables) {
    if (inputs === 1) run(count, start);
    else if (terms === undefined) run(count, other, start);
    else run(count, other, start, terms);
    return;
  }
  const entryBytes = tableEntryBytes(bytesPerElement);
  forEachSegment(tables.layout, first, count, (offset, length, entry) => {
    const bytes = offset * bytesPerElement;
    run(
      length,
      ...(inputs === 1 ? [start + bytes] : [other + bytes, start + bytes]),
      ...tables.addresses.map((table) => table + entry * entryBytes),
      ...(terms === undefined ? [] : [terms + offset * Float64Array.BYTES_PER_ELEMENT]),
    );
  });
}

/** @param terms address of the terms, where the program has sums */
function computeRows(
  functions: Functions & RowFunctions,
  { inputs, rows, tables, bytesPerElement, grain, channels }: Kernel,
  { start, other, count, first }: Span,
  scratch: Scratch,
  sums: ShardSums | undefined,
  terms: number,
): void {
  const addresses = inputs === 1 ? [start] : [other, start];
  const span = { inputs: addresses, count, first, bytesPerElement, rowLength: rows!.length };
  const all = { addresses: tables?.addresses ?? [], entryBytes: tableEntryBytes(bytesPerElement) };
  if (sums) runRowsWithSums(functions, span, all, scratch, { sums, terms, grain, channels });
  else runRows(functions, span, all, scratch);
}

/** Sums in a workspace, added up by the loops of a kernel's module. */
function openSums(
  { buffer }: WebAssembly.Memory,
  { sum, accumulate }: Functions,
  { shape, address }: NonNullable<Workspace["sums"]>,
): ShardSums {
  const memory = new Float64Array(buffer, address, ShardSums.length(shape));
  const at = (index: number): number => address + index * Float64Array.BYTES_PER_ELEMENT;
  return new ShardSums(shape, memory, {
    sum: (from, count) => sum(at(from), count),
    accumulate: (to, from, count) => accumulate(at(to), at(from), count),
  });
}

/** Tables hold the compute type: float64 for float64, float32 for the rest. */
export function tableEntryBytes(bytesPerElement: number): 4 | 8 {
  return bytesPerElement === 8 ? 8 : 4;
}

/** Of a row-wise kernel the row functions are there, of any other `run`. */
function instantiate(memory: WebAssembly.Memory, kernel: Kernel): Functions & RowFunctions {
  const known = instances.get(memory) ?? new Map<string, Functions & RowFunctions>();
  instances.set(memory, known);
  let functions = known.get(kernel.key);
  if (!functions) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(kernel.code), { env: { memory } });
    functions = instance.exports as unknown as Functions & RowFunctions;
    if (known.size >= MOST_INSTANCES) known.delete(known.keys().next().value!);
    known.set(kernel.key, functions);
  }
  return functions;
}
