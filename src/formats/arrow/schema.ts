/** @file Reads a schema (Schema.fbs) into fields, and writes a field's type as people do. */
import type { Place } from "../place.ts";
import type { FlatBuffer } from "./flatbuffer.ts";
import { type ArrowType, childCount, readInt, readType } from "./types.ts";

export interface Field {
  readonly name: string;
  readonly nullable: boolean;
  /** For a dictionary-encoded field: of its values. */
  readonly type: ArrowType;
  /** For a dictionary-encoded field: of its values, and so not in the record batches. */
  readonly children: readonly Field[];
  readonly dictionary: { readonly id: bigint; readonly index: string } | null;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface Schema {
  readonly fields: readonly Field[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly littleEndian: boolean;
}

/** As deep as PyArrow reads (`kMaxNestingDepth` in arrow/ipc/options.h). */
const MAX_DEPTH = 64;

/** Reads the Schema table at `table`. @throws CorruptError */
export function readSchema(flat: FlatBuffer, table: number): Schema {
  return {
    littleEndian: flat.fieldI16(table, 0, 0) === 0,
    fields: flat.fieldTables(table, 1).map((field) => readField(flat, field, 1)),
    metadata: readMetadata(flat, table, 2),
  };
}

function readField(flat: FlatBuffer, table: number, depth: number): Field {
  const { place } = flat;
  if (depth > MAX_DEPTH) throw place.corrupt(`The schema nests fields more than ${MAX_DEPTH} deep`);
  const name = flat.fieldString(table, 0);
  const type = readType(flat, flat.fieldU8(table, 2, 0), flat.fieldTable(table, 3));
  const children = flat.fieldTables(table, 5).map((child) => readField(flat, child, depth + 1));
  const expected = childCount(type);
  if (expected !== null && children.length !== expected) {
    throw place.corrupt(`The schema gives a ${type.kind} ${children.length} children, not ${expected}`, {
      column: name,
    });
  }
  const encoding = flat.fieldTable(table, 4);
  return {
    name,
    nullable: flat.fieldU8(table, 1, 0) !== 0,
    type,
    children,
    dictionary: encoding === 0 ? null : readDictionary(flat, encoding),
    metadata: readMetadata(flat, table, 6),
  };
}

function readDictionary(flat: FlatBuffer, table: number): { id: bigint; index: string } {
  const id = flat.field(table, 0);
  return { id: id === 0 ? 0n : flat.bigInt64(id), index: readInt(flat, flat.fieldTable(table, 1)) };
}

/** A vector of KeyValue tables as a map; the first of equal keys wins, as in PyArrow's look-up. */
function readMetadata(flat: FlatBuffer, table: number, slot: number): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const pair of flat.fieldTables(table, slot)) {
    const key = flat.fieldString(pair, 0);
    if (!metadata.has(key)) metadata.set(key, flat.fieldString(pair, 1));
  }
  return metadata;
}

/** Name of the extension type of a field, if it has one. */
export function extensionOf(field: Field): string | undefined {
  return field.metadata.get("ARROW:extension:name") || undefined;
}

/** Parameters of the extension type, as it serialises them. */
export function extensionMetadata(field: Field): string {
  return field.metadata.get("ARROW:extension:metadata") ?? "";
}

/** Throws UnsupportedError for big-endian data: its elements would have to be swapped on the way. */
export function requireLittleEndian(schema: Schema, place: Place): void {
  if (schema.littleEndian) return;
  throw place.unsupported("The data is big-endian", {
    remedy:
      "Rewrite it on a little-endian machine; PyArrow swaps the bytes when it reads and writes the file.",
  });
}

/** Whether two schemas lay out the same columns under the same names. */
export function sameColumns(a: Schema, b: Schema): boolean {
  return a.littleEndian === b.littleEndian && sameFields(a.fields, b.fields);
}

function sameFields(a: readonly Field[], b: readonly Field[]): boolean {
  return a.length === b.length && a.every((field, i) => sameField(field, b[i]!));
}

function sameField(a: Field, b: Field): boolean {
  return (
    a.name === b.name &&
    JSON.stringify(a.type) === JSON.stringify(b.type) &&
    a.dictionary?.id === b.dictionary?.id &&
    a.dictionary?.index === b.dictionary?.index &&
    extensionOf(a) === extensionOf(b) &&
    extensionMetadata(a) === extensionMetadata(b) &&
    sameFields(a.children, b.children)
  );
}
