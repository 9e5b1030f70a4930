/**
 * @file The footer of an Arrow file (File.fbs): read, checked, and built.
 *
 * ```text
 *   | ... messages | FF FF FF FF 00 00 00 00 | Footer flatbuffer | i32 footer length | "ARROW1" |
 * ```
 */
import type { Place } from "../place.ts";
import { BLOCK_BYTES, Blocks } from "./blocks.ts";
import { FlatBuffer } from "./flatbuffer.ts";
import { graft } from "./graft.ts";
import { checkVersion, HEADER, word } from "./message.ts";
import { readSchema, type Schema } from "./schema.ts";

/** What a file begins with; two zero bytes follow, so that the first message is aligned to 8. */
export const MAGIC = new TextEncoder().encode("ARROW1");
export const MAGIC_AND_PADDING = Uint8Array.of(...MAGIC, 0, 0);
/** The footer's length and the magic, at the very end. */
export const TRAILER_BYTES = 4 + MAGIC.byteLength;
export const EOS = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
/** As it was before Arrow 0.15. */
export const LEGACY_EOS = Uint8Array.of(0, 0, 0, 0);

export interface Footer {
  readonly version: 4 | 5;
  readonly schema: Schema;
  /** In the footer's order, which is that of the data. */
  readonly dictionaries: Blocks;
  readonly batches: Blocks;
  /** The flatbuffer, and in it the positions of the schema and of the custom metadata (0 where there is none). */
  readonly bytes: Uint8Array;
  readonly schemaAt: number;
  readonly metadataAt: number;
}

/** Whether `bytes` has the magic at `at`. */
export function hasMagic(bytes: Uint8Array, at: number): boolean {
  return at + MAGIC.byteLength <= bytes.byteLength && MAGIC.every((byte, i) => bytes[at + i] === byte);
}

/**
 * The footer's length from the last ten bytes of a file, which holds `before` bytes ahead of them.
 * @throws TruncatedError where the end magic is missing, CorruptError for a length that cannot be
 */
export function footerLength(trailer: Uint8Array, before: number, place: Place): number {
  if (!hasMagic(trailer, trailer.byteLength - MAGIC.byteLength)) {
    throw place.truncated("The input does not end with ARROW1, as an Arrow file does");
  }
  const length = word(trailer, trailer.byteLength - TRAILER_BYTES);
  if (length <= 0 || length > before) {
    throw place.corrupt(`The footer's length is ${length}; there are ${before} bytes before it`);
  }
  return length;
}

/** Reads a footer that owns its `bytes`. @throws CorruptError, UnsupportedError */
export function readFooter(bytes: Uint8Array, place: Place): Footer {
  const flat = new FlatBuffer(place).open(bytes, 0, bytes.byteLength);
  const root = flat.root();
  const version = checkVersion(flat.fieldI16(root, 0, 0), place);
  const schemaAt = flat.fieldTable(root, 1);
  if (schemaAt === 0) throw place.corrupt("The footer has no schema");
  return {
    version,
    schema: readSchema(flat, schemaAt),
    dictionaries: readBlocks(flat, root, 2),
    batches: readBlocks(flat, root, 3),
    bytes,
    schemaAt,
    metadataAt: flat.fieldVector(root, 4, 4),
  };
}

function readBlocks(flat: FlatBuffer, root: number, slot: number): Blocks {
  const vector = flat.fieldVector(root, slot, BLOCK_BYTES);
  if (vector === 0) return new Blocks();
  const start = vector + 4;
  return new Blocks(flat.bytes.subarray(start, start + flat.u32(vector) * BLOCK_BYTES));
}

/** A schema message's flatbuffer, and where things are in it. */
export interface SchemaMessage {
  readonly bytes: Uint8Array;
  readonly version: 4 | 5;
  readonly schemaAt: number;
  readonly metadataAt: number;
}

/** The footer of a file whose messages are at these blocks, with its length and the end magic. */
export function buildFooter(message: SchemaMessage, dictionaries: Blocks, batches: Blocks): Uint8Array {
  const footer = graft(
    [
      { bytes: 2, value: message.version - 1 },
      { to: message.schemaAt },
      { structs: dictionaries.bytes(), count: dictionaries.length },
      { structs: batches.bytes(), count: batches.length },
      message.metadataAt === 0 ? null : { to: message.metadataAt },
    ],
    message.bytes,
  );
  const out = new Uint8Array(footer.byteLength + TRAILER_BYTES);
  out.set(footer);
  new DataView(out.buffer).setInt32(footer.byteLength, footer.byteLength, true);
  out.set(MAGIC, footer.byteLength + 4);
  return out;
}

/** The schema of a file as the first message of a stream, with its prefix. */
export function buildSchemaMessage(footer: Footer): Uint8Array {
  const message = graft(
    [
      { bytes: 2, value: footer.version - 1 },
      { bytes: 1, value: HEADER.schema },
      { to: footer.schemaAt },
      // The body's length is 0, which is what absence means.
      null,
      footer.metadataAt === 0 ? null : { to: footer.metadataAt },
    ],
    footer.bytes,
  );
  const out = new Uint8Array(8 + message.byteLength);
  const view = new DataView(out.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, message.byteLength, true);
  out.set(message, 8);
  return out;
}
