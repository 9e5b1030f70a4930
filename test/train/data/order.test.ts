/** @file The order of rows: a permutation, made of seed and epoch alone, whatever memory and batches there are. */
import { truncateSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DatasetOptions, openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { write } from "../../support/written.ts";
import { DEFAULTS, numberedBatches, type Served, serve } from "./served.ts";

const directory = temporaryDirectory();
const KIB = 1024;

/** 4,000 rows of 1 KiB: four windows. */
const SIZE = 255;
const ROWS = 4000;
const path = directory.write("a.arrow", write("file", ...numberedBatches([1500, 1501, 3999, ROWS], SIZE)));

/** The numbers of the rows in the order of an epoch. */
async function orderOf(
  inputs: string | readonly string[],
  options: Partial<DatasetOptions> = {},
  epoch = 0,
  batch = 64,
): Promise<number[]> {
  const data = await openDataset(inputs, { ...DEFAULTS, ...options });
  const { features, targets } = await serve(data, data.open("train", epoch), batch, 2);
  await data.close();
  const order = features.map(([row]) => row!);
  expect(features.map(([, other]) => other)).toEqual(order.map((row) => -row));
  expect(targets.flat()).toEqual(order.map((row) => row % 3));
  return order;
}

const rowsIn = ({ features }: Served): number[] => features.map(([row]) => row!);

const targetOf = (rows: number) => ({
  features: new Float32Array(rows * SIZE),
  targets: new Float32Array(rows),
  weights: new Float32Array(rows),
});
const counted = Array.from({ length: ROWS }, (_, row) => row);
const sorted = (order: readonly number[]): number[] => [...order].sort((a, b) => a - b);

describe("an epoch", () => {
  it("serves every row exactly once, for any buffer and batch", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          epoch: fc.nat(),
          shuffle: fc.constantFrom(0, 1500 * KIB, 2048 * KIB, 8192 * KIB),
          batch: fc.integer({ min: 1, max: 5000 }),
        }),
        async ({ seed, epoch, shuffle, batch }) => {
          expect(sorted(await orderOf(path, { seed, shuffle }, epoch, batch))).toEqual(counted);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("has the same order for the same seed and epoch, and another one for others", async () => {
    const shuffle = 1024 * KIB;
    const order = await orderOf(path, { shuffle }, 3);
    expect(await orderOf(path, { shuffle }, 3)).toEqual(order);
    expect(await orderOf(path, { shuffle }, 4)).not.toEqual(order);
    expect(await orderOf(path, { shuffle, seed: 2 }, 3)).not.toEqual(order);
  });

  it("has an order that does not depend on the memory, nor on how many rows are asked for at once", async () => {
    const shuffle = 1024 * KIB;
    const order = await orderOf(path, { shuffle, memory: 2 ** 40 }, 0, 64);
    expect(await orderOf(path, { shuffle, memory: 10_000 * KIB }, 0, 64)).toEqual(order);
    expect(await orderOf(path, { shuffle }, 0, 1)).toEqual(order);
    expect(await orderOf(path, { shuffle }, 0, 3000)).toEqual(order);
  });

  it("has an order that does not depend on batches and format", async () => {
    const shuffle = 1024 * KIB;
    const order = await orderOf(path, { shuffle });
    const ends = [1, 2, 2, 700, 2500, ROWS];
    const stream = directory.write("a.arrows", write("stream", ...numberedBatches(ends, SIZE)));
    expect(await orderOf(stream, { shuffle })).toEqual(order);
    const tiny = directory.write(
      "tiny.arrows",
      write("stream", ...numberedBatches(counted.filter((row) => row % 9 === 0).concat(ROWS), SIZE)),
    );
    expect(await orderOf(tiny, { shuffle })).toEqual(order);
  });

  it("shuffles windows, and the rows of a buffer across its windows", async () => {
    // Two windows of 1,024 rows fit into a buffer: after the first 2,048 rows no row of their windows comes again.
    const order = await orderOf(path, { shuffle: 2048 * KIB });
    const windowOf = (row: number): number => Math.floor(row / 1024);
    const first = new Set(order.slice(0, 1900).map(windowOf));
    expect(first.size).toBe(2);
    expect(new Set(order.slice(0, 20).map(windowOf)).size).toBe(2);
    // Rows are as far from their places as a random order has them: not nearly sorted.
    const rises = order.filter((row, i) => i > 0 && row > order[i - 1]!).length;
    expect(rises).toBeGreaterThan(ROWS * 0.45);
    expect(rises).toBeLessThan(ROWS * 0.55);
  });

  it("is the same whether the rows stay in memory or are read again", async () => {
    const shuffle = 1024 * KIB;
    const data = await openDataset(path, { ...DEFAULTS, shuffle });
    const twice = [];
    for (const epoch of [0, 1, 0]) {
      twice.push(rowsIn(await serve(data, data.open("train", epoch), 64, 1)));
    }
    expect(twice[2]).toEqual(twice[0]);
    expect(twice[1]).not.toEqual(twice[0]);
    const all = await openDataset(path, { ...DEFAULTS, shuffle: 8192 * KIB });
    const first = await serve(all, all.open("train", 0), 64, 2);
    expect(await serve(all, all.open("train", 0), 64, 2)).toEqual(first);
    await data.close();
    await all.close();
  });
});

describe("skip", () => {
  it("goes on exactly where so many rows are served", async () => {
    const data = await openDataset(path, { ...DEFAULTS, shuffle: 1024 * KIB, validation: 0.1 });
    for (const part of ["train", "validation"] as const) {
      const whole = rowsIn(await serve(data, data.open(part, 1), 64, 1));
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length + 10), fc.nat(1500), async (rows, before) => {
          const reader = data.open(part, 1);
          const target = targetOf(1500);
          const filled = before === 0 ? 0 : await reader.fill(target, before);
          await reader.skip(rows);
          expect(rowsIn(await serve(data, reader, 64, 1))).toEqual(whole.slice(filled + rows));
        }),
        { numRuns: 15 },
      );
    }
    await data.close();
  });

  it("reads nothing of what it passes over as whole buffers", async () => {
    const copy = directory.write("copy.arrow", directory.read("a.arrow"));
    const data = await openDataset(copy, { ...DEFAULTS, shuffle: 0 });
    truncateSync(copy, 100);
    const reader = data.open("train", 0);
    await reader.skip(ROWS);
    expect(await reader.fill(targetOf(1), 1)).toBe(0);
    await expect(data.open("train", 0).fill(targetOf(1), 1)).rejects.toThrow("became shorter");
    await data.close();
  });
});

describe("several readers", () => {
  it("do not disturb each other", async () => {
    const data = await openDataset(path, { ...DEFAULTS, shuffle: 1024 * KIB, validation: 0.25 });
    const alone = await serve(data, data.open("train", 0), 50, 2);
    const [train, again, held] = await Promise.all([
      serve(data, data.open("train", 0), 9, 2),
      serve(data, data.open("train", 0), 100, 2),
      serve(data, data.open("validation", 0), 33, 2),
    ]);
    expect(train).toEqual(alone);
    expect(again).toEqual(alone);
    expect(held.features.length).toBe(1000);
    await data.close();
  });

  it("may be closed at any time, and the data with them", async () => {
    for (let rows = 0; rows < 5; rows++) {
      const data = await openDataset(path, { ...DEFAULTS, shuffle: 1024 * KIB });
      const reader = data.open("train", 0);
      const target = targetOf(700);
      for (let i = 0; i < rows; i++) await reader.fill(target, 700);
      await data.close();
      await expect(reader.fill(target, 1)).rejects.toThrow("closed");
      expect(() => data.open("train", 0)).toThrow("closed");
    }
  });
});
