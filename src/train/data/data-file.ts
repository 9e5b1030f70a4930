/** @file A file that is read by position, and the memory of one of the readers that work side by side. */
import { read } from "node:fs";
import { AbortError, ioError, TruncatedError } from "../../errors.ts";
import type { FileSource } from "../../pipeline/source.ts";

/** One read must stay below 2^31 bytes. */
const MOST_AT_ONCE = 2 ** 30;

export class DataFile {
  readonly source: FileSource;
  readonly #signal: AbortSignal | undefined;

  constructor(source: FileSource, signal: AbortSignal | undefined) {
    this.source = source;
    this.#signal = signal;
  }

  get path(): string {
    return this.source.path;
  }

  /** Fills `target` with the bytes at `position`. @throws IoError, TruncatedError, AbortError */
  async read(position: number, target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      this.requireNotAborted();
      const moved = await this.#some(position + filled, target, filled);
      if (moved === 0) {
        throw new TruncatedError("The input became shorter while it was read", {
          position: { path: this.path, byteOffset: position + filled },
          remedy: "Let whatever writes it finish first.",
        });
      }
      filled += moved;
    }
  }

  requireNotAborted(): void {
    if (this.#signal?.aborted) throw new AbortError(this.#signal.reason);
  }

  #some(position: number, target: Uint8Array, from: number): Promise<number> {
    const length = Math.min(target.length - from, MOST_AT_ONCE);
    return new Promise((resolve, reject) => {
      read(this.source.fd, target, from, length, position, (cause, count) => {
        if (cause) reject(ioError(cause, "read", { path: this.path, byteOffset: position }));
        else resolve(count);
      });
    });
  }
}

/** Reads of fewer bytes go through a block, if they follow each other closely. */
const SMALL = 32 * 1024;
const MOST_BLOCK = 256 * 1024;

/** Memory for bytes on their way, and a block of the file for small reads that are near each other (small batches). */
export class BlockReader {
  #memory = new ArrayBuffer(SMALL);
  #used = 0;
  #file: DataFile | undefined;
  #block = new Uint8Array(0);
  #blockStart = 0;
  #blockBytes = 0;

  /** Memory at a multiple of 8, good until `reset`. */
  take(bytes: number): Uint8Array {
    let at = Math.ceil(this.#used / 8) * 8;
    if (at + bytes > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(Math.max(bytes, 2 * this.#memory.byteLength));
      at = 0;
    }
    this.#used = at + bytes;
    return new Uint8Array(this.#memory, at, bytes);
  }

  reset(): void {
    this.#used = 0;
  }

  /** The bytes at `position`, in memory of the reader. */
  async bytes(file: DataFile, position: number, length: number): Promise<Uint8Array> {
    const target = this.take(length);
    await this.read(file, position, target);
    return target;
  }

  /** Fills `target` with the bytes at `position`. */
  async read(file: DataFile, position: number, target: Uint8Array): Promise<void> {
    if (target.length >= SMALL) return file.read(position, target);
    const end = this.#blockStart + this.#block.length;
    const known = file === this.#file && position >= this.#blockStart;
    if (!known || position + target.length > end) {
      const dense = known && position <= end + SMALL;
      this.#blockBytes = dense ? Math.min(4 * this.#blockBytes, MOST_BLOCK) : target.length;
      const length = Math.min(Math.max(this.#blockBytes, target.length), file.source.size - position);
      // Bytes beyond the file's end are asked for only by what `file.read` is to refuse.
      if (length < target.length) return file.read(position, target);
      this.#file = undefined;
      this.#block = new Uint8Array(length);
      await file.read(position, this.#block);
      [this.#file, this.#blockStart] = [file, position];
    }
    const from = position - this.#blockStart;
    target.set(this.#block.subarray(from, from + target.length));
  }
}
