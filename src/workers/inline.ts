/** @file Kernels on this thread, at once: for typed arrays that are in memory already. */
import type { Channels } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import { type ElementArrays, evaluate } from "../ops/evaluate.ts";
import { evaluateRows } from "../ops/evaluate-rows.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { ShardSums, sumsShape } from "../ops/shards.ts";
import { runKernels, type Workspace } from "./kernels.ts";
import { sharedArena } from "./pool.ts";
import { prepareKernel } from "./prepare.ts";
import { scratchOf } from "./rows/compile.ts";

/** Bytes of each array moved into the arena at a time: they stay in the second-level cache. */
const PIECE_BYTES = 256 * 1024;
/** Below this, the oracle is done before the kernel would be found. */
const FEW_ELEMENTS = 512;

/**
 * Computes `inputs` into `to`, all of the same length; `to` may be the same memory as the program's target, but not
 * overlap an input otherwise.
 *
 * @param inputs one array for each input of the program
 * @param channels needed where the program has parameters per channel
 * @param rowLength of a row-wise program: the length of the last axis, which divides that of the arrays
 * @returns the program's sums
 */
export function computeInline<D extends Dtype>(
  program: Program,
  dtype: D,
  inputs: readonly ElementArrays[D][],
  to: ElementArrays[D],
  channels: Channels | null,
  rowLength = to.length,
): readonly Float64Array[] {
  const shape = program.sums.length > 0 ? sumsShape(program, [channels]) : undefined;
  if (to.length < FEW_ELEMENTS) {
    const sums = shape && new ShardSums(shape);
    to.set(inputs[program.target]!);
    const elements = inputs.map((input, i) => (i === program.target ? to : input));
    const position = channels ? { ...channels, first: 0 } : undefined;
    if (isRowWise(program)) evaluateRows(program, dtype, elements, rowLength, position, sums);
    else evaluate(program, dtype, elements, position, sums);
    return sums?.values() ?? [];
  }
  const arena = sharedArena();
  const pieces: { address: number; length: number }[] = [];
  const allocate = (length: number): number => {
    const address = arena.allocate(length);
    pieces.push({ address, length });
    return address;
  };
  try {
    const kernel = prepareKernel(program, dtype, channels, arena, allocate, rowLength);
    const workspace: Workspace = {
      sums: shape && { address: allocate(8 * ShardSums.length(shape)), shape },
      scratch: kernel.rows
        ? { address: allocate(scratchOf(program, dtype, rowLength).full), isFull: true }
        : undefined,
    };
    const { sums } = workspace;
    const memory =
      sums && new Float64Array(arena.memory.buffer, sums.address, ShardSums.length(sums.shape)).fill(0);
    const size = BYTES_PER_ELEMENT[dtype];
    const shard = kernel.grain * size;
    const most = Math.max(shard, PIECE_BYTES - (PIECE_BYTES % shard));
    const places = inputs.map(() => allocate(most));
    const period = channels ? channels.count * channels.stride : 1;
    const target = bytesOf(to);
    for (let start = 0; start < target.length; start += most) {
      const length = Math.min(most, target.length - start);
      for (const [i, input] of inputs.entries()) {
        arena.bytes.set(bytesOf(input).subarray(start, start + length), places[i]!);
      }
      const [place, other] = [places[program.target]!, places[0]!];
      const range = Float64Array.of(place, length / size, 0, (start / size) % period, other);
      runKernels(arena.memory, [kernel], 0, range, workspace);
      target.set(arena.bytes.subarray(place, place + length), start);
    }
    return sums ? new ShardSums(sums.shape, memory).values() : [];
  } finally {
    for (const { address, length } of pieces) arena.free(address, length);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
