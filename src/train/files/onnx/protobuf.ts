/**
 * @file The wire format of protocol buffers, as far as ONNX needs it. A message is a list of parts: weights are not
 * copied.
 *
 * ```text
 *   field     | varint: number * 8 + wire type | value |
 *   value     0 varint: 7 bits a byte, the lowest first    2 varint length, then bytes    5 four bytes, little-endian
 * ```
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** A field, or several, as bytes in parts. */
export interface Encoded {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** A whole number; below 0 in two's complement of 64 bits, as int64 is. */
export function int(field: number, value: number): Encoded {
  return of(Uint8Array.of(...varint(field * 8 + VARINT), ...varint(value)));
}

/** A float32. */
export function float(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join([of(Uint8Array.of(...varint(field * 8 + FIXED32))), of(bytes)]);
}

export function bytes(field: number, value: Uint8Array): Encoded {
  return within(field, of(value));
}

export function text(field: number, value: string): Encoded {
  return bytes(field, new TextEncoder().encode(value));
}

export function message(field: number, ...fields: readonly Encoded[]): Encoded {
  return within(field, join(fields));
}

export function join(fields: readonly Encoded[]): Encoded {
  return {
    parts: fields.flatMap(({ parts }) => parts),
    length: fields.reduce((sum, { length }) => sum + length, 0),
  };
}

function within(field: number, content: Encoded): Encoded {
  return join([of(Uint8Array.of(...varint(field * 8 + BYTES), ...varint(content.length))), content]);
}

const of = (part: Uint8Array): Encoded => ({ parts: [part], length: part.length });

function varint(value: number): number[] {
  const groups: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left >= 128n; left >>= 7n) groups.push(Number(left & 127n) | 128);
  return [...groups, Number(left)];
}
