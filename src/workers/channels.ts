/**
 * @file Per-channel parameters as tables: a kernel reads them like a second input, so every run of elements needs a
 * table that holds one entry for each of its elements.
 *
 * ```text
 *   slopes a b c, stride 1    table  a b c a b c a b c … a b c            elements 4… read from entry 4 mod 3
 *   slopes a b,   stride 10^6 table  a a a … a a | b b b … b b            a run of a's reads the first half, again and again
 * ```
 */
import type { Channels } from "../formats/layout.ts";

/** Entries that a table has at least, so that a kernel is not called for a handful of elements. */
const LEAST_ENTRIES = 16_384;
/** Entries of one channel, where a channel's run is longer than that. */
const RUN_ENTRIES = 2_048;

export interface TableLayout extends Channels {
  /** Entries of the whole table. */
  readonly entries: number;
  /** Whether each channel has `RUN_ENTRIES` of its own; otherwise the table repeats the pattern of the elements. */
  readonly byRun: boolean;
}

export function tableLayout({ count, stride }: Channels): TableLayout {
  if (stride > RUN_ENTRIES) return { count, stride, entries: count * RUN_ENTRIES, byRun: true };
  const period = count * stride;
  return { count, stride, entries: period * Math.max(1, Math.ceil(LEAST_ENTRIES / period)), byRun: false };
}

/** Writes one value per channel into `table`, which has `layout.entries` elements. */
export function fillTable(
  table: Float32Array | Float64Array,
  layout: TableLayout,
  values: readonly number[],
): void {
  const run = layout.byRun ? RUN_ENTRIES : layout.stride;
  for (let start = 0, channel = 0; start < layout.entries; start += run, channel++) {
    table.fill(values[channel % layout.count]!, start, start + run);
  }
}

/** Cuts `count` elements from element `first` on into calls that stay inside the table: `call(offset, count, entry)`. */
export function forEachSegment(
  layout: TableLayout,
  first: number,
  count: number,
  call: (offset: number, count: number, entry: number) => void,
): void {
  const { stride, entries, byRun } = layout;
  const period = layout.count * stride;
  for (let offset = 0; offset < count; ) {
    const index = (first + offset) % period;
    const entry = byRun ? Math.floor(index / stride) * RUN_ENTRIES : index;
    const room = byRun ? Math.min(RUN_ENTRIES, stride - (index % stride)) : entries - index;
    const length = Math.min(room, count - offset);
    call(offset, length, entry);
    offset += length;
  }
}
