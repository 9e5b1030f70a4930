/** @file The parts of a batch from a stream that are needed again, as a file that is read by position. */
import { DataFile } from "../data/data-file.ts";

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

export class HeldBody extends DataFile {
  readonly #pieces: Piece[] = [];
  /** The piece that has just passed, in memory that the next one uses again. */
  #passing: Piece | undefined;

  constructor(path: string) {
    const size = Number.POSITIVE_INFINITY;
    super({ kind: "file", path, fd: -1, size, identity: "", close: async () => {} }, undefined);
  }

  hold(start: number, bytes: Uint8Array): void {
    this.#pieces.push({ start, bytes });
  }

  /** The bytes at `start` are these, until the next call. */
  pass(start: number, bytes: Uint8Array): void {
    this.#passing = { start, bytes };
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#passing = undefined;
  }

  /** Where nothing is held, zeros: readers look a little ahead. */
  override async read(position: number, target: Uint8Array): Promise<void> {
    target.fill(0);
    const end = position + target.length;
    for (const { start, bytes } of [...this.#pieces, ...(this.#passing ? [this.#passing] : [])]) {
      const [from, to] = [Math.max(start, position), Math.min(start + bytes.length, end)];
      if (from < to) target.set(bytes.subarray(from - start, to - start), from - position);
    }
  }
}
