/**
 * @file The memory of the data: all rows, where they fit into two buffers, and are then read once; else two buffers by
 * turns, one that is served and one that the next rows are read into.
 */
import { Lane } from "./data-file.ts";
import type { Loader } from "./loader.ts";
import { RowBuffer, type RowLayout } from "./row-buffer.ts";

/** Windows that are read side by side: more do not read faster from memory, and a disk wants a few. */
const LANES = 3;

/** A buffer with windows in it: where each begins, in rows. */
export interface Placed {
  readonly buffer: RowBuffer;
  readonly bases: readonly number[];
}

/** A place for one group of windows at a time. */
export interface Bay {
  /** Reads what is not here yet. The windows before are gone, when it begins. */
  load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<Placed>;
}

/** Two bays, for a reader to take turns. */
export type Bays = readonly [Bay, Bay];

/** One buffer of `rows` rows. */
export class OwnBay implements Bay {
  readonly #loader: Loader;
  readonly #rows: number;
  readonly #layout: RowLayout;
  #buffer: RowBuffer | undefined;

  constructor(loader: Loader, rows: number, layout: RowLayout) {
    this.#loader = loader;
    this.#rows = rows;
    this.#layout = layout;
  }

  async load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<Placed> {
    this.#buffer ??= new RowBuffer(this.#rows, this.#layout);
    const buffer = this.#buffer;
    const bases: number[] = [];
    let rows = 0;
    for (let i = 0; i < windows.length; i++) {
      bases.push(rows);
      rows += this.#loader.windows.rowsIn(windows[i]!);
    }
    await sideBySide(windows.length, isClosed, (i, lane) =>
      this.#loader.load(windows[i]!, buffer, bases[i]!, lane),
    );
    return { buffer, bases };
  }
}

/** All rows, each window read when it is first needed. */
export class SharedBay implements Bay {
  readonly #loader: Loader;
  readonly #layout: RowLayout;
  readonly #loaded = new Map<number, Promise<void>>();
  #buffer: RowBuffer | undefined;

  constructor(loader: Loader, layout: RowLayout) {
    this.#loader = loader;
    this.#layout = layout;
  }

  async load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<Placed> {
    this.#buffer ??= new RowBuffer(this.#loader.windows.rows, this.#layout);
    const buffer = this.#buffer;
    const bases = Array.from(windows, (window) => this.#loader.windows.rowsBefore(window));
    await sideBySide(windows.length, isClosed, (i, lane) => {
      const window = windows[i]!;
      const known = this.#loaded.get(window);
      if (known) return known;
      const loading = this.#loader.load(window, buffer, bases[i]!, lane);
      this.#loaded.set(window, loading);
      // What failed may be tried again.
      loading.catch(() => this.#loaded.delete(window));
      return loading;
    });
    return { buffer, bases };
  }
}

/** Runs `work` for 0 to `count`, a few at once; when it ends, none is under way, even if one has failed. */
async function sideBySide(
  count: number,
  isClosed: () => boolean,
  work: (index: number, lane: Lane) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    const lane = new Lane();
    try {
      while (next < count && !isClosed()) await work(next++, lane);
    } catch (error) {
      next = count;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(LANES, count) }, run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
