/** @file The choice of columns for record batches in memory, from their schema as an IPC message. */
import type { TensorColumn } from "../layout.ts";
import { Place } from "../place.ts";
import { nothingToCompute, selectColumns } from "./columns.ts";
import { Message } from "./message.ts";
import { requireRows } from "./rows.ts";
import type { Field } from "./schema.ts";
import { readSchema } from "./schema.ts";

export interface SchemaSelection {
  readonly tensors: readonly TensorColumn[];
  /** For each tensor: which child to take, from the batch down to the node that holds the values. */
  readonly paths: readonly (readonly number[])[];
  /** The same for the column that is read beside the tensor. */
  readonly other: readonly number[] | null;
}

/**
 * Reads a schema message (its flatbuffer, without the frame) and chooses columns as for a file.
 *
 * @param otherName the name of a column that is read beside the one of `columns`
 * @param byRow whether ops go along the last axis
 * @throws ColumnError, UnsupportedError as for a file
 */
export function readSelection(
  message: Uint8Array,
  columns: readonly string[] | undefined,
  otherName?: string,
  byRow = false,
): SchemaSelection {
  const place = new Place();
  const reader = new Message(place);
  reader.read(message, 0, message.length);
  const schema = readSchema(reader.flat, reader.header);
  const { tensors, paths, other } = selectColumns(schema, columns, place, otherName);
  if (tensors.length === 0) throw nothingToCompute(schema, place);
  if (byRow) requireRows(tensors, paths, place);
  return {
    tensors,
    paths: paths.map((path) => indicesOf(path, schema.fields)),
    other: other && indicesOf(other.path, schema.fields),
  };
}

function indicesOf(path: readonly Field[], topLevel: readonly Field[]): number[] {
  return path.map((field, depth) => (depth === 0 ? topLevel : path[depth - 1]!.children).indexOf(field));
}
