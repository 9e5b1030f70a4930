/**
 * @file Sums over all elements, the same bits whoever adds them up: the gradients of parameters.
 *
 * A run of elements (one tensor of one batch) is cut into shards at multiples of its grain, and a shard into blocks. What is added
 * in float64 has an order that follows from the shard alone; everything else is added exactly (`exact-sum.ts`), and so in
 * any order.
 *
 * ```text
 *   run       | shard                                   | shard                                   | shard          |
 *   shard     | block of 1024 terms  | block            |
 *
 *   one sum for all               a block is added up in 16 lanes, then added exactly
 *   channels of long runs         each run of a channel in the block is added up in 16 lanes, then added exactly
 *   channels of a short period    a b c a b c …   terms are added place by place, over the whole shard, then exactly
 * ```
 */
import { ExactSums } from "./exact-sum.ts";
import type { Program } from "./program.ts";

/** Elements whose terms are computed at a time. They stay in the processor's first cache. */
export const BLOCK = 1024;
/** Elements of a period of channels that is added place by place. */
const MOST_PLACES = 16_384;
const LEAST_PLACES = 256;
/** Turns over the places in one shard: what an exact addition costs is shared by as many terms. */
const MOST_TURNS = 32;
/** A shard has no more elements than these, so that it fits a window. */
const MOST_GRAIN = 131_072;
/** A block is added up in as many lanes, so that processors need not wait for one addition to begin the next. */
export const LANES = 16;

/** Which channel element i of a batch is in: `floor(i / stride) % count`. */
interface ElementChannels {
  readonly count: number;
  readonly stride: number;
}

/** What of a program and its tensors matters here; it crosses to workers. */
export interface SumsShape {
  /** Of each sum. */
  readonly perChannel: readonly boolean[];
  /** Sums that a sum per channel is. */
  readonly channels: number;
  /** The most places that one of the tensors needs for a sum. */
  readonly places: number;
}

/** @param tensors the channels of all tensors whose elements are summed */
export function sumsShape(
  { sums, channels }: Program,
  tensors: readonly (ElementChannels | null)[],
): SumsShape {
  const perChannel = sums.map((sum) => sum.perChannel);
  return {
    perChannel,
    channels: channels[0]?.values.length ?? 1,
    places: perChannel.includes(true) ? Math.max(0, ...tensors.map(placesOf)) : 0,
  };
}

/** Elements of a shard of a tensor; 1 where nothing is summed, and a tensor may be cut anywhere. */
export function grainOf({ sums }: Program, channels: ElementChannels | null): number {
  if (sums.length === 0) return 1;
  const places = sums.some(({ perChannel }) => perChannel) ? placesOf(channels) : 0;
  return places === 0 ? BLOCK : places * Math.min(MOST_TURNS, Math.floor(MOST_GRAIN / places));
}

/** A multiple of the channels' period, so that a short one has several places for each of its elements; 0 for a long one. */
function placesOf(channels: ElementChannels | null): number {
  if (!channels || channels.count === 1) return 0;
  const period = channels.count * channels.stride;
  return period > MOST_PLACES ? 0 : period * Math.ceil(LEAST_PLACES / period);
}

/** The inner loops, on float64s by their index in the memory of `ShardSums`. */
export interface SumLoops {
  /** The sum of `count` numbers in the order of `sumInLanes`. */
  sum(from: number, count: number): number;
  /** Adds `count` numbers to as many others, one by one. */
  accumulate(to: number, from: number, count: number): void;
}

/** The sums of one worker in the making. All that it knows lies in `memory`. */
export class ShardSums {
  readonly #shape: SumsShape;
  readonly #memory: Float64Array;
  readonly #loops: SumLoops;
  readonly #exact: readonly ExactSums[];
  /** Elements of the shard so far. */
  #done = 0;

  /**
   * Float64s that the sums take.
   *
   * ```text
   *   terms: BLOCK of each sum | places of each sum | exact sums
   * ```
   */
  static length(shape: SumsShape): number {
    const exact = shape.perChannel.map((each) => ExactSums.length(each ? shape.channels : 1));
    return exact.reduce((total, length) => total + length, shape.perChannel.length * (BLOCK + shape.places));
  }

  /** @param memory all zeros at the start */
  constructor(
    shape: SumsShape,
    memory: Float64Array = new Float64Array(ShardSums.length(shape)),
    loops: SumLoops = plainLoops(memory),
  ) {
    this.#shape = shape;
    this.#memory = memory;
    this.#loops = loops;
    let at = shape.perChannel.length * (BLOCK + shape.places);
    this.#exact = shape.perChannel.map((each) => {
      const count = each ? shape.channels : 1;
      const start = at;
      at += ExactSums.length(count);
      return new ExactSums(count, memory.subarray(start, at));
    });
  }

  /** Where the terms of a block go, `BLOCK` for each sum. */
  get terms(): Float64Array {
    return this.#memory.subarray(0, this.#exact.length * BLOCK);
  }

  /**
   * Adds the terms of a block.
   *
   * @param first index of the block's first element in its batch, where multiples of the channels' period may be left out
   */
  addBlock(count: number, first: number, channels: ElementChannels | null): void {
    const places = placesOf(channels);
    for (let sum = 0; sum < this.#exact.length; sum++) {
      if (this.#exact[sum]!.count === 1) this.#exact[sum]!.add(0, this.#loops.sum(sum * BLOCK, count));
      else if (places > 0) this.#addByPlace(sum, count, first, channels!, places);
      else if (channels!.stride === 1) this.#addEach(sum, count, first);
      else this.#addByRun(sum, count, first, channels!);
    }
    this.#done += count;
  }

  /** Ends a shard. */
  endShard(channels: ElementChannels | null): void {
    this.#done = 0;
    const places = placesOf(channels);
    if (places === 0) return;
    for (const [sum, exact] of this.#exact.entries()) {
      if (exact.count > 1) this.#addPlaces(exact, this.#placesOf(sum), channels!, places);
    }
  }

  merge(other: ShardSums): void {
    for (const [sum, exact] of this.#exact.entries()) exact.merge(other.#exact[sum]!);
  }

  /** The sums so far, each one number or one for each channel. */
  values(): Float64Array[] {
    return this.#exact.map((exact) => exact.values());
  }

  #placesOf(sum: number): number {
    return this.#exact.length * BLOCK + sum * this.#shape.places;
  }

  #addByPlace(sum: number, count: number, first: number, channels: ElementChannels, places: number): void {
    const start = this.#placesOf(sum);
    // The places of a shard follow from where in the period it begins, not from what was left out of `first`.
    const phase = (first - this.#done) % (channels.count * channels.stride);
    for (let done = 0; done < count; ) {
      const place = (phase + this.#done + done) % places;
      const length = Math.min(count - done, places - place);
      this.#loops.accumulate(start + place, sum * BLOCK + done, length);
      done += length;
    }
  }

  /** Adds what is in the places to the channels, and clears them. */
  #addPlaces(exact: ExactSums, start: number, { count, stride }: ElementChannels, places: number): void {
    const memory = this.#memory;
    if (stride === 1) {
      for (let place = 0; place < places; place += count) exact.addEach(0, memory, start + place, count);
    } else {
      for (let place = 0; place < places; place += stride) {
        exact.add((place / stride) % count, this.#sum(start + place, stride));
      }
    }
    memory.fill(0, start, start + places);
  }

  #sum(from: number, count: number): number {
    return count < LANES ? inOrder(this.#memory, from, count, 0) : this.#loops.sum(from, count);
  }

  #addEach(sum: number, count: number, first: number): void {
    const channels = this.#shape.channels;
    for (let done = 0; done < count; ) {
      const channel = (first + done) % channels;
      const length = Math.min(count - done, channels - channel);
      this.#exact[sum]!.addEach(channel, this.#memory, sum * BLOCK + done, length);
      done += length;
    }
  }

  #addByRun(sum: number, count: number, first: number, { stride, count: channels }: ElementChannels): void {
    for (let done = 0; done < count; ) {
      const index = first + done;
      const length = Math.min(count - done, stride - (index % stride));
      this.#exact[sum]!.add(Math.floor(index / stride) % channels, this.#sum(sum * BLOCK + done, length));
      done += length;
    }
  }
}

/** The loops in JavaScript. */
function plainLoops(memory: Float64Array): SumLoops {
  return {
    sum: (from, count) => sumInLanes(memory, from, count),
    accumulate(to, from, count) {
      for (let i = 0; i < count; i++) memory[to + i]! += memory[from + i]!;
    },
  };
}

/**
 * The order in which numbers are added up: number i goes to lane i mod 16, then lanes 8 to 15 are added to lanes 0 to 7,
 * 4 to 7 to 0 to 3, and so on. Numbers that do not fill the lanes once more are added at the end, one after the other.
 */
export function sumInLanes(numbers: Float64Array, from: number, count: number): number {
  const lanes = new Float64Array(LANES);
  const full = count - (count % LANES);
  for (let i = 0; i < full; i++) lanes[i % LANES]! += numbers[from + i]!;
  for (let width = LANES / 2; width >= 1; width /= 2) {
    for (let lane = 0; lane < width; lane++) lanes[lane]! += lanes[lane + width]!;
  }
  return inOrder(numbers, from + full, count - full, lanes[0]!);
}

function inOrder(numbers: Float64Array, from: number, count: number, start: number): number {
  let total = start;
  for (let i = 0; i < count; i++) total += numbers[from + i]!;
  return total;
}
