/**
 * @file What may come of a damaged input: an error of this package, or an output of the same length in which only bytes
 * inside declared buffers differ, each in its sign. The buffers are read here by other code, which believes everything.
 */
import { SluiceError } from "../../src/errors.ts";
import type { Format } from "../../src/formats/layout.ts";

/** With the op `neg`, an element that was computed has its sign flipped, and nothing else. */
export const OPS = "neg";
const SIGN = 0x80;
/** In the high byte of a half precision number. */
const EXPONENT = 0x7c;
const QUIET = 0x02;
/** In the union MessageHeader. */
const RECORD_BATCH = 3;

/** Throws a plain Error for an error that no user should see. */
export function judgeError(error: unknown): void {
  if (!(error instanceof SluiceError))
    throw new Error("It failed with an error of another kind", { cause: error });
  const { code, message, position } = error;
  const expected = ["ERR_CORRUPT", "ERR_TRUNCATED", "ERR_UNSUPPORTED", "ERR_NOT_RECOGNISED", "ERR_COLUMN"];
  if (!expected.includes(code)) throw new Error(`It failed with ${code}`, { cause: error });
  if (!error.remedy && code !== "ERR_COLUMN") throw new Error("An error has no remedy", { cause: error });
  if (position.path === undefined || (position.byteOffset ?? 0) < 0) {
    throw new Error("An error has no position", { cause: error });
  }
  // Names in the input may well be long, and say anything; here they do not.
  if (message.length > 2000 || /undefined|NaN|\[object/.test(message)) {
    throw new Error("An error is unfit to read", { cause: error });
  }
}

/** Throws a plain Error where the output is not what it may be. */
export function judgeOutput(input: Uint8Array, output: Uint8Array, format: Format): void {
  if (output.length !== input.length) {
    throw new Error(`The output has ${output.length} bytes, the input ${input.length}`);
  }
  const changed: number[] = [];
  for (let i = 0; i < input.length; i++) {
    const difference = input[i]! ^ output[i]!;
    if (difference === 0) continue;
    // A signalling NaN in half precision comes back quiet.
    const quieted = difference === (SIGN | QUIET) && (input[i]! & EXPONENT) === EXPONENT;
    if (difference !== SIGN && !quieted) throw new Error(`Byte ${i} is no element's, or computed wrongly`);
    changed.push(i);
  }
  if (changed.length === 0) return;
  const ranges = declaredRanges(input, format);
  for (const at of changed) {
    if (!ranges.some(([start, end]) => at >= start && at < end)) {
      throw new Error(`Byte ${at} was changed, which lies in no declared buffer`);
    }
  }
}

type Range = readonly [start: number, end: number];

function declaredRanges(bytes: Uint8Array, format: Format): Range[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === "npy") {
    const start = bytes[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
    return [[start, bytes.length]];
  }
  if (format === "arrow") return blocksOf(view).flatMap((offset) => readMessage(view, offset).ranges);
  const ranges: Range[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    const first = view.getInt32(offset, true);
    const ended = first === -1 && offset + 8 <= bytes.length && view.getInt32(offset + 4, true) === 0;
    if (first === 0 || ended) {
      // The end of a stream, or padding after it; another stream may follow.
      offset += ended ? 8 : 4;
      continue;
    }
    const message = readMessage(view, offset);
    ranges.push(...message.ranges);
    offset = message.end;
  }
  return ranges;
}

function readMessage(view: DataView, offset: number): { ranges: Range[]; end: number } {
  const prefix = view.getInt32(offset, true) === -1 ? 8 : 4;
  const start = offset + prefix;
  const body = start + view.getInt32(start - 4, true);
  const message = follow(view, start);
  const type = field(view, message, 1);
  const bodyLength = field(view, message, 3);
  const end = body + (bodyLength === 0 ? 0 : Number(view.getBigInt64(bodyLength, true)));
  if (type === 0 || view.getUint8(type) !== RECORD_BATCH) return { ranges: [], end };
  const buffers = field(view, follow(view, field(view, message, 2)), 2);
  const vector = buffers === 0 ? 0 : follow(view, buffers);
  const count = vector === 0 ? 0 : view.getUint32(vector, true);
  const ranges = Array.from({ length: count }, (_, i): Range => {
    const from = body + Number(view.getBigInt64(vector + 4 + 16 * i, true));
    return [from, Math.min(end, from + Number(view.getBigInt64(vector + 12 + 16 * i, true)))];
  });
  return { ranges, end };
}

/** The offsets of the record batches that the footer lists, in structs of 24 bytes. */
function blocksOf(view: DataView): number[] {
  const end = view.byteLength - 10;
  const batches = field(view, follow(view, end - view.getInt32(end, true)), 3);
  const vector = batches === 0 ? 0 : follow(view, batches);
  const count = vector === 0 ? 0 : view.getUint32(vector, true);
  return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(vector + 4 + 24 * i, true)));
}

/** Where a flatbuffer's forward offset leads. */
const follow = (view: DataView, at: number): number => at + view.getUint32(at, true);

/** Position of a table's field; 0 where it is absent. */
function field(view: DataView, table: number, slot: number): number {
  const vtable = table - view.getInt32(table, true);
  const entry = 4 + 2 * slot;
  const offset = entry + 2 <= view.getUint16(vtable, true) ? view.getUint16(vtable + entry, true) : 0;
  return offset === 0 ? 0 : table + offset;
}
