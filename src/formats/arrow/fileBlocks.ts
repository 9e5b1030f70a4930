/** @file The blocks that a footer lists, checked against the file and each other, and in the order of their offsets. */
import { MAX_METADATA, type Place } from "../place.ts";
import type { Blocks } from "./blocks.ts";
import type { Footer } from "./footer.ts";
import { HEADER } from "./message.ts";

/** Blocks are numbered in the footer's order: first the dictionaries, then the batches. */
export class FileBlocks {
  readonly length: number;
  /** Where the footer begins: every block ends before it. */
  readonly end: number;
  readonly #dictionaries: Blocks;
  readonly #batches: Blocks;
  /** Blocks by offset; null where the footer's order is that already. */
  readonly #order: Uint32Array | null;

  /** `start` is the first byte behind the magic; the place stands at the footer. @throws CorruptError */
  constructor({ dictionaries, batches }: Footer, start: number, place: Place) {
    this.#dictionaries = dictionaries;
    this.#batches = batches;
    this.length = dictionaries.length + batches.length;
    this.end = place.offset;
    this.#order = this.#sort();
    let end = start;
    for (let i = 0; i < this.length; i++) {
      const block = this.inOffsetOrder(i);
      this.#check(block, end, place);
      end = this.offset(block) + this.metadataLength(block) + this.bodyLength(block);
    }
  }

  /** The block with the `rank`th offset. */
  inOffsetOrder(rank: number): number {
    return this.#order === null ? rank : this.#order[rank]!;
  }

  type(block: number): number {
    return block < this.#dictionaries.length ? HEADER.dictionary : HEADER.batch;
  }

  /** Index of the record batch; -1 for a dictionary. */
  batch(block: number): number {
    return Math.max(-1, block - this.#dictionaries.length);
  }

  offset(block: number): number {
    const batch = block - this.#dictionaries.length;
    return batch < 0 ? this.#dictionaries.offset(block) : this.#batches.offset(batch);
  }

  /** With the prefix. */
  metadataLength(block: number): number {
    const batch = block - this.#dictionaries.length;
    return batch < 0 ? this.#dictionaries.metadataLength(block) : this.#batches.metadataLength(batch);
  }

  bodyLength(block: number): number {
    const batch = block - this.#dictionaries.length;
    return batch < 0 ? this.#dictionaries.bodyLength(block) : this.#batches.bodyLength(batch);
  }

  #sort(): Uint32Array | null {
    for (let i = 1; i < this.length; i++) {
      if (this.offset(i - 1) > this.offset(i)) {
        const order = Uint32Array.from({ length: this.length }, (_, block) => block);
        return order.sort((a, b) => this.offset(a) - this.offset(b));
      }
    }
    return null;
  }

  /** Whether the block fits between the byte `after` and the footer. */
  #check(block: number, after: number, place: Place): void {
    const offset = this.offset(block);
    const metadataLength = this.metadataLength(block);
    const bodyLength = this.bodyLength(block);
    const batch = this.batch(block);
    const what = batch < 0 ? `dictionary ${block}` : `record batch ${batch}`;
    if (metadataLength < 8 || metadataLength > MAX_METADATA || bodyLength < 0) {
      throw place.corrupt(
        `The footer gives ${what} ${metadataLength} bytes of metadata and a body of ${bodyLength}`,
      );
    }
    if (offset < after)
      throw place.corrupt(`The footer places ${what} at byte ${offset}, over what is before it`);
    if (offset + metadataLength + bodyLength > this.end) {
      throw place.corrupt(
        `The footer places ${what} at byte ${offset}, where it does not fit before the footer`,
      );
    }
  }
}
