/** @file Runs a row-wise kernel over a range of elements: whole rows, one behind the other, or one row of any length. */
import type { Channels } from "../../formats/layout.ts";
import { BLOCK, type ShardSums } from "../../ops/shards.ts";
import { MOST_STORED_LENGTH, type Scratch } from "./scratch.ts";

/** What a row-wise kernel's module exports; see `rows/compile.ts`. */
export interface RowFunctions {
  readonly run: Call;
  readonly runLong: Call;
  readonly start: Call;
  readonly startLong: Call;
  readonly finish: Call;
  readonly finishLong: Call;
}
type Call = (...numbers: number[]) => void;

/** Rows in memory. */
export interface RowSpan {
  /** Of each input, the address of its first element. */
  readonly inputs: readonly number[];
  /** Elements of each input. */
  readonly count: number;
  /** Index of the first element in its batch, modulo the channels' period. */
  readonly first: number;
  readonly bytesPerElement: number;
  /** Elements of a row; null where the whole range is one. */
  readonly rowLength: number | null;
}

/** A table for each per-channel parameter: one entry for each element of a row. */
export interface RowTables {
  readonly addresses: readonly number[];
  readonly entryBytes: number;
}

/** Computes rows in place. What follows the last whole row belongs to none, and stays as it is. */
export function runRows(
  functions: RowFunctions,
  { inputs, count, rowLength }: RowSpan,
  { addresses }: RowTables,
  scratch: Scratch,
): void {
  const length = rowLength ?? count;
  if (length === 0) return;
  const run = isLong(length, scratch) ? functions.runLong : functions.run;
  run(Math.floor(count / length), length, scratch.address, ...inputs, ...addresses);
}

/** Memory of the sums: theirs, and that of the terms of a block. */
export interface RowSums {
  readonly sums: ShardSums;
  readonly terms: number;
  /** Elements of a shard: some rows. */
  readonly grain: number;
  readonly channels: Channels | null;
}

/** The same, where the program has sums: block by block, so that the terms are still in the cache when they are added. */
export function runRowsWithSums(
  functions: RowFunctions,
  { inputs, count, first, rowLength, bytesPerElement }: RowSpan,
  { addresses, entryBytes }: RowTables,
  scratch: Scratch,
  { sums, terms, grain, channels }: RowSums,
): void {
  const length = rowLength ?? count;
  if (length === 0) return;
  const long = isLong(length, scratch);
  const [start, finish] = long
    ? [functions.startLong, functions.finishLong]
    : [functions.start, functions.finish];
  const end = count - (count % length);
  for (let row = 0; row < end; row += length) {
    const at = (element: number): number[] => [
      ...inputs.map((address) => address + (row + element) * bytesPerElement),
      ...addresses.map((address) => address + element * entryBytes),
    ];
    start(length, scratch.address, ...at(0));
    for (let element = 0; element < length; element += BLOCK) {
      const size = Math.min(BLOCK, length - element);
      finish(size, scratch.address, terms, element, ...at(element));
      sums.addBlock(size, first + row + element, channels);
    }
    const done = row + length;
    if (done % grain === 0 || done === end) sums.endShard(channels);
  }
}

function isLong(length: number, { isFull }: Scratch): boolean {
  return length > MOST_STORED_LENGTH || !isFull;
}
