import { readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { drawRows, loadDigits, PIXELS, writeRows } from "../../examples/claims/support/digits.ts";
import { mean } from "../../examples/claims/support/statistics.ts";
import {
  ACTIVATIONS,
  convolutionalNetwork,
  denseNetwork,
  epochsTo,
  LARGE_SIGMOID,
  mapTwo,
  trainOn,
} from "../../examples/claims/support/training.ts";

const digits = loadDigits();

describe("the digits", () => {
  it("are 8,000 to draw from and 2,000 held out, of all classes, with mean 0 and deviation 1", () => {
    const { pool, heldOut } = digits;
    expect([pool.labels.length, heldOut.labels.length]).toEqual([8000, 2000]);
    expect(new Set(heldOut.labels).size).toBe(10);
    expect(pool.images.length).toBe(8000 * PIXELS);
    const pixels = [...pool.images];
    expect(mean(pixels)).toBeCloseTo(0, 4);
    expect(mean(pixels.map((pixel) => pixel ** 2))).toBeCloseTo(1, 4);
  });

  it("are drawn by the seed: the same rows for the same one, none twice", () => {
    const [first, again, other] = [1, 1, 2].map((seed) => drawRows(digits, 100, seed));
    expect(again).toEqual(first);
    expect(other!.labels).not.toEqual(first!.labels);
    const rows = Array.from({ length: 100 }, (_, row) =>
      first!.images.subarray(row * PIXELS, (row + 1) * PIXELS).join(),
    );
    expect(new Set(rows).size).toBe(100);
  });

  it("are written as an Arrow file with both columns", () => {
    const rows = drawRows(digits, 5, 3);
    const table = tableFromIPC(readFileSync(writeRows("test", rows)));
    expect([...table.getChild("label")!]).toEqual([...rows.labels]);
    expect([...table.getChild("image")!.get(4)]).toEqual([...rows.images.subarray(4 * PIXELS)]);
  });
});

describe("the networks", () => {
  it.each([...ACTIVATIONS, LARGE_SIGMOID].map((activation) => [activation.name, activation] as const))(
    "with %s learn from the digits, the same on every run",
    async (_, activation) => {
      const path = writeRows("few", drawRows(digits, 40, 4));
      for (const network of [denseNetwork, convolutionalNetwork]) {
        const twice = [];
        for (let run = 0; run < 2; run++) {
          const model = network(2, 4, activation);
          const { accuracies } = await trainOn(path, model, { batch: 20, epochs: 3 }, 1e-2, 1);
          twice.push([accuracies, [...model.tensors.values()]]);
        }
        expect(twice[0]![0]).toHaveLength(3);
        expect(twice[1]).toEqual(twice[0]);
      }
    },
  );
});

describe("many trainings", () => {
  it("give their results in the order of the items, whoever is done first", async () => {
    const waits = [30, 1, 20, 2, 0];
    const results = await mapTwo(waits, async (wait) => {
      await new Promise((resolve) => setTimeout(resolve, wait));
      return wait;
    });
    expect(results).toEqual(waits);
  });

  it("have reached a share in the first epoch that did, or never", () => {
    expect(epochsTo(0.9, [0.5, 0.9, 0.8, 0.95])).toBe(2);
    expect(epochsTo(0.9, [0.5])).toBe(Number.POSITIVE_INFINITY);
  });
});
