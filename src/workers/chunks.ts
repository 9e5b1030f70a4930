/**
 * @file Cuts a window into chunks that stay in a core's own cache from the read to the write.
 *
 * ```text
 *   window     | chunk          | chunk          | chunk          | chunk |
 *   ranges        [ elements ........................ ]   [ elements ... ]
 *   computed      [ ........... ][ .............. ][  ]   [ ... ][ ..... ]
 * ```
 * Large windows are few messages, small chunks are few trips to memory. An element that reaches over the end of a chunk is
 * computed with the next one; so is a row or a shard, which must stay whole.
 */
import { RANGE_STRIDE, type Ranges } from "../device.ts";
import type { Kernel } from "./kernels.ts";

/** Half of a second-level cache as server processors have it (1 MiB and more), as the page cache passes through it too. */
export const CHUNK_BYTES = 512 * 1024;

export interface Chunk {
  /** So far the window must be there. */
  readonly end: number;
  /** So far the slot must hold x, where it stands behind the window; 0 where it does not. */
  readonly otherEnd: number;
  /** What to compute then. */
  readonly ranges: Ranges;
  /** So far the window is done after that. */
  readonly done: number;
}

/** The chunks of a window of `length` bytes, in order; at least one. */
export function* chunks(length: number, ranges: Ranges, kernels: readonly Kernel[]): Generator<Chunk> {
  if (length <= CHUNK_BYTES) {
    yield { end: length, otherEnd: Number.POSITIVE_INFINITY, ranges, done: length };
    return;
  }
  const cutter = new RangeCutter(length, ranges, kernels);
  for (let end = 0; end < length; ) {
    end = Math.min(end + CHUNK_BYTES, length);
    yield { end, ...cutter.next(end) };
  }
}

class RangeCutter {
  readonly #length: number;
  readonly #ranges: Ranges;
  readonly #kernels: readonly Kernel[];
  /** The first range that is not done, and how many of its elements are. */
  #at = 0;
  #elements = 0;

  constructor(length: number, ranges: Ranges, kernels: readonly Kernel[]) {
    this.#length = length;
    this.#ranges = ranges;
    this.#kernels = kernels;
  }

  /** What can be computed where the first `end` bytes of the window are there. */
  next(end: number): Omit<Chunk, "end"> {
    const parts: number[] = [];
    let otherEnd = 0;
    while (this.#at < this.#ranges.length) {
      const [start, count, tensor, first, other] = this.#rest();
      const { bytesPerElement, grain, inputs } = this.#kernels[tensor]!;
      const hasOther = inputs > 1;
      const isBehind = hasOther && other >= this.#length;
      // x in the window itself must be there as well.
      const last = hasOther && !isBehind ? Math.max(start, other) : start;
      const fit = Math.floor(Math.max(0, end - last) / bytesPerElement);
      const taken = fit >= count ? count : fit - (fit % grain);
      if (taken > 0) {
        parts.push(start, taken, tensor, first, other);
        if (isBehind) otherEnd = other + taken * bytesPerElement;
        this.#elements += taken;
      }
      if (taken < count) {
        // The range may begin only behind the chunk.
        const done = Math.min(end, start + taken * bytesPerElement);
        return { otherEnd, ranges: Float64Array.from(parts), done };
      }
      this.#at += RANGE_STRIDE;
      this.#elements = 0;
    }
    return { otherEnd, ranges: Float64Array.from(parts), done: end };
  }

  /** What is left of the first range that is not done. */
  #rest(): [start: number, count: number, tensor: number, first: number, other: number] {
    const [start, count, tensor, first, other] = this.#ranges.subarray(this.#at, this.#at + RANGE_STRIDE);
    const bytes = this.#elements * this.#kernels[tensor!]!.bytesPerElement;
    return [start! + bytes, count! - this.#elements, tensor!, first! + this.#elements, other! + bytes];
  }
}
