/** @file Passes bytes of the input to the output, a piece at a time. */
import { type Feed, FileFeed } from "../../pipeline/feed.ts";
import { readSpan } from "../../workers/files.ts";
import type { ByteSink } from "./byte-sink.ts";

export const PIECE_BYTES = 1024 * 1024;

export class Carrier {
  readonly #feed: Feed;
  readonly #sink: ByteSink;
  #memory = new Uint8Array(0);

  constructor(feed: Feed, sink: ByteSink) {
    this.#feed = feed;
    this.#sink = sink;
  }

  /**
   * Passes the next `length` bytes, in pieces of `piece` bytes.
   * @param look sees each piece with its position in the input, in memory that the next one uses again
   */
  async pass(
    length: number,
    look?: (start: number, bytes: Uint8Array) => void | Promise<void>,
    piece = PIECE_BYTES,
  ): Promise<void> {
    const most = Math.min(piece, length);
    if (this.#memory.length < most) this.#memory = new Uint8Array(most);
    for (let left = length; left > 0; ) {
      const bytes = this.#memory.subarray(0, Math.min(piece, left));
      const start = this.#feed.position;
      await this.#fill(bytes);
      const looking = look?.(start, bytes);
      if (looking) await looking;
      await this.#sink.write(bytes);
      left -= bytes.length;
    }
  }

  async #fill(bytes: Uint8Array): Promise<void> {
    const feed = this.#feed;
    if (!(feed instanceof FileFeed)) return feed.fill(bytes);
    const { fd, path } = feed.source;
    await readSpan({ fd, path, offset: feed.position }, bytes);
    feed.skip(bytes.length);
  }
}
