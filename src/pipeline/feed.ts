/**
 * @file A source as the walk over a layout needs it: look ahead a little, then move. A file's bodies are never read
 * here, only passed over; a stream's bodies are copied once, into a slot.
 */
import { read } from "node:fs";
import { ioError, TruncatedError } from "../errors.ts";
import type { FileSource, StreamSource } from "./source.ts";

const LEAST_BLOCK = 64 * 1024;
const MOST_BLOCK = 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** Reads what a walk asks to see of a file, in blocks that grow while the walk asks for one place after the other. */
export class FileFeed {
  position = 0;
  readonly source: FileSource;
  /** The bytes of the last block, in memory that the next one uses again. */
  #block: Uint8Array = new Uint8Array(0);
  #blockMemory: Uint8Array = new Uint8Array(0);
  #blockStart = 0;
  #blockBytes = LEAST_BLOCK;

  constructor(source: FileSource) {
    this.source = source;
  }

  /** The next `length` bytes, until the next peek; fewer where the file ends. */
  peek(length: number): Uint8Array | Promise<Uint8Array> {
    return this.#cached(length) ?? this.#load(length);
  }

  skip(length: number): void {
    this.position += length;
  }

  #cached(length: number): Uint8Array | undefined {
    const start = this.position - this.#blockStart;
    const end = Math.min(start + length, Math.max(this.source.size - this.#blockStart, start));
    return start >= 0 && end <= this.#block.length ? this.#block.subarray(start, end) : undefined;
  }

  async #load(length: number): Promise<Uint8Array> {
    const gap = this.position - (this.#blockStart + this.#block.length);
    const dense = gap <= 0 && this.position >= this.#blockStart && this.#block.length > 0;
    this.#blockBytes = dense ? Math.min(2 * this.#blockBytes, MOST_BLOCK) : LEAST_BLOCK;
    const left = Math.max(0, this.source.size - this.position);
    const wanted = Math.min(Math.max(length, this.#blockBytes), left);
    if (this.#blockMemory.length < wanted) this.#blockMemory = new Uint8Array(wanted);
    const filled = await this.#fill(this.#blockMemory.subarray(0, wanted), this.position);
    this.#block = this.#blockMemory.subarray(0, filled);
    this.#blockStart = this.position;
    return this.#block.subarray(0, Math.min(length, filled));
  }

  async #fill(block: Uint8Array, position: number): Promise<number> {
    const { fd, path } = this.source;
    let filled = 0;
    while (filled < block.length) {
      const byteOffset = position + filled;
      const moved = await new Promise<number>((resolve, reject) => {
        read(fd, block, filled, block.length - filled, byteOffset, (cause, count) => {
          if (cause) reject(ioError(cause, "read", { path, byteOffset }));
          else resolve(count);
        });
      });
      if (moved === 0) break;
      filled += moved;
    }
    return filled;
  }
}

/** Holds the current chunk of a stream, and joins chunks only where someone looks across their border. */
export class StreamFeed {
  position = 0;
  readonly source: StreamSource;
  #chunk: Uint8Array = NOTHING;
  /** Where chunks are joined; the current chunk is in it, or it is empty. What is behind the chunk is free. */
  #joined: Uint8Array = NOTHING;

  constructor(source: StreamSource) {
    this.source = source;
  }

  peek(length: number): Uint8Array | Promise<Uint8Array> {
    return this.#chunk.length >= length ? this.#chunk.subarray(0, length) : this.#join(length);
  }

  /** Moves the next bytes into `target`, all of it. */
  fill(target: Uint8Array): void | Promise<void> {
    if (target.length > this.#chunk.length) return this.#fillFromMany(target);
    target.set(this.#chunk.subarray(0, target.length));
    this.#advance(target.length);
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = Math.min(left, (await this.#some()).length);
      this.#advance(part);
      left -= part;
    }
  }

  async #fillFromMany(target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      const part = (await this.#some()).subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#advance(part.length);
    }
  }

  /** The current chunk, never empty. */
  async #some(): Promise<Uint8Array> {
    if (this.#chunk.length === 0) {
      const chunk = await this.source.next();
      if (!chunk) {
        throw new TruncatedError("The input ends in the middle of a batch", {
          position: { path: this.source.path, byteOffset: this.position },
          remedy: "Check that whatever wrote it ran to its end.",
        });
      }
      this.#chunk = chunk;
      this.#joined = NOTHING;
    }
    return this.#chunk;
  }

  /** Memory grows only with bytes that have come: a length that lies costs nothing. */
  async #join(length: number): Promise<Uint8Array> {
    // The source may use its chunk's memory again.
    if (this.#joined.length === 0) this.#append(NOTHING);
    while (this.#chunk.length < length) {
      const chunk = await this.source.next();
      if (!chunk) break;
      this.#append(chunk);
    }
    return this.#chunk.subarray(0, length);
  }

  /** Puts bytes behind the current chunk; twice the room each time, so that looking further and further stays cheap. */
  #append(bytes: Uint8Array): void {
    const { length } = this.#chunk;
    let start = this.#joined.length === 0 ? 0 : this.#chunk.byteOffset - this.#joined.byteOffset;
    if (start + length + bytes.length > this.#joined.length) {
      const grown = new Uint8Array(Math.max(2 * length, length + bytes.length, LEAST_BLOCK));
      grown.set(this.#chunk);
      this.#joined = grown;
      start = 0;
    }
    this.#joined.set(bytes, start + length);
    this.#chunk = this.#joined.subarray(start, start + length + bytes.length);
  }

  #advance(length: number): void {
    this.#chunk = this.#chunk.subarray(length);
    this.position += length;
  }
}

export type Feed = FileFeed | StreamFeed;
