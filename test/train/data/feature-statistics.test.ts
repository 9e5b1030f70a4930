/** @file Mean and deviation of the features, for `standardize`. */
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DatasetOptions, openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { randomFrom } from "../../support/random.ts";
import { fixed, write } from "../../support/written.ts";
import { batches, column, DEFAULTS, serve } from "./served.ts";

const directory = temporaryDirectory();

/** A file with these rows, in batches of 1,000. */
function save(rows: readonly (readonly (number | null)[])[]): string {
  const parts = Array.from({ length: Math.ceil(rows.length / 1000) }, (_, i) =>
    rows.slice(i * 1000, (i + 1) * 1000),
  );
  const type = fixed(rows[0]!.length, new arrow.Float64());
  const columns = parts.map((part) => ({
    x: column(part, type),
    y: column(
      part.map(() => 0),
      new arrow.Int8(),
    ),
  }));
  return directory.write("a.arrow", write("file", ...batches(...columns)));
}

async function statisticsOf(path: string, options: Partial<DatasetOptions> = {}) {
  const data = await openDataset(path, { ...DEFAULTS, ...options });
  try {
    const { features } = await serve(data, data.open("train", 0));
    return { ...(await data.statistics()), features };
  } finally {
    await data.close();
  }
}

describe("mean and deviation", () => {
  it("are those of the training rows, in two plain passes over them", async () => {
    // A deviation that float32 rounds to 0 is none: numbers that small are another test's.
    const element = fc
      .double({ min: -1e6, max: 1e6, noNaN: true })
      .map((value) => (Math.abs(value) < 1e-30 ? 0 : value));
    const rows = fc.array(fc.tuple(element, element), { minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(0, 0.4), fc.integer(), async (rows, validation, seed) => {
        if (rows.length < 3 && validation > 0) return;
        const { mean, deviation, features } = await statisticsOf(save(rows), { validation, seed });
        for (const i of [0, 1]) {
          const values = features.map((row) => row[i]!);
          const average = values.reduce((sum, value) => sum + value, 0) / values.length;
          const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length;
          expect(mean[i]).toBeCloseTo(average, 1);
          const expected = Math.sqrt(variance);
          if (new Set(values).size === 1) expect(deviation[i]).toBe(1);
          else expect(Math.abs(deviation[i]! - expected)).toBeLessThanOrEqual(1e-6 * expected + 1e-30);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("count a deviation that float32 has no number for as none", async () => {
    const { deviation } = await statisticsOf(save([[0], [2 ** -149]]));
    expect([...deviation]).toEqual([1]);
  });

  it("do not cancel where the mean is large, and are 1 for a feature that never changes", async () => {
    const random = randomFrom(1);
    const rows = Array.from({ length: 5000 }, () => [1000 + random() * 0.25, 0.1, 0]);
    const { mean, deviation } = await statisticsOf(save(rows));
    expect(mean[0]).toBeCloseTo(1000.125, 2);
    expect(deviation[0]! / (0.25 / Math.sqrt(12))).toBeCloseTo(1, 1);
    expect([deviation[1], deviation[2]]).toEqual([1, 1]);
    expect([mean[1], mean[2]]).toEqual([Math.fround(0.1), 0]);
  });

  it("have the same bits whatever is shuffled and held in memory", async () => {
    const random = randomFrom(2);
    const rows = Array.from({ length: 3000 }, () => Array.from({ length: 300 }, random));
    const path = save(rows);
    const all = await statisticsOf(path, { validation: 0.1 });
    const parts = await statisticsOf(path, { validation: 0.1, shuffle: 0 });
    expect([parts.mean, parts.deviation]).toEqual([all.mean, all.deviation]);
  });

  it("leave out rows with nulls", async () => {
    const { mean } = await statisticsOf(
      save([
        [1, 2],
        [null, 5],
        [3, 4],
      ]),
      { skipNulls: true },
    );
    expect([...mean]).toEqual([2, 3]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
    "are an error for a feature of %d",
    async (value) => {
      await expect(
        statisticsOf(
          save([
            [1, 2],
            [3, value],
          ]),
        ),
      ).rejects.toThrow('Element 1 of the features is NaN or infinite in some row (column "x")');
    },
  );
});
