/**
 * @file One more column behind those of a schema, and its buffers behind those of a record batch. Everything else stays
 * as it is, byte for byte: the new metadata are grafted in front of the old ones (`graft.ts`), and a body only grows at
 * its end.
 *
 * ```text
 *   before   | metadata | body ............................... |
 *   after    | metadata | body ............................... | validity | values |
 * ```
 */

import type { Place } from "../place.ts";
import type { Blocks } from "./blocks.ts";
import { FlatBuffer } from "./flatbuffer.ts";
import type { Footer, SchemaMessage } from "./footer.ts";
import { MAGIC, TRAILER_BYTES } from "./footer.ts";
import { graft, type Slot, type Table } from "./graft.ts";
import { HEADER, type Message } from "./message.ts";

/** The types that a new column can have. */
export type NewType =
  | { readonly kind: "float32" | "int64" | "bool" }
  /** Rows of so many float32; with a shape of several axes, an `arrow.fixed_shape_tensor`. */
  | { readonly kind: "float32s"; readonly shape: readonly number[] }
  /** int32 indices into a dictionary of strings. */
  | { readonly kind: "strings"; readonly dictionary: bigint };

export interface NewField {
  readonly name: string;
  readonly type: NewType;
}

/** A node of a record batch, and its buffers, by their lengths in bytes. */
export interface NewBuffers {
  readonly nodes: readonly { readonly length: number; readonly nulls: number }[];
  readonly buffers: readonly number[];
}

/** Every buffer begins at a multiple of this, as the columnar format recommends. */
export const ALIGNMENT = 64;

/** The numbers of the union `Type`. */
const TYPE = { int: 2, float: 3, utf8: 5, bool: 6, fixedSizeList: 16 } as const;
const SINGLE: Slot = { bytes: 2, value: 1 };

/** A schema message with one more field, and its prefix. `old` is a schema message or a footer. */
export function schemaMessageWith(field: NewField, old: SchemaMessage | Footer, place: Place): Uint8Array {
  const { bytes, version, metadataAt } = old;
  const message = graft(
    [
      { bytes: 2, value: version - 1 },
      { bytes: 1, value: HEADER.schema },
      schemaWith(field, old, place),
      // The body's length is 0, which is what absence means.
      null,
      oldOrNull(metadataAt),
    ],
    bytes,
  );
  return framed(message);
}

/** The footer of a file whose messages are at these blocks, with its length and the end magic. */
export function footerWith(
  field: NewField,
  old: SchemaMessage | Footer,
  dictionaries: Blocks,
  batches: Blocks,
  place: Place,
): Uint8Array {
  const footer = graft(
    [
      { bytes: 2, value: old.version - 1 },
      schemaWith(field, old, place),
      { structs: dictionaries.bytes(), count: dictionaries.length },
      { structs: batches.bytes(), count: batches.length },
      oldOrNull(old.metadataAt),
    ],
    old.bytes,
  );
  const out = new Uint8Array(footer.byteLength + TRAILER_BYTES);
  out.set(footer);
  new DataView(out.buffer).setInt32(footer.byteLength, footer.byteLength, true);
  out.set(MAGIC, footer.byteLength + 4);
  return out;
}

/** Where new buffers of these lengths lie in a body of `bodyLength` bytes, and how long it becomes. */
export function layOut(bodyLength: number, lengths: readonly number[]): { offsets: number[]; end: number } {
  let end = bodyLength;
  const offsets = lengths.map((length) => {
    const offset = align(end, ALIGNMENT);
    if (length > 0) end = offset + length;
    return offset;
  });
  return { offsets, end: align(end, 8) };
}

/** The metadata of a record batch, with its prefix, for one more column whose buffers are where `layOut` puts them. */
export function batchWith(column: NewBuffers, message: Message): Uint8Array {
  const { flat, header, version, bodyLength } = message;
  const { offsets, end } = layOut(bodyLength, column.buffers);
  const nodes = column.nodes.flatMap(({ length, nulls }) => [length, nulls]);
  const buffers = column.buffers.flatMap((length, i) => [offsets[i]!, length]);
  const batch: Table = {
    table: [
      { bytes: 8, value: flat.fieldInt64(header, 0) },
      structsWith(flat, header, 1, nodes),
      structsWith(flat, header, 2, buffers),
      relative(flat, flat.fieldTable(header, 3)),
      relative(flat, flat.fieldVector(header, 4, 8)),
    ],
  };
  const root = flat.root();
  const old = flat.bytes.subarray(flat.start, flat.end);
  return framed(
    graft(
      [
        { bytes: 2, value: version - 1 },
        { bytes: 1, value: HEADER.batch },
        batch,
        { bytes: 8, value: end },
        relative(flat, flat.fieldVector(root, 4, 4)),
      ],
      old,
    ),
  );
}

/** A whole message: the metadata with their prefix, and the body. */
export interface DictionaryMessage {
  readonly metadata: Uint8Array;
  readonly body: Uint8Array;
}

/** A message with a dictionary of strings. */
export function dictionaryOf(id: bigint, strings: readonly string[]): DictionaryMessage {
  const texts = strings.map((string) => new TextEncoder().encode(string));
  const offsets = new Int32Array(texts.length + 1);
  for (const [i, text] of texts.entries()) offsets[i + 1] = offsets[i]! + text.length;
  const lengths = [0, offsets.byteLength, offsets.at(-1)!];
  const { offsets: places, end } = layOut(0, lengths);
  const body = new Uint8Array(end);
  body.set(new Uint8Array(offsets.buffer), places[1]!);
  for (const [i, text] of texts.entries()) body.set(text, places[2]! + offsets[i]!);
  const data: Table = {
    table: [
      { bytes: 8, value: strings.length },
      structs([strings.length, 0]),
      structs(lengths.flatMap((length, i) => [places[i]!, length])),
    ],
  };
  const metadata = graft(
    [
      { bytes: 2, value: 4 },
      { bytes: 1, value: HEADER.dictionary },
      { table: [{ bytes: 8, value: id }, data] },
      { bytes: 8, value: end },
    ],
    new Uint8Array(0),
  );
  return { metadata: framed(metadata), body };
}

/** The table Schema with one more field. */
function schemaWith(field: NewField, { bytes, schemaAt }: SchemaMessage | Footer, place: Place): Table {
  const flat = new FlatBuffer(place).open(bytes, 0, bytes.byteLength);
  const fields = flat.fieldTables(schemaAt, 1).map((to) => ({ to }));
  return {
    table: [
      { bytes: 2, value: flat.fieldI16(schemaAt, 0, 0) },
      { tables: [...fields, fieldTable(field)] },
      oldOrNull(flat.fieldVector(schemaAt, 2, 4)),
      oldOrNull(flat.fieldVector(schemaAt, 3, 8)),
    ],
  };
}

/** The table Field. It may hold nulls. */
function fieldTable({ name, type }: NewField): Table {
  switch (type.kind) {
    case "float32":
      return newField(name, TYPE.float, [SINGLE]);
    case "int64":
      return newField(name, TYPE.int, int(64));
    case "bool":
      return newField(name, TYPE.bool, []);
    case "strings": {
      const dictionary = { table: [{ bytes: 8, value: type.dictionary }, { table: int(32) }] } as const;
      return newField(name, TYPE.utf8, [], { dictionary });
    }
    case "float32s": {
      const { shape } = type;
      const size = shape.reduce((product, length) => product * length, 1);
      const children = [newField("item", TYPE.float, [SINGLE])];
      const metadata = shape.length > 1 ? tensorMetadata(shape) : null;
      return newField(name, TYPE.fixedSizeList, [{ bytes: 4, value: size }], { children, metadata });
    }
  }
}

interface FieldParts {
  readonly dictionary?: Slot;
  /** Readers want the list to be there, even where it is empty. */
  readonly children?: readonly Table[];
  readonly metadata?: Slot;
}

function newField(
  name: string,
  type: number,
  parameters: readonly Slot[],
  { dictionary = null, children = [], metadata = null }: FieldParts = {},
): Table {
  const nullable: Slot = { bytes: 1, value: 1 };
  return {
    table: [
      { text: name },
      nullable,
      { bytes: 1, value: type },
      { table: parameters },
      dictionary,
      { tables: children },
      metadata,
    ],
  };
}

const int = (bits: number): Slot[] => [
  { bytes: 4, value: bits },
  { bytes: 1, value: 1 },
];

/** Key and value pairs of the canonical extension type. */
function tensorMetadata(shape: readonly number[]): Slot {
  const pair = (key: string, value: string): Table => ({ table: [{ text: key }, { text: value }] });
  return {
    tables: [
      pair("ARROW:extension:name", "arrow.fixed_shape_tensor"),
      pair("ARROW:extension:metadata", JSON.stringify({ shape })),
    ],
  };
}

/** The 16-byte structs of a vector, and more of them, each of two int64s. */
function structsWith(flat: FlatBuffer, table: number, slot: number, more: readonly number[]): Slot {
  const vector = flat.fieldVector(table, slot, 16);
  const count = vector === 0 ? 0 : flat.u32(vector);
  const bytes = new Uint8Array(16 * count + 8 * more.length);
  bytes.set(flat.bytes.subarray(vector + 4, vector + 4 + 16 * count));
  const view = new DataView(bytes.buffer);
  for (const [i, value] of more.entries()) view.setBigInt64(16 * count + 8 * i, BigInt(value), true);
  return { structs: bytes, count: count + more.length / 2 };
}

function structs(values: readonly number[]): Slot {
  return { structs: new Uint8Array(BigInt64Array.from(values, BigInt).buffer), count: values.length / 2 };
}

const oldOrNull = (position: number): Slot => (position === 0 ? null : { to: position });

/** A position in the flatbuffer that is read, counted from its start; absent where it is 0. */
const relative = ({ start }: FlatBuffer, position: number): Slot =>
  position === 0 ? null : { to: position - start };

/** A message's metadata behind the prefix. */
function framed(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + message.byteLength);
  const view = new DataView(out.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, message.byteLength, true);
  out.set(message, 8);
  return out;
}

function align(position: number, to: number): number {
  return Math.ceil(position / to) * to;
}
