/**
 * @file Two columns side by side in a batch: their lists must be of the same lengths, row by row; and where the input
 * cannot seek, what is needed later is marked or held when it passes.
 *
 * ```text
 *   body, x first    | x: offsets | x: values ....... | dy: offsets | dy: values ....... |
 *   from a file        look .................. compare: look ...       elements, other = x's place
 *   from a pipe        hold         keep, retain       compare         elements, other = x's place
 * ```
 */
import { MemoryError } from "../../errors.ts";
import type { Step } from "../layout.ts";
import type { Place } from "../place.ts";
import type { BatchReader, ListPair, RowList } from "./batch.ts";
import { BLOCK_BYTES, look, type Region, walkRegions } from "./regions.ts";
import { holdOffsets, rowsHeld } from "./rows.ts";

/** Throws ColumnError where the lists of the two columns differ in length. The body begins at `start` of the input. */
export function* compareLists(
  reader: BatchReader,
  start: number,
  place: Place,
): Generator<Step, void, Uint8Array> {
  for (const pair of reader.lists) {
    for (let at = 0; at < pair.bytes; at += BLOCK_BYTES) {
      const length = Math.min(BLOCK_BYTES, pair.bytes - at);
      yield { step: "seek", offset: start + pair.own + at };
      // Copied: the next look may use the memory again.
      const own = Uint8Array.from(yield* look(length, place));
      yield { step: "seek", offset: start + pair.other + at };
      const other = yield* look(length, place);
      requireEqual(own, other, at, pair, reader, place);
    }
  }
  if (reader.lists.length > 0) yield { step: "seek", offset: place.offset };
}

/** The body of a batch that comes from a stream, from its first byte to its last; `start` is its place in the input. */
export function* walkWithOther(
  reader: BatchReader,
  lead: number,
  bodyLength: number,
  start: number,
  place: Place,
  memory: number,
): Generator<Step, void, Uint8Array> {
  const rows = reader.ranges > 0 ? reader.rowLists[0]! : null;
  const held: Uint8Array[] = [];
  const regions: Region[] = reader.lists.flatMap((pair) =>
    listRegions(pair, reader, place, memory, pair.own === rows?.offset ? held : []),
  );
  if (rows && !reader.lists.some((pair) => pair.own === rows.offset)) {
    regions.push(holdOffsets(reader, 0, rows, held, place, memory));
  }
  if (reader.ranges > 0) regions.push(...elementRegions(reader, start, rows, held, place));
  yield* walkRegions(regions, lead, bodyLength, place);
}

function elementRegions(
  reader: BatchReader,
  start: number,
  rows: RowList | null,
  held: readonly Uint8Array[],
  place: Place,
): Region[] {
  const [offset, bytes, count] = [reader.offsets[0]!, reader.bytes[0]!, reader.counts[0]!];
  const other = start + reader.otherOffset;
  const own: Region = {
    ...{ offset, bytes },
    *steps() {
      if (rows) yield* rowsHeld(reader, 0, rows, held, start, place);
      else yield { step: "elements", tensor: 0, count, first: 0, other };
    },
  };
  if (reader.otherOffset > offset) return [own];
  const before: Region = {
    ...{ offset: reader.otherOffset, bytes },
    *steps() {
      yield { step: "keep", length: bytes, retain: true };
    },
  };
  return [before, own];
}

/** The offsets of both: those that come first are held until those of the other column are there. */
function listRegions(
  pair: ListPair,
  reader: BatchReader,
  place: Place,
  memory: number,
  held: Uint8Array[],
): Region[] {
  if (pair.bytes > memory) {
    throw new MemoryError(`The offsets of the lists take ${pair.bytes} bytes, which a pipe makes us hold`, {
      position: place.position(reader.other!.name),
      remedy: `Give --memory ${pair.bytes} or more (in the API: memory), or the path of a file, which needs none of it.`,
    });
  }
  const { bytes } = pair;
  const first: Region = {
    ...{ offset: Math.min(pair.own, pair.other), bytes },
    *steps() {
      for (let at = 0; at < bytes; at += BLOCK_BYTES) {
        const block = yield* look(Math.min(BLOCK_BYTES, bytes - at), place);
        held.push(Uint8Array.from(block));
        yield { step: "keep", length: block.length };
      }
    },
  };
  const second: Region = {
    ...{ offset: Math.max(pair.own, pair.other), bytes },
    *steps() {
      for (const [i, before] of held.entries()) {
        const block = yield* look(before.length, place);
        const [own, other] = pair.own < pair.other ? [before, block] : [block, before];
        requireEqual(own, other, i * BLOCK_BYTES, pair, reader, place);
        yield { step: "keep", length: before.length };
      }
    },
  };
  return [first, second];
}

/** `at`: bytes of the offsets before these. */
function requireEqual(
  own: Uint8Array,
  other: Uint8Array,
  at: number,
  { width, depth }: ListPair,
  { other: column }: BatchReader,
  place: Place,
): void {
  if (Buffer.compare(own, other) === 0) return;
  const byte = own.findIndex((value, i) => value !== other[i]);
  // Offset n is where list n begins, and where list n - 1 ends.
  const entry = Math.floor((at + byte) / width);
  const what = depth === 0 ? "row" : "inner list";
  const where = entry === 0 ? `${what} 0 begins` : `${what} ${entry - 1} ends`;
  throw place.unlike(`The lists of x and dy differ: ${where} at different elements`, column!.name);
}
