/** @file What streams and files share: announcing a schema, and stepping through one record batch. */
import type { LayoutOptions, Step } from "../layout.ts";
import type { Place } from "../place.ts";
import { BatchReader } from "./batch.ts";
import { nothingToCompute, selectColumns } from "./columns.ts";
import { compareLists, walkWithOther } from "./otherColumn.ts";
import { type Region, walkRegions } from "./regions.ts";
import { holdOffsets, requireRows, rowsHeld, rowsOfFile } from "./rows.ts";
import { requireLittleEndian, type Schema } from "./schema.ts";

/**
 * Selects the columns, and yields the `schema` step. That nothing is selected is an error, but only after the step, so
 * that a driver can show the schema; an empty list of columns and `mayLackTensors` allow it.
 */
export function* announce(
  schema: Schema,
  options: LayoutOptions,
  place: Place,
): Generator<Step, BatchReader, Uint8Array> {
  const { fields, tensors, paths, other } = selectColumns(schema, options.columns, place, options.other);
  if (tensors.length > 0) requireLittleEndian(schema, place);
  yield { step: "schema", fields, tensors, metadata: schema.metadata };
  const needed = options.columns === undefined && !options.mayLackTensors;
  if (tensors.length === 0 && needed) throw nothingToCompute(schema, place);
  const dtypes = tensors.map((tensor) => tensor.dtype);
  if (options.byRow) requireRows(tensors, paths, place);
  return new BatchReader(schema, paths, dtypes, place, other, options.byRow);
}

/**
 * Steps through the batch that `reader` has read: `lead` bytes of prefix and metadata, then the body. Moves the place.
 *
 * ```text
 *   | prefix, metadata | validity | values ..... | padding | offsets | values ... | padding |
 *     keep ......................   elements       keep ..............  elements     keep
 * ```
 */
export function* walkBatch(
  reader: BatchReader,
  lead: number,
  bodyLength: number,
  place: Place,
  { random, memory = Number.POSITIVE_INFINITY }: LayoutOptions,
): Generator<Step, void, Uint8Array> {
  const { ranges, rows } = reader;
  const body = place.offset + lead;
  if (reader.other && !random) {
    yield* walkWithOther(reader, lead, bodyLength, body, place, memory);
    place.offset += lead + bodyLength;
    yield { step: "batch", rows };
    return;
  }
  if (!random && reader.rowLists.slice(0, ranges).some((list) => list)) {
    yield* walkRegions(rowRegions(reader, body, place, memory), lead, bodyLength, place);
    place.offset += lead + bodyLength;
    yield { step: "batch", rows };
    return;
  }
  if (reader.other) yield* compareLists(reader, body, place);
  const other = reader.other ? { other: body + reader.otherOffset } : {};
  let kept = lead;
  let at = 0;
  for (let i = 0; i < ranges; i++) {
    kept += reader.offsets[i]! - at;
    if (kept > 0) yield { step: "keep", length: kept };
    const list = reader.rowLists[i];
    if (list) yield* rowsOfFile(reader, i, list, body, place);
    else yield { step: "elements", tensor: reader.tensors[i]!, count: reader.counts[i]!, first: 0, ...other };
    at = reader.offsets[i]! + reader.bytes[i]!;
    kept = 0;
  }
  kept += bodyLength - at;
  if (kept > 0) yield { step: "keep", length: kept };
  place.offset += lead + bodyLength;
  yield { step: "batch", rows };
}

/** The tensors of a batch from a stream; offsets are held until the rows come that they tell. */
function rowRegions(reader: BatchReader, body: number, place: Place, memory: number): Region[] {
  const regions: Region[] = [];
  for (let i = 0; i < reader.ranges; i++) {
    const list = reader.rowLists[i]!;
    const held: Uint8Array[] = [];
    if (list) regions.push(holdOffsets(reader, i, list, held, place, memory));
    const [tensor, count] = [reader.tensors[i]!, reader.counts[i]!];
    regions.push({
      offset: reader.offsets[i]!,
      bytes: reader.bytes[i]!,
      *steps() {
        if (list) yield* rowsHeld(reader, i, list, held, body, place);
        else yield { step: "elements", tensor, count, first: 0 };
      },
    });
  }
  return regions;
}
