/**
 * @file x's elements, where dy is what the windows hold: how they get into the slot behind the window.
 *
 * ```text
 *   slot    | window: ... dy ... dy ... | x | x |         range = [dy's offset, count, tensor, channel, x's offset]
 *           0                           windowBytes
 * ```
 * From a file the worker reads them, from a stream they are copied here; and where a window of a file holds both
 * columns of a small batch, x is in the window itself and nothing is read twice.
 */
import { type OtherReads, RANGE_STRIDE, type Slot } from "../device.ts";
import { MemoryError, TruncatedError } from "../errors.ts";
import type { StreamFeed } from "./feed.ts";

/** A part of an input. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface Others {
  /** Before a run of dy is placed: waits until its x, at `extent`, can be placed with it. */
  prepare(extent: Extent): Promise<Uint8Array> | undefined;
  /** Takes x for the next range of the window; gives the range's fifth number, which `finish` may still change. */
  place(slot: Slot, windowBytes: number, extent: Extent): number | Promise<number>;
  /** The window is complete; `own` is its piece of the input file, where it is one. Gives what is still to be read. */
  finish(ranges: number[], windowBytes: number, own: Extent | undefined): OtherReads | undefined;
  /** So many bytes of x come next, and will be retained. */
  reserve(length: number): void;
  /** These bytes of x pass by, at `offset` of the input, before the dy that they stand beside. */
  retain(offset: number, bytes: Uint8Array): void;
  /** The batch is over: what was retained is not needed any more. */
  forget(): void;
}

/** In a file, by position. */
export class OthersInFile implements Others {
  readonly #file: { readonly fd: number; readonly path: string };
  /** Whether it is the file that the windows are of. */
  readonly #own: boolean;
  #lengths: number[] = [];

  constructor({ fd, path }: { readonly fd: number; readonly path: string }, own: boolean) {
    this.#file = { fd, path };
    this.#own = own;
  }

  prepare(): undefined {}

  place(_slot: Slot, _windowBytes: number, { offset, length }: Extent): number {
    this.#lengths.push(length);
    return offset;
  }

  finish(ranges: number[], windowBytes: number, own: Extent | undefined): OtherReads | undefined {
    const pieces: number[] = [];
    const window = this.#own && own ? own : { offset: 0, length: 0 };
    const end = window.offset + window.length;
    let used = windowBytes;
    for (const [i, length] of this.#lengths.entries()) {
      const at = i * RANGE_STRIDE + 4;
      const offset = ranges[at]!;
      if (offset >= window.offset && offset + length <= end) {
        ranges[at] = offset - window.offset;
        continue;
      }
      ranges[at] = used;
      const last = pieces.length - 3;
      if (last >= 0 && pieces[last]! + pieces[last + 1]! === offset) pieces[last + 1]! += length;
      else pieces.push(offset, length, used);
      used += length;
    }
    this.#lengths = [];
    return pieces.length === 0 ? undefined : { ...this.#file, pieces: Float64Array.from(pieces) };
  }

  reserve(): void {}
  retain(): void {}
  forget(): void {}
}

/** In the stream that the windows are of: what comes before dy is retained, for what comes after one looks ahead. */
export class OthersInStream implements Others {
  readonly #feed: StreamFeed;
  readonly #memory: number;
  #retained: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  /** Index of the piece that was used last: runs come in the order of their x. */
  #recalled = 0;
  #used = 0;

  /** @param memory the most bytes to hold, or to look ahead */
  constructor(feed: StreamFeed, memory: number) {
    this.#feed = feed;
    this.#memory = memory;
  }

  prepare({ offset, length }: Extent): Promise<Uint8Array> | undefined {
    const ahead = offset + length - this.#feed.position;
    if (offset < this.#feed.position) return undefined;
    this.#require(ahead);
    const bytes = this.#feed.peek(ahead);
    if (bytes instanceof Uint8Array) return undefined;
    return bytes.then((found) => {
      if (found.length === ahead) return found;
      throw new TruncatedError("The input ends in the middle of a batch", {
        position: { path: this.#feed.source.path, byteOffset: this.#feed.position + found.length },
        remedy: "Check that whatever wrote it ran to its end.",
      });
    });
  }

  place(slot: Slot, windowBytes: number, { offset, length }: Extent): number {
    const start = windowBytes + this.#used;
    this.#used += length;
    const target = slot.bytes.subarray(start, start + length);
    const ahead = offset - this.#feed.position;
    if (ahead >= 0) target.set((this.#feed.peek(ahead + length) as Uint8Array).subarray(ahead));
    else this.#recall(target, offset);
    return start;
  }

  finish(): undefined {
    this.#used = 0;
  }

  reserve(length: number): void {
    this.#require(length);
  }

  retain(offset: number, bytes: Uint8Array): void {
    this.#retained.push({ offset, bytes: Uint8Array.from(bytes) });
  }

  forget(): void {
    this.#retained = [];
    this.#recalled = 0;
  }

  /** Copies from what was retained, which lies in one run of the input. */
  #recall(target: Uint8Array, offset: number): void {
    for (let filled = 0; filled < target.length; ) {
      const { offset: start, bytes } = this.#retained[this.#recalled]!;
      const part = bytes.subarray(offset + filled - start).subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      if (filled < target.length) this.#recalled++;
    }
  }

  #require(bytes: number): void {
    if (bytes <= this.#memory) return;
    throw new MemoryError(
      `A batch needs ${bytes} bytes of the stream at once, to have x and dy side by side`,
      {
        position: { path: this.#feed.source.path, byteOffset: this.#feed.position },
        remedy:
          `Give --memory ${bytes} or more (in the API: memory), or write smaller batches; ` +
          "the path of a file needs none of that.",
      },
    );
  }
}

/** In a stream of their own, in step with dy. */
export class OthersInOwnStream implements Others {
  readonly #feed: StreamFeed;
  #used = 0;

  constructor(feed: StreamFeed) {
    this.#feed = feed;
  }

  prepare(): undefined {}

  place(slot: Slot, windowBytes: number, { length }: Extent): number | Promise<number> {
    const start = windowBytes + this.#used;
    this.#used += length;
    const waiting = this.#feed.fill(slot.bytes.subarray(start, start + length));
    return waiting ? waiting.then(() => start) : start;
  }

  finish(): undefined {
    this.#used = 0;
  }

  reserve(): void {}
  retain(): void {}
  forget(): void {}
}
