import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RANGE_STRIDE } from "../../src/device.ts";
import { CHUNK_BYTES, chunks } from "../../src/workers/chunks.ts";
import type { Kernel } from "../../src/workers/kernels.ts";

function kernel(part: Partial<Kernel>): Kernel {
  const none = { key: "", code: new Uint8Array(), channels: null, rows: null, tables: null };
  return { ...none, bytesPerElement: 4, inputs: 1, grain: 1, ...part };
}

/** Numbers of a window: gaps and ranges that follow each other, of kernels with several grains. */
const KERNELS = [
  kernel({}),
  kernel({ bytesPerElement: 8, grain: 3 }),
  kernel({ bytesPerElement: 2, grain: 1000 }),
  kernel({ grain: Number.POSITIVE_INFINITY }),
];
const layouts = fc.array(
  fc.record({
    gap: fc.integer({ min: 0, max: 3000 }),
    count: fc.integer({ min: 0, max: 300_000 }),
    tensor: fc.integer({ min: 0, max: KERNELS.length - 1 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function windowOf(layout: readonly { gap: number; count: number; tensor: number }[]) {
  const ranges: number[] = [];
  let length = 0;
  for (const { gap, count, tensor } of layout) {
    length += gap;
    ranges.push(length, count, tensor, 7, 0);
    length += count * KERNELS[tensor]!.bytesPerElement;
  }
  return { length: length + 5, ranges: Float64Array.from(ranges) };
}

type Row = [start: number, count: number, tensor: number, first: number, other: number];

const rowsOf = (ranges: Float64Array): number[][] =>
  Array.from({ length: ranges.length / RANGE_STRIDE }, (_, i) => [
    ...ranges.subarray(i * RANGE_STRIDE, (i + 1) * RANGE_STRIDE),
  ]);

describe("chunks of a window", () => {
  it("compute each element once, after it was read and before it is written, and keep grains whole", () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const { length, ranges } = windowOf(layout);
        const found: number[][] = [];
        const full = ([, count]: readonly number[]) => count! > 0;
        let [read, written] = [0, 0];
        for (const { end, ranges: parts, done } of chunks(length, ranges, KERNELS)) {
          expect(end - read).toBeLessThanOrEqual(CHUNK_BYTES);
          expect(done).toBeLessThanOrEqual(end);
          expect(done).toBeGreaterThanOrEqual(written);
          for (const [start, count, tensor, first] of rowsOf(parts).filter(full) as Row[]) {
            const { bytesPerElement, grain } = KERNELS[tensor]!;
            expect(start).toBeGreaterThanOrEqual(written);
            expect(start + count * bytesPerElement).toBeLessThanOrEqual(done);
            const last = found.at(-1);
            const goesOn = last && last[0]! + last[1]! * bytesPerElement === start && last[2] === tensor;
            if (goesOn && first === last[3]! + last[1]! && last[1]! % grain === 0) last[1]! += count;
            else found.push([start, count, tensor, first, 0]);
          }
          [read, written] = [end, done];
        }
        expect([read, written]).toEqual([length, length]);
        expect(found).toEqual(rowsOf(ranges).filter(full));
      }),
      // Of a window that is one chunk, empty ranges may be handed on: they compute nothing.
      { examples: [[[{ gap: 0, count: 0, tensor: 0 }]]] },
    );
  });

  it("wait for x where it stands later in the same window", () => {
    const count = CHUNK_BYTES / 8;
    const length = 4 * CHUNK_BYTES;
    // dy is in the first half chunk, x in the last one.
    const ranges = Float64Array.of(0, count, 0, 0, length - 4 * count);
    const parts = [...chunks(length, ranges, [kernel({ inputs: 2 })])];
    expect(parts.map(({ ranges: { length: found } }) => found)).toEqual([0, 0, 0, RANGE_STRIDE]);
    expect(parts.map(({ done }) => done)).toEqual([0, 0, 0, length]);
  });

  it("ask for so much of x behind the window as they compute", () => {
    const count = CHUNK_BYTES / 2;
    const behind = 8 * CHUNK_BYTES;
    const ranges = Float64Array.of(4, count, 0, 0, behind);
    const parts = [...chunks(4 + 4 * count, ranges, [kernel({ inputs: 2 })])];
    expect(parts.map(({ otherEnd }) => otherEnd - behind)).toEqual([
      CHUNK_BYTES - 4,
      2 * CHUNK_BYTES - 4,
      2 * CHUNK_BYTES,
    ]);
  });
});
