/**
 * @file The elements of a pass from a slot to a flat array, and back: the one copy on our side. Bits are copied, for a
 * number that passes through a register of JavaScript may come out as another NaN. The device has no float16, so that is
 * widened here and rounded here.
 */
import { float16ToFloat32Bits, float32BitsToFloat16 } from "../ops/float16.ts";
import { PIECE } from "./passes.ts";

/** Up to so many elements a loop is faster than the call of `set`. */
const FEW = 24;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const HALF = Uint16Array.BYTES_PER_ELEMENT;

/** Which of a piece's two offsets is meant: that of what is replaced, or that of x beside it. */
export type Side = 0 | 1;

/** Fills the places of the pieces in `target`. */
export function gather(slot: Uint8Array, pieces: readonly number[], side: Side, target: Float32Array): void {
  const words = wordsOf(target);
  const views = viewsOf(slot);
  for (let at = 0; at < pieces.length; at += PIECE) {
    const offset = pieces[at + side]!;
    const count = pieces[at + 2]!;
    const place = pieces[at + 3]!;
    if (pieces[at + 4] === HALF) {
      if (views && offset % HALF === 0) widen(views.halves, offset / HALF, words, place, count);
      else widen(new Uint16Array(slot.slice(offset, offset + count * HALF).buffer), 0, words, place, count);
    } else if (count <= FEW && views && offset % FLOAT === 0) {
      const from = offset / FLOAT;
      for (let i = 0; i < count; i++) words[place + i] = views.words[from + i]!;
    } else {
      bytesOf(words, place, count).set(slot.subarray(offset, offset + count * FLOAT));
    }
  }
}

/** Writes the results to where the pieces came from. */
export function scatter(source: Float32Array, pieces: readonly number[], side: Side, slot: Uint8Array): void {
  const words = wordsOf(source);
  const views = viewsOf(slot);
  for (let at = 0; at < pieces.length; at += PIECE) {
    const offset = pieces[at + side]!;
    const count = pieces[at + 2]!;
    const place = pieces[at + 3]!;
    if (pieces[at + 4] === HALF) {
      if (views && offset % HALF === 0) narrow(words, place, views.halves, offset / HALF, count);
      else {
        const halves = new Uint16Array(count);
        narrow(words, place, halves, 0, count);
        slot.set(new Uint8Array(halves.buffer), offset);
      }
    } else if (count <= FEW && views && offset % FLOAT === 0) {
      const to = offset / FLOAT;
      for (let i = 0; i < count; i++) views.words[to + i] = words[place + i]!;
    } else {
      slot.set(bytesOf(words, place, count), offset);
    }
  }
}

/** Signed, for the engine keeps such integers in registers as they are. */
function wordsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

function bytesOf({ buffer, byteOffset }: Int32Array, place: number, count: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + place * FLOAT, count * FLOAT);
}

/** The slot as words and half words, where it begins at a multiple of them. */
function viewsOf({
  buffer,
  byteOffset,
  length,
}: Uint8Array): { words: Int32Array; halves: Uint16Array } | undefined {
  if (byteOffset % FLOAT !== 0) return undefined;
  return {
    words: new Int32Array(buffer, byteOffset, Math.floor(length / FLOAT)),
    halves: new Uint16Array(buffer, byteOffset, Math.floor(length / HALF)),
  };
}

/** Of each float16 the float32: made when it is first needed. */
let widened: Int32Array | undefined;

function widen(halves: Uint16Array, from: number, words: Int32Array, place: number, count: number): void {
  widened ??= Int32Array.from({ length: 2 ** 16 }, (_, half) => float16ToFloat32Bits(half));
  const table = widened;
  for (let i = 0; i < count; i++) words[place + i] = table[halves[from + i]!]!;
}

function narrow(words: Int32Array, place: number, halves: Uint16Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) halves[to + i] = float32BitsToFloat16(words[place + i]!);
}
