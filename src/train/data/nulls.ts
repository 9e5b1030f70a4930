/** @file Validity bitmaps: which rows have a null, in themselves or in any of their elements. */
import type { Bitmap } from "./column.ts";
import type { BlockReader, DataFile } from "./data-file.ts";

/**
 * Clears `usable[at + i]` where row i of `count` rows has a null; `first` is the row (or item) of the bitmaps that the
 * first one is, and each has `items` of them.
 */
export async function markNulls(
  file: DataFile,
  bitmaps: readonly Bitmap[],
  first: number,
  count: number,
  items: number,
  usable: Uint8Array,
  at: number,
  reader: BlockReader,
): Promise<void> {
  for (const { at: start, bits } of bitmaps) {
    const each = bits * items;
    const from = Math.floor((first * bits) / 8);
    const end = Math.ceil((first * bits + count * each) / 8);
    const bytes = await reader.bytes(file, start + from, end - from);
    const shift = first * bits - from * 8;
    for (let i = 0; i < count; i++) if (!allSet(bytes, shift + i * each, each)) usable[at + i] = 0;
  }
}

function allSet(bytes: Uint8Array, from: number, count: number): boolean {
  const end = from + count;
  for (let bit = from; bit < end; ) {
    if (bit % 8 === 0 && bit + 8 <= end) {
      if (bytes[bit >> 3] !== 0xff) return false;
      bit += 8;
    } else {
      if (((bytes[bit >> 3]! >> (bit & 7)) & 1) === 0) return false;
      bit++;
    }
  }
  return true;
}
