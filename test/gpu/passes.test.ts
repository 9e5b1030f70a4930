/** Windows are cut into passes: every element once, in its channel, rows whole. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GpuError } from "../../src/errors.ts";
import { channelsOnDevice, cutPasses, type Pass, PIECE, type TensorShape } from "../../src/gpu/passes.ts";

const plain: TensorShape = { kernels: 0, bytesPerElement: 4, channels: null, rows: null };
const ranges = (...each: readonly (readonly number[])[]): Float64Array => Float64Array.from(each.flat());

/** Each element of the passes: its place in the slot, x's, and the channel that the kernel computes for it. */
function elementsOf(passes: readonly Pass[], tensors: readonly TensorShape[]): Map<number, [number, number]> {
  const found = new Map<number, [number, number]>();
  for (const { kernels, flat, pieces } of passes) {
    const { channels } = tensors.find((tensor) => tensor.kernels === kernels)!;
    let end = 0;
    for (let at = 0; at < pieces.length; at += PIECE) {
      const [offset, other, count, place, size] = pieces.slice(at, at + PIECE) as [
        number,
        number,
        number,
        number,
        number,
      ];
      expect(place).toBeGreaterThanOrEqual(end);
      end = place + count;
      for (let i = 0; i < count; i++) {
        expect(found.has(offset + i * size)).toBe(false);
        const { count: most, stride } = channels ? channelsOnDevice(channels) : { count: 1, stride: 1 };
        const channel = channels ? (flat.channel + Math.floor((flat.within + place + i) / stride)) % most : 0;
        found.set(offset + i * size, [other + i * size, channel]);
      }
    }
    expect(end).toBe(flat.length);
  }
  return found;
}

describe("any ranges", () => {
  const range = fc.record({ gap: fc.nat(9), count: fc.nat(40), tensor: fc.nat(2), first: fc.nat(1000) });
  const settings = fc.record({
    list: fc.array(range, { maxLength: 30 }),
    channels: fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 7 }), stride: fc.integer({ min: 1, max: 9 }) }),
      {
        minLength: 3,
        maxLength: 3,
      },
    ),
    most: fc.integer({ min: 1, max: 100 }),
    gapless: fc.boolean(),
    byChannel: fc.boolean(),
  });

  it("come once each, in their channels, in passes that are not too long", () => {
    fc.assert(
      fc.property(settings, ({ list, channels, most, gapless, byChannel }) => {
        const tensors = channels.map(
          (each, i): TensorShape => ({
            ...plain,
            kernels: i,
            bytesPerElement: i === 1 ? 2 : 4,
            channels: byChannel ? each : null,
          }),
        );
        const expected = new Map<number, [number, number]>();
        const flat: number[] = [];
        let at = 0;
        for (const { gap, count, tensor, first } of list) {
          const { bytesPerElement, channels: own } = tensors[tensor]!;
          const period = own ? own.count * own.stride : 1;
          at += gap;
          flat.push(at, count, tensor, first % period, 5000 + at);
          for (let i = 0; i < count; i++) {
            const channel = own ? Math.floor((first + i) / own.stride) % own.count : 0;
            expected.set(at + i * bytesPerElement, [5000 + at + i * bytesPerElement, channel]);
          }
          at += count * bytesPerElement;
        }
        const passes = cutPasses(Float64Array.from(flat), tensors, most, gapless);
        expect(elementsOf(passes, tensors)).toEqual(expected);
        for (const { flat, pieces } of passes) {
          expect(flat.length).toBeLessThanOrEqual(most);
          if (gapless)
            expect(pieces.filter((_, i) => i % PIECE === 2).reduce((a, b) => a + b, 0)).toBe(flat.length);
        }
      }),
    );
  });
});

it("no ranges, or empty ones, make no pass", () => {
  expect(cutPasses(ranges(), [plain], 100, false)).toEqual([]);
  expect(cutPasses(ranges([0, 0, 0, 0, 0], [8, 0, 0, 0, 0]), [plain], 100, false)).toEqual([]);
});

it("thousands of tiny ranges make one pass", () => {
  const many = Array.from({ length: 5000 }, (_, i) => [12 * i, 2, 0, 0, 0]);
  expect(cutPasses(ranges(...many), [plain], 10_000, true)).toHaveLength(1);
});

it("columns that the same kernels serve go together", () => {
  const two = [plain, { ...plain, bytesPerElement: 2 as const }];
  const [pass, ...others] = cutPasses(
    ranges([0, 3, 0, 0, 0], [12, 4, 1, 0, 0], [20, 2, 0, 0, 0]),
    two,
    100,
    true,
  );
  expect(others).toEqual([]);
  expect(pass!.pieces).toEqual([0, 0, 3, 0, 4, 12, 0, 4, 3, 2, 20, 0, 2, 7, 4]);
});

it("rows stay whole, and what is left behind the last one stays as it is", () => {
  const rows = { ...plain, rows: { length: 30 } };
  const passes = cutPasses(ranges([0, 95, 0, 0, 0]), [rows], 70, true);
  expect(passes.map(({ flat }) => [flat.rowLength, flat.length])).toEqual([
    [30, 60],
    [30, 30],
  ]);
});

it("rows of varying length go with those of their length", () => {
  const rows = { ...plain, rows: { length: null } };
  const passes = cutPasses(ranges([0, 5, 0, 0, 0], [20, 3, 0, 0, 0], [32, 5, 0, 0, 0]), [rows], 70, true);
  expect(passes.map(({ flat }) => [flat.rowLength, flat.length])).toEqual([
    [5, 10],
    [3, 3],
  ]);
});

it("a row that is longer than an array is refused", () => {
  const rows = { ...plain, rows: { length: 101 } };
  expect(() => cutPasses(ranges([0, 101, 0, 0, 0]), [rows], 100, true)).toThrow(GpuError);
});

it("channels longer than 32-bit indices are told by where they end", () => {
  const stride = 3 * 2 ** 31;
  const tensors = [{ ...plain, channels: { count: 3, stride } }];
  const channelOf = (first: number, i: number): number => {
    const [{ flat }] = cutPasses(ranges([0, 2 ** 20, 0, first, 0]), tensors, 2 ** 20, true) as [Pass];
    const { stride: own } = channelsOnDevice({ count: 3, stride });
    expect(flat.within + 2 ** 20).toBeLessThan(2 ** 31);
    return (flat.channel + Math.floor((flat.within + i) / own)) % 3;
  };
  for (const first of [0, 12_345, stride - 100, stride, 2 * stride - 1, 3 * stride - 7]) {
    for (const i of [0, 1, 6, 7, 99, 100, 2 ** 20 - 1]) {
      expect(channelOf(first, i)).toBe(Math.floor((first + i) / stride) % 3);
    }
  }
});
