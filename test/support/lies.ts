/** @file Finds the messages of an Arrow stream or file, and changes single numbers in them: metadata that lies. */
import { FlatBuffer } from "../../src/formats/arrow/flatbuffer.ts";
import { Place } from "../../src/formats/place.ts";

export interface FoundMessage {
  /** Byte offset of the prefix. */
  readonly offset: number;
  readonly prefix: 4 | 8;
  /** Bytes of prefix and metadata. */
  readonly lead: number;
  readonly bodyLength: number;
  /** 1 schema, 2 dictionary, 3 record batch. */
  readonly type: number;
  /** Position of each number that a test may want to change, in the whole input; int64 unless said otherwise. */
  readonly at: {
    readonly bodyLength: number;
    /** int16 */
    readonly version: number;
    /** uint8 */
    readonly type: number;
    readonly rows: number;
    readonly nodes: readonly number[];
    /** Offset of a buffer; its length is 8 further. */
    readonly buffers: readonly number[];
    readonly viewCounts: readonly number[];
    /** uint32 number of items of each list. */
    readonly nodeCount: number;
    readonly bufferCount: number;
  };
}

/** The messages from byte `start` on, up to an end marker, a footer or the end. */
export function findMessages(bytes: Uint8Array, start = bytes[0] === 0x41 ? 8 : 0): FoundMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: FoundMessage[] = [];
  for (let offset = start; offset + 8 <= bytes.length; ) {
    const modern = view.getInt32(offset, true) === -1;
    const prefix = modern ? 8 : 4;
    const length = view.getInt32(offset + prefix - 4, true);
    if (length <= 0) break;
    const lead = prefix + length;
    const flat = new FlatBuffer(new Place()).open(bytes, offset + prefix, offset + lead);
    const root = flat.root();
    const type = flat.fieldU8(root, 1, 0);
    const header = flat.fieldTable(root, 2);
    const data = type === 2 ? flat.fieldTable(header, 1) : header;
    const items = (slot: number, itemBytes: number) => {
      const vector = type === 1 ? 0 : flat.fieldVector(data, slot, itemBytes);
      const count = vector === 0 ? 0 : flat.u32(vector);
      return Array.from({ length: count }, (_, i) => vector + 4 + i * itemBytes);
    };
    const bodyLength = flat.fieldInt64(root, 3);
    found.push({
      offset,
      prefix,
      lead,
      bodyLength,
      type,
      at: {
        bodyLength: flat.field(root, 3),
        version: flat.field(root, 0),
        type: flat.field(root, 1),
        rows: type === 1 ? 0 : flat.field(data, 0),
        nodes: items(1, 16),
        buffers: items(2, 16),
        viewCounts: items(4, 8),
        nodeCount: type === 1 ? 0 : flat.fieldVector(data, 1, 16),
        bufferCount: type === 1 ? 0 : flat.fieldVector(data, 2, 16),
      },
    });
    offset += lead + bodyLength;
  }
  return found;
}

export interface FoundFooter {
  /** Byte offset of the flatbuffer. */
  readonly start: number;
  /** Position of the int32 length. */
  readonly lengthAt: number;
  /** Positions of the blocks: int64 offset, int32 metadata length at 8, int64 body length at 16. */
  readonly dictionaries: readonly number[];
  readonly batches: readonly number[];
  /** Position of the uint32 number of batches. */
  readonly batchCount: number;
}

/** The footer of a file. */
export function findFooter(bytes: Uint8Array): FoundFooter {
  const lengthAt = bytes.length - 10;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(lengthAt, true);
  const start = lengthAt - length;
  const flat = new FlatBuffer(new Place()).open(bytes, start, lengthAt);
  const root = flat.root();
  const blocks = (slot: number) => {
    const vector = flat.fieldVector(root, slot, 24);
    return Array.from({ length: vector === 0 ? 0 : flat.u32(vector) }, (_, i) => vector + 4 + 24 * i);
  };
  return {
    start,
    lengthAt,
    dictionaries: blocks(2),
    batches: blocks(3),
    batchCount: flat.fieldVector(root, 3, 24),
  };
}

type Width = "int64" | "int32" | "int16" | "uint8";

/** A copy of `bytes` with other numbers at some positions. */
export function lie(
  bytes: Uint8Array,
  ...changes: readonly [at: number, value: number | bigint, width?: Width][]
) {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  for (const [at, value, width = "int64"] of changes) {
    if (at <= 0) throw new Error("There is no number to change");
    if (width === "int64") view.setBigInt64(at, BigInt(value), true);
    else if (width === "int32") view.setInt32(at, Number(value), true);
    else if (width === "int16") view.setInt16(at, Number(value), true);
    else view.setUint8(at, Number(value));
  }
  return out;
}
