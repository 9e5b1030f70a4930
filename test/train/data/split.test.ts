/** @file Held-out rows: as many as the share says, of every stretch of the files, and never served for training. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { type DatasetOptions, openDataset } from "../../../src/train/data/dataset.ts";
import { chooseBlock, Split } from "../../../src/train/data/split.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { write } from "../../support/written.ts";
import { DEFAULTS, numberedBatches, serve } from "./served.ts";

const directory = temporaryDirectory();
const path = directory.write("a.arrow", write("file", ...numberedBatches([3000, 10_000])));

async function partsOf(
  options: Partial<DatasetOptions>,
  epoch = 0,
): Promise<{ train: number[]; held: number[] }> {
  const data = await openDataset(path, { ...DEFAULTS, ...options });
  const rows = async (part: "train" | "validation") =>
    (await serve(data, data.open(part, epoch), 100, 1)).features.map(([row]) => row!);
  const parts = { train: await rows("train"), held: await rows("validation") };
  expect(data.rows).toEqual({ train: parts.train.length, validation: parts.held.length, skipped: 0 });
  await data.close();
  return parts;
}

describe("the held-out rows", () => {
  it("are exactly the share: 0.2 of 10,000 is 2,000, and 200 of every 1,000", async () => {
    const { train, held } = await partsOf({ validation: 0.2 });
    expect([train.length, held.length]).toEqual([8000, 2000]);
    const perBlock = new Array<number>(10).fill(0);
    for (const row of held) perBlock[Math.floor(row / 1000)]!++;
    expect(perBlock).toEqual(new Array(10).fill(200));
    expect([...train, ...held].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10_000 }, (_, row) => row),
    );
  });

  it("come in the order of the files, the same in every epoch, whatever is shuffled", async () => {
    const { held } = await partsOf({ validation: 0.1 });
    expect(held).toEqual([...held].sort((a, b) => a - b));
    expect((await partsOf({ validation: 0.1, shuffle: 0 }, 5)).held).toEqual(held);
    expect((await partsOf({ validation: 0.1, seed: 2 })).held).not.toEqual(held);
  });

  it("are spread at random, not every so many rows", async () => {
    const { held } = await partsOf({ validation: 0.1 });
    const gaps = new Set(held.slice(1).map((row, i) => row - held[i]!));
    expect(gaps.size).toBeGreaterThan(15);
  });

  it.each([0.0001, 0.3333, 0.5, 0.9])("of a share of %d are that many in all", async (validation) => {
    const { held } = await partsOf({ validation });
    expect(held.length).toBe(Math.round(validation * 10_000));
  });

  it("may be none or all", async () => {
    expect((await partsOf({ validation: 0 })).held).toEqual([]);
    expect((await partsOf({ validation: 1 })).train).toEqual([]);
  });

  it.each([
    [0.00001, "No row of 10000 is held out"],
    [0.99999, "No row of 10000 is left to train on"],
    [-0.1, "The validation share is -0.1"],
    [1.5, "The validation share is 1.5"],
    [Number.NaN, "The validation share is NaN"],
  ])("of a share of %d are an error", async (validation, message) => {
    const opening = openDataset(path, { ...DEFAULTS, validation });
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });
});

it("a block has as many as the share of all rows up to its end, less those before it", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(1000),
      fc.integer({ min: 1, max: 1000 }),
      (seed, share, block, rows) => {
        const chosen = chooseBlock(seed, share, block, rows).reduce((sum, one) => sum + one, 0);
        const [start, end] = [block * 1000, block * 1000 + rows];
        expect(chosen).toBe(Math.round(share * end) - Math.round(share * start));
      },
    ),
  );
});

it("every row of a block is as likely as any other", () => {
  const counts = new Array<number>(100).fill(0);
  for (let seed = 0; seed < 4000; seed++) {
    const split = new Split(seed, 0.25, 100);
    for (let row = 0; row < 100; row++) if (split.isHeldOut(row)) counts[row]!++;
  }
  // 1,000 expected; five standard deviations of 27.
  expect(Math.min(...counts)).toBeGreaterThan(860);
  expect(Math.max(...counts)).toBeLessThan(1140);
});
