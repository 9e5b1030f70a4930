/**
 * @file Sums over the rows of a batch, each one number or one for each channel: gradients of small parameters, statistics.
 *
 * ```text
 *   shard 0    terms ... -> accumulators -> partial sums \
 *   shard 1    terms ... -> accumulators -> partial sums  > added in tree order: the total
 *   shard 2    terms ... -> accumulators -> partial sums /
 * ```
 *
 * All is float64, and the order follows from the batch alone.
 */
import type { Channels } from "../../formats/layout.ts";
import { BLOCK } from "../../ops/shards.ts";
import type { Loops } from "./loops.ts";
import type { Region } from "./region.ts";
import type { Tools } from "./tools.ts";

const DOUBLE_BYTES = 8;
/** Elements of one channel that are added up at once; where fewer stand together, they are added place by place. */
const LEAST_RUN = 16;

export class BatchSums {
  /** The terms of a block, `BLOCK` for each sum, and the accumulators of one shard. */
  readonly scratchBytes: number;
  readonly #tools: Tools;
  readonly #loops: Pick<Loops, "sum" | "accumulate">;
  readonly #size: number;
  readonly #sums: readonly Sum[];

  /**
   * @param channels of each sum
   * @param size elements of a row
   */
  constructor(
    { tools, region, shards }: { tools: Tools; region: Region; shards: number },
    channels: readonly Channels[],
    size: number,
  ) {
    this.#tools = tools;
    this.#loops = tools.loops;
    this.#size = size;
    let at = channels.length * BLOCK;
    this.#sums = channels.map((each): Sum => {
      const byRun = each.count === 1 || each.stride >= LEAST_RUN;
      const accumulators = at;
      const length = byRun ? each.count : size;
      at += length;
      const partials = region.doubles(shards * each.count);
      return {
        ...each,
        stride: each.count === 1 ? size : each.stride,
        byRun,
        accumulators,
        length,
        partials,
      };
    });
    this.scratchBytes = DOUBLE_BYTES * at;
  }

  /** Begins a shard. Terms of sum k go to `scratch`, 8 k BLOCK bytes further on. */
  begin(scratch: number): void {
    const start = scratch / DOUBLE_BYTES;
    for (const { accumulators, length } of this.#sums) {
      this.#tools.doubles.fill(0, start + accumulators, start + accumulators + length);
    }
  }

  /** Adds the terms of at most BLOCK elements, of which the first is number `place` of its row. */
  add(scratch: number, place: number, count: number): void {
    for (const [k, sum] of this.#sums.entries()) {
      const terms = scratch + DOUBLE_BYTES * BLOCK * k;
      const accumulators = scratch + DOUBLE_BYTES * sum.accumulators;
      if (sum.byRun) this.#addRuns(sum, accumulators, terms, place, count);
      else this.#addPlaces(accumulators, terms, place, count);
    }
  }

  /** Ends a shard: its sums become its partial sums. */
  end(scratch: number, shard: number): void {
    const { doubles } = this.#tools;
    for (const sum of this.#sums) {
      const from = scratch / DOUBLE_BYTES + sum.accumulators;
      const to = sum.partials / DOUBLE_BYTES + shard * sum.count;
      if (sum.byRun) {
        doubles.copyWithin(to, from, from + sum.count);
        continue;
      }
      doubles.fill(0, to, to + sum.count);
      for (let i = 0; i < sum.length; i++) {
        doubles[to + (Math.floor(i / sum.stride) % sum.count)]! += doubles[from + i]!;
      }
    }
  }

  /** The address of the totals of sum k, after `shards` shards. Once for each batch. */
  total(k: number, shards: number): number {
    const { partials, count } = this.#sums[k]!;
    const bytes = DOUBLE_BYTES * count;
    for (let width = 1; width < shards; width *= 2) {
      for (let i = 0; i + width < shards; i += 2 * width) {
        this.#loops.accumulate(partials + i * bytes, partials + (i + width) * bytes, count);
      }
    }
    return partials;
  }

  #addRuns(
    { count: channels, stride }: Sum,
    accumulators: number,
    terms: number,
    place: number,
    count: number,
  ): void {
    const { doubles } = this.#tools;
    for (let done = 0; done < count; ) {
      const index = place + done;
      const length = Math.min(count - done, stride - (index % stride));
      const at = accumulators / DOUBLE_BYTES + (Math.floor(index / stride) % channels);
      doubles[at]! += this.#loops.sum(terms + DOUBLE_BYTES * done, length);
      done += length;
    }
  }

  #addPlaces(accumulators: number, terms: number, place: number, count: number): void {
    const size = this.#size;
    for (let done = 0; done < count; ) {
      const at = (place + done) % size;
      const length = Math.min(count - done, size - at);
      this.#loops.accumulate(accumulators + DOUBLE_BYTES * at, terms + DOUBLE_BYTES * done, length);
      done += length;
    }
  }
}

interface Sum extends Channels {
  readonly byRun: boolean;
  /** Number of the first accumulator in the scratch memory, and how many there are. */
  readonly accumulators: number;
  readonly length: number;
  /** Address of the partial sums of the first shard. */
  readonly partials: number;
}
