/**
 * @file Tables of per-channel parameters: one number for each element of a row, some rows over, so that kernels read them like
 * another input.
 */
import type { Channels } from "../../formats/layout.ts";
import { BLOCK } from "../../ops/shards.ts";
import type { Region } from "./region.ts";
import type { Tools } from "./tools.ts";

/** Rows that a table has for rows of `size` elements, so that a kernel is not called for a handful of them. */
export function rowsOfTable(size: number): number {
  return Math.max(1, Math.floor(BLOCK / size));
}

export class Table {
  /** Of `rowsOfTable(size) * size` float32s. */
  readonly address: number;
  readonly #tools: Tools;
  readonly #source: number;
  readonly #channels: Channels;
  readonly #size: number;

  /** @param source address of one float32 for each channel */
  constructor(tools: Tools, region: Region, source: number, channels: Channels, size: number) {
    this.#tools = tools;
    this.#source = source;
    this.#channels = channels;
    this.#size = size;
    // Where there is one number for each element already, that is the table.
    const isThere = channels.stride === 1 && channels.count === size && rowsOfTable(size) === 1;
    this.address = isThere ? source : region.floats(rowsOfTable(size) * size);
  }

  /** Fills the table from its source. */
  refresh(): void {
    if (this.address === this.#source) return;
    const { count, stride } = this.#channels;
    const values = this.#tools.floats(this.#source, count);
    const table = this.#tools.floats(this.address, rowsOfTable(this.#size) * this.#size);
    for (let start = 0, channel = 0; start < table.length; start += stride, channel++) {
      table.fill(values[channel % count]!, start, start + stride);
    }
  }
}
