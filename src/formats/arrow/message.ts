/**
 * @file One encapsulated IPC message: its framing and the Message table (Message.fbs).
 *
 * ```text
 *   since 0.15   | FF FF FF FF | i32 metadata length | Message flatbuffer | padding | body ......... |
 *   before       | i32 metadata length | Message flatbuffer | padding | body ......................... |
 *   the end      | FF FF FF FF | 00 00 00 00 |         or, before 0.15, | 00 00 00 00 |
 * ```
 * The metadata length counts the padding; the body's length is in the Message.
 * Source: "Encapsulated message format" in the Arrow columnar format.
 */
import { MAX_METADATA, type Place } from "../place.ts";
import { FlatBuffer } from "./flatbuffer.ts";

/** The first word of a message since Arrow 0.15. */
export const CONTINUATION = -1;

/** The union MessageHeader. */
export const HEADER = { schema: 1, dictionary: 2, batch: 3, tensor: 4, sparseTensor: 5 } as const;

/** The little-endian int32 at `at`, which must be in bounds. */
export function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Throws unless `length`, without the prefix, can be that of a message's metadata. */
export function checkMetadataLength(length: number, place: Place): void {
  if (length < 0) throw place.corrupt(`The length of a message's metadata is ${length}`);
  if (length > MAX_METADATA - 8) {
    throw place.corrupt(
      `The length of a message's metadata is ${length} bytes; the limit is ${MAX_METADATA}`,
    );
  }
}

/** The message at hand. One object serves a whole walk. */
export class Message {
  readonly flat: FlatBuffer;
  version: 4 | 5 = 5;
  /** One of HEADER. */
  type = 0;
  /** Position of the header's table: a Schema, DictionaryBatch or RecordBatch. */
  header = 0;
  bodyLength = 0;
  #root = 0;

  constructor(place: Place) {
    this.flat = new FlatBuffer(place);
  }

  /** Reads the Message flatbuffer in `bytes[start, end)`. @throws CorruptError, UnsupportedError */
  read(bytes: Uint8Array, start: number, end: number): void {
    const flat = this.flat.open(bytes, start, end);
    const root = flat.root();
    this.#root = root;
    this.version = checkVersion(flat.fieldI16(root, 0, 0), flat.place);
    this.type = flat.fieldU8(root, 1, 0);
    this.header = flat.fieldTable(root, 2);
    this.bodyLength = flat.fieldInt64(root, 3);
    if (this.bodyLength < 0) throw flat.place.corrupt(`The length of a message's body is ${this.bodyLength}`);
    if (this.type === HEADER.tensor || this.type === HEADER.sparseTensor) {
      throw flat.place.unsupported("The input holds a Tensor message, outside of any record batch", {
        remedy:
          "Put the tensor into a column of a record batch, as list, fixed_size_list or fixed_shape_tensor.",
      });
    }
    if (this.type < HEADER.schema || this.type > HEADER.batch || this.header === 0) {
      throw flat.place.corrupt(`There is no Arrow message here (header type ${this.type})`);
    }
  }

  /** A value of the message's custom metadata. */
  metadata(key: string): string | undefined {
    const { flat } = this;
    const pair = flat.fieldTables(this.#root, 4).find((table) => flat.fieldString(table, 0) === key);
    return pair === undefined ? undefined : flat.fieldString(pair, 1);
  }
}

/** The enum MetadataVersion counts V1 as 0. @throws UnsupportedError for what is not V4 or V5 */
export function checkVersion(value: number, place: Place): 4 | 5 {
  if (value === 3) return 4;
  if (value === 4) return 5;
  const version = value < 0 ? "unknown" : `V${value + 1}`;
  throw place.unsupported(`The metadata version is ${version}; only V4 and V5 are read`, {
    remedy:
      value < 3
        ? "Rewrite the input with Arrow 0.8 or later."
        : "Update Sluice, or write metadata version V5.",
  });
}
