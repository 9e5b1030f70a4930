/** @file Stored numbers of any type as numbers of JavaScript. */
import { float16ToNumber } from "../../ops/float16.ts";

/** The types of numbers that features, targets and weights may be stored in; a bool is 0 or 1, in a bit or a byte. */
export type NumberType =
  | "bool"
  | "bool8"
  | `${"int" | "uint"}${8 | 16 | 32 | 64}`
  | "float16"
  | "float32"
  | "float64";

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

const BITS: Readonly<Record<NumberType, number>> = {
  bool: 1,
  bool8: 8,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float16: 16,
  float32: 32,
  float64: 64,
};

export function isBool(type: NumberType): boolean {
  return type === "bool" || type === "bool8";
}

export function isNumberType(text: string): text is NumberType {
  return text in BITS;
}

/** The bytes that hold elements `first` to `first + count` of a buffer, from its byte `start` on. */
export function bytesOfElements(
  type: NumberType,
  first: number,
  count: number,
): { start: number; bytes: number } {
  const bits = BITS[type];
  const start = Math.floor((first * bits) / 8);
  return { start, bytes: Math.ceil(((first + count) * bits) / 8) - start };
}

/**
 * The numbers in `bytes`, which `bytesOfElements` chose and which begin at a multiple of 8 in their memory: a view
 * where JavaScript has such an array, else a new array. 64-bit integers beyond 2^53 are rounded.
 */
export function toNumbers(type: NumberType, bytes: Uint8Array, first: number, count: number): NumberArray {
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case "int8":
      return new Int8Array(buffer, byteOffset, count);
    case "uint8":
    case "bool8":
      return new Uint8Array(buffer, byteOffset, count);
    case "int16":
      return new Int16Array(buffer, byteOffset, count);
    case "uint16":
      return new Uint16Array(buffer, byteOffset, count);
    case "int32":
      return new Int32Array(buffer, byteOffset, count);
    case "uint32":
      return new Uint32Array(buffer, byteOffset, count);
    case "float32":
      return new Float32Array(buffer, byteOffset, count);
    case "float64":
      return new Float64Array(buffer, byteOffset, count);
    case "float16":
      return fromHalves(new Uint16Array(buffer, byteOffset, count));
    case "int64":
    case "uint64":
      return fromInt64(bytes, count, type === "int64");
    case "bool":
      return fromBits(bytes, first % 8, count);
  }
}

/** Every float16 as a number, indexed by its bits; made when first needed. */
let halves: Float32Array | undefined;

function fromHalves(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 0x10000 }, (_, half) => float16ToNumber(half));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

function fromInt64({ buffer, byteOffset }: Uint8Array, count: number, signed: boolean): Float64Array {
  const low = new Uint32Array(buffer, byteOffset, 2 * count);
  const high = signed ? new Int32Array(buffer, byteOffset, 2 * count) : low;
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!;
  return values;
}

function fromBits(bytes: Uint8Array, shift: number, count: number): Uint8Array {
  const values = new Uint8Array(count);
  for (let i = 0; i < count; i++) values[i] = (bytes[(i + shift) >> 3]! >> ((i + shift) & 7)) & 1;
  return values;
}
