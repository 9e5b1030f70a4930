/**
 * @file One epoch of one part: groups of windows are read, one ahead of the one that is served, and their rows served,
 * shuffled or as they are stored.
 *
 * ```text
 *   windows of the epoch, shuffled   7 2 9 | 0 5 3 | 8 1 4 | 6
 *   groups of a buffer's size        served  read    later
 * ```
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { UsageError } from "../../errors.ts";
import { keyOf, type RandomKey, shuffle, uniformAt } from "../random.ts";
import type { BufferPair } from "./buffers.ts";
import type { BatchTarget, EpochReader } from "./dataset.ts";
import type { Loader, Part } from "./loader.ts";
import type { RowBuffer } from "./row-buffer.ts";
import { PURPOSE } from "./split.ts";

export interface EpochOptions {
  readonly part: Part;
  /** Rows of a group at most, unless one window has more. */
  readonly rows: number;
  /** Left out, rows come as they are stored. */
  readonly shuffled?: { readonly seed: number; readonly epoch: number } | undefined;
}

/** Rows that are served: those of `list`, in its order, or drawn from what is left of it. */
interface Group {
  readonly buffer: RowBuffer;
  readonly list: Uint32Array;
  readonly count: number;
  readonly key: RandomKey | null;
  served: number;
}

export class Epoch implements EpochReader {
  readonly #loader: Loader;
  readonly #options: EpochOptions;
  readonly #takeBuffers: () => BufferPair;
  readonly #giveBuffers: (buffers: BufferPair | undefined) => void;
  readonly #order: Uint32Array;
  #buffers: BufferPair | undefined;
  /** Of the windows in their order. */
  #next = 0;
  #groups = 0;
  #loads = 0;
  #group: Group | undefined;
  #ahead: Promise<Group | undefined> | undefined;
  /** Rows that are still to be passed over. */
  #skipped = 0;
  #closed = false;
  /** Whether the next rows are being read, and rows served since the event loop turned. */
  #isReading = false;
  #sinceTurn = 0;

  constructor(
    loader: Loader,
    options: EpochOptions,
    takeBuffers: () => BufferPair,
    giveBuffers: (buffers: BufferPair | undefined) => void,
  ) {
    this.#loader = loader;
    this.#options = options;
    this.#takeBuffers = takeBuffers;
    this.#giveBuffers = giveBuffers;
    const all = Uint32Array.from({ length: loader.windows.count }, (_, window) => window);
    this.#order = all.filter((window) => loader.count(window, options.part) > 0);
    const { shuffled } = options;
    if (shuffled) shuffle(this.#order, keyOf(shuffled.seed, PURPOSE.windows, shuffled.epoch));
  }

  async fill(target: BatchTarget, rows: number): Promise<number> {
    let filled = 0;
    while (filled < rows) {
      const group = await this.#current();
      if (group === undefined) break;
      const count = Math.min(rows - filled, group.count - group.served);
      draw(group, count);
      group.buffer.copy(group.list, group.served, count, target, filled);
      group.served += count;
      filled += count;
      this.#sinceTurn += count;
    }
    if (this.#isReading && this.#sinceTurn >= this.#loader.windows.size) {
      // Reads go on only when the event loop turns, and whoever calls this in a loop may never let it.
      await nextTurn();
      this.#sinceTurn = 0;
    }
    return filled;
  }

  async skip(rows: number): Promise<void> {
    this.#skipped += rows;
    // What is read already is passed over here, and the rest when its turn comes.
    const ahead = await this.#ahead;
    for (const group of [this.#group, ahead]) if (group) this.#pass(group);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#ahead?.catch(() => {});
    this.#end();
  }

  /** A group with rows left to serve; `undefined` at the end. */
  async #current(): Promise<Group | undefined> {
    if (this.#closed) throw new UsageError("The rows of this epoch were closed");
    while (this.#group === undefined || this.#group.served === this.#group.count) {
      this.#ahead ??= this.#load();
      // Its rows are served: the next but one may be read in its place.
      this.#group = undefined;
      const group = await this.#ahead;
      this.#ahead = undefined;
      if (group === undefined) {
        this.#end();
        return undefined;
      }
      this.#group = group;
      this.#pass(group);
      this.#ahead = this.#load();
      // Told when it is waited for.
      this.#ahead.catch(() => {});
    }
    return this.#group;
  }

  #pass(group: Group): void {
    const count = Math.min(this.#skipped, group.count - group.served);
    draw(group, count);
    group.served += count;
    this.#skipped -= count;
  }

  /** Reads the next group that is not passed over as a whole. */
  async #load(): Promise<Group | undefined> {
    const { part, shuffled } = this.#options;
    for (;;) {
      const windows = this.#nextWindows();
      if (windows.length === 0) return undefined;
      const index = this.#groups++;
      const count = windows.reduce((sum, window) => sum + this.#loader.count(window, part), 0);
      if (this.#skipped >= count) {
        this.#skipped -= count;
        continue;
      }
      this.#buffers ??= this.#takeBuffers();
      const windowBuffer = this.#buffers[this.#loads++ % 2]!;
      this.#isReading = true;
      const { buffer, bases } = await windowBuffer
        .load(windows, () => this.#closed)
        .finally(() => {
          this.#isReading = false;
        });
      const list = new Uint32Array(count);
      if (!this.#closed) {
        let at = 0;
        for (const [i, window] of windows.entries()) {
          at = this.#loader.list(window, part, buffer, bases[i]!, list, at);
        }
      }
      const key = shuffled ? keyOf(shuffled.seed, PURPOSE.rows, shuffled.epoch, index) : null;
      return { buffer, list, count, key, served: 0 };
    }
  }

  /** As many windows as a buffer holds, at least one where any are left. */
  #nextWindows(): Uint32Array {
    const start = this.#next;
    let rows = 0;
    while (this.#next < this.#order.length) {
      rows += this.#loader.windows.rowsIn(this.#order[this.#next]!);
      if (rows > this.#options.rows && this.#next > start) break;
      this.#next++;
    }
    return this.#order.subarray(start, this.#next);
  }

  #end(): void {
    this.#giveBuffers(this.#buffers);
    this.#buffers = undefined;
    this.#group = undefined;
    this.#next = this.#order.length;
  }
}

/** Draws the next `count` rows from those that are left (Fisher and Yates): the order does not depend on how many. */
function draw({ list, key, served, count: all }: Group, count: number): void {
  if (key === null) return;
  for (let i = served; i < served + count; i++) {
    const other = i + Math.floor(uniformAt(key, i) * (all - i));
    const row = list[other]!;
    list[other] = list[i]!;
    list[i] = row;
  }
}
