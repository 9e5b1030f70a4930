/** Elements to the device's arrays and back: bit for bit, wherever they lie. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gather, scatter } from "../../src/gpu/gather.ts";
import { float16ToFloat32Bits } from "../../src/ops/float16.ts";

/** A slot that begins at any byte of its memory. */
function slotOf(bytes: Uint8Array, shift: number): Uint8Array {
  const memory = new Uint8Array(bytes.length + shift);
  memory.set(bytes, shift);
  return memory.subarray(shift);
}

const piece = fc.record({ gap: fc.nat(5), count: fc.nat(60), hole: fc.nat(3), half: fc.boolean() });
const settings = fc.record({
  list: fc.array(piece, { maxLength: 12 }),
  shift: fc.nat(3),
  bytes: fc.uint8Array({ minLength: 4000, maxLength: 4000 }),
});

describe("pieces at any byte", () => {
  it("come whole, and go back whole, with all other bytes as they were", () => {
    fc.assert(
      fc.property(settings, ({ list, shift, bytes }) => {
        const slot = slotOf(bytes, shift);
        const view = new DataView(slot.buffer, slot.byteOffset);
        const pieces: number[] = [];
        const expected: [place: number, bits: number][] = [];
        let [at, place] = [0, 0];
        for (const { gap, count, hole, half } of list) {
          at += gap;
          place += hole;
          const size = half ? 2 : 4;
          pieces.push(at, at, count, place, size);
          for (let i = 0; i < count; i++) {
            const offset = at + i * size;
            const bits = half
              ? float16ToFloat32Bits(view.getUint16(offset, true))
              : view.getUint32(offset, true);
            expected.push([place + i, bits]);
          }
          at += count * size;
          place += count;
        }
        const target = new Float32Array(place);
        gather(slot, pieces, 0, target);
        const words = new Uint32Array(target.buffer);
        expect(expected.map(([i]) => [i, words[i]])).toEqual(expected);

        const back = slotOf(new Uint8Array(bytes.length).fill(0xa5), shift);
        scatter(target, pieces, 0, back);
        const own = new Uint8Array(bytes.length).fill(0xa5);
        for (let i = 0; i < pieces.length; i += 5) {
          const [start, , count, , size] = pieces.slice(i) as [number, number, number, number, number];
          own.set(slot.subarray(start, start + count * size), start);
        }
        // A signalling NaN of float16 comes back as a quiet one.
        const quiet = new Uint8Array(own);
        quietHalves(quiet, pieces);
        expect(back).toEqual(slotOf(quiet, shift));
      }),
    );
  });
});

function quietHalves(bytes: Uint8Array, pieces: readonly number[]): void {
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pieces.length; i += 5) {
    if (pieces[i + 4] !== 2) continue;
    for (let at = pieces[i]!; at < pieces[i]! + 2 * pieces[i + 2]!; at += 2) {
      const half = view.getUint16(at, true);
      if ((half & 0x7fff) > 0x7c00) view.setUint16(at, half | 0x200, true);
    }
  }
}

it("x stands beside dy, and only dy is replaced", () => {
  const slot = new Uint8Array(Float32Array.of(1, 2, 3, 10, 20, 30).buffer);
  const pieces = [0, 12, 3, 0, 4];
  const [dy, x] = [new Float32Array(3), new Float32Array(3)];
  gather(slot, pieces, 0, dy);
  gather(slot, pieces, 1, x);
  expect([dy, x]).toEqual([Float32Array.of(1, 2, 3), Float32Array.of(10, 20, 30)]);
  scatter(Float32Array.of(7, 8, 9), pieces, 0, slot);
  expect(new Float32Array(slot.buffer)).toEqual(Float32Array.of(7, 8, 9, 10, 20, 30));
});

it("float16 is rounded to nearest even, beyond 65,504 to infinity", () => {
  const slot = new Uint8Array(8);
  scatter(Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_520, -(2 ** -26)), [0, 0, 4, 0, 2], 0, slot);
  expect(new Uint16Array(slot.buffer)).toEqual(Uint16Array.of(0x3c00, 0x3c02, 0x7c00, 0x8000));
});
