/** @file Kernels on this thread, at once: for typed arrays that are in memory already. */
import type { RANGE_STRIDE } from "../device.ts";
import type { Channels } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import { type ElementArrays, evaluate } from "../ops/evaluate.ts";
import type { Program } from "../ops/program.ts";
import { runKernels } from "./kernels.ts";
import { sharedArena } from "./pool.ts";
import { prepareKernel } from "./prepare.ts";

/** Bytes moved into the arena at a time: they stay in the second-level cache. */
const PIECE_BYTES = 256 * 1024;
/** Below this, the oracle is done before the kernel would be found. */
const FEW_ELEMENTS = 512;

/**
 * Computes `from` into `to`, of the same length; they may be the same memory, but not overlap otherwise.
 *
 * @param channels needed where the program has parameters per channel
 */
export function computeInline<D extends Dtype>(
  program: Program,
  dtype: D,
  from: ElementArrays[D],
  to: ElementArrays[D],
  channels: Channels | null,
): void {
  if (from.length < FEW_ELEMENTS) {
    to.set(from);
    evaluate(program, dtype, to, channels ? { ...channels, first: 0 } : undefined);
    return;
  }
  const arena = sharedArena();
  const pieces: { address: number; length: number }[] = [];
  const allocate = (length: number): number => {
    const address = arena.allocate(length);
    pieces.push({ address, length });
    return address;
  };
  try {
    const kernels = [prepareKernel(program, dtype, channels, arena, allocate)];
    const address = allocate(PIECE_BYTES);
    const source = bytesOf(from);
    const target = bytesOf(to);
    const size = BYTES_PER_ELEMENT[dtype];
    const period = channels ? channels.count * channels.stride : 1;
    const piece = arena.bytes.subarray(address, address + PIECE_BYTES);
    for (let start = 0; start < source.length; start += PIECE_BYTES) {
      const end = Math.min(start + PIECE_BYTES, source.length);
      piece.set(source.subarray(start, end));
      const range = [0, (end - start) / size, 0, (start / size) % period, 0] satisfies Tuple<
        typeof RANGE_STRIDE
      >;
      runKernels(arena.memory, kernels, address, Float64Array.from(range));
      target.set(piece.subarray(0, end - start), start);
    }
  } finally {
    for (const { address, length } of pieces) arena.free(address, length);
  }
}

type Tuple<Length extends number> = number[] & { length: Length };

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
