/** @file What streams and files share: announcing a schema, and stepping through one record batch. */
import type { LayoutOptions, Step } from "../layout.ts";
import type { Place } from "../place.ts";
import { BatchReader } from "./batch.ts";
import { nothingToCompute, selectColumns } from "./columns.ts";
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
  const { fields, tensors, paths } = selectColumns(schema, options.columns, place);
  if (tensors.length > 0) requireLittleEndian(schema, place);
  yield { step: "schema", fields, tensors, metadata: schema.metadata };
  const needed = options.columns === undefined && !options.mayLackTensors;
  if (tensors.length === 0 && needed) throw nothingToCompute(schema, place);
  const dtypes = tensors.map((tensor) => tensor.dtype);
  return new BatchReader(schema, paths, dtypes, place);
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
): Generator<Step, void> {
  const { ranges, rows } = reader;
  let kept = lead;
  let at = 0;
  for (let i = 0; i < ranges; i++) {
    kept += reader.offsets[i]! - at;
    if (kept > 0) yield { step: "keep", length: kept };
    yield { step: "elements", tensor: reader.tensors[i]!, count: reader.counts[i]!, first: 0 };
    at = reader.offsets[i]! + reader.bytes[i]!;
    kept = 0;
  }
  kept += bodyLength - at;
  if (kept > 0) yield { step: "keep", length: kept };
  place.offset += lead + bodyLength;
  yield { step: "batch", rows };
}
