/**
 * @file The memory of the data: all rows, where they fit into two buffers, and are then read once; else two buffers by
 * turns, one that is served and one that the next rows are read into.
 */
import { BlockReader } from "./data-file.ts";
import type { Loader } from "./loader.ts";
import { RowBuffer, type RowLayout } from "./row-buffer.ts";

/** Windows that are read side by side: more do not read faster from memory, and a disk wants a few. */
const READERS = 3;

/** A buffer with windows in it: where each begins, in rows. */
export interface LoadedWindows {
  readonly buffer: RowBuffer;
  readonly bases: readonly number[];
}

/** A place for one group of windows at a time. */
export interface WindowBuffer {
  /** Reads what is not here yet. The windows before are gone, when it begins. */
  load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<LoadedWindows>;
}

/** Two buffers, for an epoch to take turns. */
export type BufferPair = readonly [WindowBuffer, WindowBuffer];

/** `rows` rows: windows take the place of those before. */
export class GroupBuffer implements WindowBuffer {
  readonly #loader: Loader;
  readonly #rows: number;
  readonly #layout: RowLayout;
  #buffer: RowBuffer | undefined;

  constructor(loader: Loader, rows: number, layout: RowLayout) {
    this.#loader = loader;
    this.#rows = rows;
    this.#layout = layout;
  }

  async load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<LoadedWindows> {
    this.#buffer ??= new RowBuffer(this.#rows, this.#layout);
    const buffer = this.#buffer;
    const bases: number[] = [];
    let rows = 0;
    for (let i = 0; i < windows.length; i++) {
      bases.push(rows);
      rows += this.#loader.windows.rowsIn(windows[i]!);
    }
    await sideBySide(windows.length, isClosed, (i, reader) =>
      this.#loader.load(windows[i]!, buffer, bases[i]!, reader),
    );
    return { buffer, bases };
  }
}

/** All rows, each window read when it is first needed. */
export class FullBuffer implements WindowBuffer {
  readonly #loader: Loader;
  readonly #layout: RowLayout;
  readonly #loaded = new Map<number, Promise<void>>();
  #buffer: RowBuffer | undefined;

  constructor(loader: Loader, layout: RowLayout) {
    this.#loader = loader;
    this.#layout = layout;
  }

  async load(windows: ArrayLike<number>, isClosed: () => boolean): Promise<LoadedWindows> {
    this.#buffer ??= new RowBuffer(this.#loader.windows.rows, this.#layout);
    const buffer = this.#buffer;
    const bases = Array.from(windows, (window) => this.#loader.windows.rowsBefore(window));
    await sideBySide(windows.length, isClosed, (i, reader) => {
      const window = windows[i]!;
      const known = this.#loaded.get(window);
      if (known) return known;
      const loading = this.#loader.load(window, buffer, bases[i]!, reader);
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
  work: (index: number, reader: BlockReader) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    const reader = new BlockReader();
    try {
      while (next < count && !isClosed()) await work(next++, reader);
    } catch (error) {
      next = count;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(READERS, count) }, run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
