/** @file Labels of every kind: as classes, sorted and kept; and as values. */
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { ColumnError, CorruptError, UnsupportedError } from "../../../src/errors.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { fixture } from "../../support/fixtures.ts";
import { fixed, list, write } from "../../support/written.ts";
import { batches, column, DEFAULTS, file, labelsOf, rowsOf } from "./served.ts";

const directory = temporaryDirectory();
let files = 0;

const features = (rows: number) =>
  column(
    Array.from({ length: rows }, (_, row) => [row]),
    fixed(1, new arrow.Float32()),
  );

/** A file with this label column. */
function labelled(values: readonly unknown[], type: arrow.DataType): string {
  return directory.write(`${files++}.arrow`, file({ x: features(values.length), y: column(values, type) }));
}

const LONG = "a label that is too long to be inlined into a view";

describe("classes", () => {
  const kinds: [string, arrow.DataType, unknown[], unknown[]][] = [
    ["int8", new arrow.Int8(), [3, -1, 3, 2], [-1, 2, 3]],
    ["uint16", new arrow.Uint16(), [65_535, 7, 7, 1024], [7, 1024, 65_535]],
    ["int32, by value and not as text", new arrow.Int32(), [10, 9, 100, -5], [-5, 9, 10, 100]],
    ["int64", new arrow.Int64(), [2n ** 53n - 1n, -(2n ** 40n), 5n, 5n], [-(2 ** 40), 5, 2 ** 53 - 1]],
    ["uint64", new arrow.Uint64(), [1n, 0n, 1n, 4n], [0, 1, 4]],
    ["whole floats", new arrow.Float64(), [1, 0, -0, 2], [0, 1, 2]],
    ["bool", new arrow.Bool(), [true, false, true, true], [false, true]],
    ["utf8", new arrow.Utf8(), ["b", "", "b", "ä"], ["", "b", "ä"]],
    ["large_utf8", new arrow.LargeUtf8(), ["b", "a", "b", "c"], ["a", "b", "c"]],
    ["utf8_view", new arrow.Utf8View(), ["b", LONG, "b", `${LONG}!`], [LONG, `${LONG}!`, "b"]],
    [
      "dictionary of utf8",
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
      ["b", "a", "b", "c"],
      ["a", "b", "c"],
    ],
    [
      "dictionary of int64",
      new arrow.Dictionary(new arrow.Int64(), new arrow.Uint32()),
      [7n, 5n, 7n, 9n],
      [5, 7, 9],
    ],
  ];
  it.each(kinds)("of %s are sorted, and rows have their indices", async (_, type, values, classes) => {
    const served = await rowsOf(labelled(values, type), { label: "y" });
    expect(served.target).toEqual({ kind: "classes", classes });
    expect(labelsOf(served, served)).toEqual(
      values.map((value) => (typeof value === "bigint" ? Number(value) : value === 0 ? 0 : value)),
    );
  });

  it("of a dictionary are those that rows have", async () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    const dictionary = column(["unused", "b", "never", "a"], new arrow.Utf8());
    const data = arrow.makeData({ type, length: 3, data: Int32Array.of(3, 1, 3), dictionary });
    const path = directory.write("unused.arrow", file({ x: features(3), y: new arrow.Vector([data]) }));
    const { target, targets } = await rowsOf(path);
    expect(target).toEqual({ kind: "classes", classes: ["a", "b"] });
    expect(targets).toEqual([[0], [1], [0]]);
  });

  const words: [string, string[]][] = [
    ["dictionary.arrow", ["a", "b", "a", "a", "b", "a"]],
    ["dictionary.arrows", ["a", "b", "a", "a", "b", "a"]],
    ["dictionary_delta.arrow", ["a", "b", "a", "a", "b", "c"]],
    ["dictionary_delta.arrows", ["a", "b", "a", "a", "b", "c"]],
    ["dictionary_replaced.arrows", ["a", "b", "a", "c", "d", "c"]],
  ];
  it.each(words)("of %s, which PyArrow wrote, follow its deltas and replacements", async (name, expected) => {
    const path = directory.write(name, fixture(name));
    const served = await rowsOf(path, { features: "t", label: "word" });
    expect(labelsOf(served, served)).toEqual(expected);
  });

  it.each(["utf8", "large_utf8", "view", "short_view", "uint64", "bool"])(
    "of the column %s, which PyArrow wrote",
    async (label) => {
      for (const name of ["leaves.arrow", "leaves.arrows"]) {
        const path = directory.write(name, fixture(name));
        const served = await rowsOf(path, { features: "tensor", label, skipNulls: true });
        const table = arrow.tableFromIPC(fixture("leaves.arrows"));
        const all = [...table.getChild(label)!].map((value) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        expect(labelsOf(served, served)).toEqual(all.filter((value) => value !== null));
        expect(served.rows.skipped).toBe(all.filter((value) => value === null).length);
      }
    },
  );

  it("that are given are the only ones, in their order", async () => {
    const path = labelled(["b", "a", "b"], new arrow.Utf8());
    const served = await rowsOf(path, { classes: ["c", "b", "a"] });
    expect(served.target).toEqual({ kind: "classes", classes: ["c", "b", "a"] });
    expect(served.targets).toEqual([[1], [2], [1]]);
    await expect(rowsOf(path, { classes: ["a", "c"] })).rejects.toThrow(
      `The label "b" is none of the model's classes (${path}, column "y", batch 0, row 0)`,
    );
    await expect(rowsOf(labelled([1, 2], new arrow.Int8()), { classes: ["1", "2"] })).rejects.toThrow(
      "The label 1 is none",
    );
  });

  it("count their rows in each part", async () => {
    const values = Array.from({ length: 3000 }, (_, i) => ["x", "y", "y"][i % 3]);
    const data = await openDataset(labelled(values, new arrow.Utf8()), { ...DEFAULTS, validation: 0.5 });
    const { train, validation } = data.classRows!;
    expect(train.map((rows, i) => rows + validation[i]!)).toEqual([1000, 2000]);
    expect([data.rows.train, data.rows.validation]).toEqual([1500, 1500]);
    expect(train[0]! + train[1]!).toBe(1500);
    await data.close();
  });

  const wrong: [string, arrow.DataType, unknown[], string][] = [
    ["NaN", new arrow.Float32(), [1, Number.NaN], "The label NaN is no class"],
    ["a fraction", new arrow.Float64(), [1, 0.5], "The label 0.5 is no class"],
    [
      "an integer beyond 2^53",
      new arrow.Int64(),
      [1n, 2n ** 60n],
      "The label 1152921504606846976 is out of range",
    ],
    [
      "an integer that no float64 is",
      new arrow.Int64(),
      [1n, -(2n ** 53n) - 1n],
      "The label -9007199254740993 is out of range",
    ],
    [
      "the largest uint64",
      new arrow.Uint64(),
      [1n, 2n ** 64n - 1n],
      "The label 18446744073709551615 is out of range",
    ],
    [
      "a float beyond 2^53",
      new arrow.Float64(),
      [1, 2 ** 60],
      "The label 1152921504606846976 is out of range",
    ],
  ];
  it.each(wrong)("may not be %s", async (_, type, values, message) => {
    const path = labelled(values, type);
    await expect(rowsOf(path, { label: "y" })).rejects.toThrow(
      `${message} (${path}, column "y", batch 0, row 1)`,
    );
  });

  it("may not be an integer beyond 2^53 in a dictionary", async () => {
    const type = new arrow.Dictionary(new arrow.Uint64(), new arrow.Int8());
    await expect(rowsOf(labelled([1n, 2n ** 53n + 1n], type), { label: "y" })).rejects.toThrow(
      "The label 9007199254740993 is out of range",
    );
  });

  it("of a class that is on held-out rows alone are an error", async () => {
    const path = labelled(["a", "a", "a", "rare"], new arrow.Utf8());
    const seeds = Array.from({ length: 30 }, (_, seed) => seed);
    const ends = await Promise.all(
      seeds.map((seed) =>
        openDataset(path, { ...DEFAULTS, seed, validation: 0.25 }).then(
          (data) => data.close(),
          (error) => error,
        ),
      ),
    );
    const errors = ends.filter((end) => end !== undefined);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThan(seeds.length);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ColumnError);
      expect(error.message).toContain('The label "rare" is on held-out rows alone (1)');
    }
  });

  it("may not be too many", async () => {
    const values = Array.from({ length: 70_000 }, (_, i) => i);
    await expect(rowsOf(labelled(values, new arrow.Int32()))).rejects.toThrow(
      "more than 65536 different values",
    );
  });

  it("may not be endless texts", async () => {
    const path = labelled(["a", "b".repeat(2 ** 20 + 1)], new arrow.Utf8());
    await expect(rowsOf(path)).rejects.toThrow(UnsupportedError);
    const long = labelled(["b".repeat(2 ** 20), "a", "c".repeat(2 ** 19), "a"], new arrow.Utf8());
    expect((await rowsOf(long)).targets).toEqual([[1], [0], [2], [0]]);
  });

  it("whose index is beyond the dictionary are an error", async () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    const dictionary = column(["a", "b"], new arrow.Utf8());
    for (const index of [2, -1]) {
      const data = arrow.makeData({ type, length: 2, data: Int32Array.of(0, index), dictionary });
      const path = directory.write("beyond.arrow", file({ x: features(2), y: new arrow.Vector([data]) }));
      await expect(rowsOf(path)).rejects.toThrow(CorruptError);
      await expect(rowsOf(path)).rejects.toThrow(`An index is ${index}, but the dictionary has 2 values`);
    }
  });
});

describe("values", () => {
  it.each([
    ["float64", new arrow.Float64(), [0.1, -2, 3]],
    ["int16", new arrow.Int16(), [1, -2, 3]],
    ["bool", new arrow.Bool(), [true, false, true]],
  ])("of %s are one number a row", async (_, type, values) => {
    const { target, targets } = await rowsOf(labelled(values, type), {
      task: "values",
      label: "y",
      features: "x",
    });
    expect(target).toEqual({ kind: "values", size: 1 });
    expect(targets).toEqual(values.map((value) => [Math.fround(Number(value))]));
  });

  it("of fixed size lists are several", async () => {
    const path = labelled(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      fixed(2, new arrow.Float64()),
    );
    const { target, targets } = await rowsOf(path, { task: "values", label: "y", features: "x" });
    expect(target).toEqual({ kind: "values", size: 2 });
    expect(targets).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  it.each([
    [Number.NaN, "The label is NaN"],
    [Number.NEGATIVE_INFINITY, "The label is beyond the range of float32"],
    [1e39, "The label is beyond the range of float32"],
  ])("may not be %d", async (value, message) => {
    const path = labelled(
      [
        [1, 2],
        [3, value],
      ],
      fixed(2, new arrow.Float64()),
    );
    await expect(rowsOf(path, { task: "values", label: "y", features: "x" })).rejects.toThrow(
      `${message} (${path}, column "y", batch 0, row 1)`,
    );
  });

  it("of lists of any length are refused", async () => {
    const path = labelled([[1], [2]], list(new arrow.Float32()));
    await expect(rowsOf(path, { task: "values", label: "y", features: "x" })).rejects.toThrow(
      "lists of any length",
    );
  });
});

it("an error says the batch, and the row of the file", async () => {
  const [a, b] = [column([0, 1], new arrow.Float32()), column([2, Number.NaN], new arrow.Float32())];
  const path = directory.write(
    "two.arrows",
    write("stream", ...batches({ x: features(2), y: a }, { x: features(2), y: b })),
  );
  const error = await rowsOf(path, { task: "values", label: "y", features: "x" }).catch((error) => error);
  expect(error.position).toEqual({ path, column: "y", batch: 1, row: 3 });
});
