/** @file Predictions as a column of Arrow: its type, and the bytes of its buffers. */
import type { NewBuffers, NewType } from "../../formats/arrow/append.ts";
import type { Classes } from "./labels.ts";

/** A column with as many bits for every row, so that where all lies is known before anything is computed. */
export interface ResultColumn {
  /** @param dictionary a number that no other dictionary has */
  type(dictionary: bigint): NewType;
  /** What a dictionary of it holds; undefined for none. */
  readonly strings?: readonly string[];
  /** The nodes and buffers of a batch. */
  buffers(rows: number, nulls: number): NewBuffers;
  /** Bytes of the values of so many rows. */
  bytesOf(rows: number): number;
  /** The bytes of rows; those after a multiple of 8 rows begin at a byte. */
  encode(values: Float32Array | Int32Array): Uint8Array;
}

/** The outputs themselves: one number a row, or a list of them. */
export function outputColumn(shape: readonly number[]): ResultColumn {
  const size = shape.reduce((product, length) => product * length, 1);
  const type: NewType = size === 1 ? { kind: "float32" } : { kind: "float32s", shape };
  const bytesOf = (rows: number): number => 4 * size * rows;
  return {
    type: () => type,
    bytesOf,
    buffers: (rows, nulls) => ({
      nodes:
        size === 1
          ? [{ length: rows, nulls }]
          : [
              { length: rows, nulls },
              { length: rows * size, nulls: 0 },
            ],
      // The items have no validity bitmap of their own.
      buffers: [validityBytes(rows, nulls), ...(size === 1 ? [] : [0]), bytesOf(rows)],
    }),
    encode: bytes,
  };
}

/** Labels, from the indices of their classes. */
export function labelColumn(classes: Classes): ResultColumn {
  const bits = { int64: 64, bool: 1, strings: 32 }[classes.type];
  const bytesOf = (rows: number): number => Math.ceil((rows * bits) / 8);
  return {
    type: (dictionary) =>
      classes.type === "strings" ? { kind: "strings", dictionary } : { kind: classes.type },
    ...(classes.type === "strings" && { strings: classes.labels }),
    bytesOf,
    buffers: (rows, nulls) => ({
      nodes: [{ length: rows, nulls }],
      buffers: [validityBytes(rows, nulls), bytesOf(rows)],
    }),
    encode(indices) {
      if (classes.type === "strings") return bytes(indices);
      if (classes.type === "bool") return packed(indices, (index) => classes.labels[index]!);
      return bytes(BigInt64Array.from(indices, (index) => classes.labels[index]!));
    },
  };
}

/** Where no row is null there is no bitmap. */
const validityBytes = (rows: number, nulls: number): number => (nulls === 0 ? 0 : Math.ceil(rows / 8));

/** One bit an element, the lowest of a byte first. */
export function packed(items: ArrayLike<number>, isSet: (item: number) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(items.length / 8));
  for (let i = 0; i < items.length; i++) if (isSet(items[i]!)) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
