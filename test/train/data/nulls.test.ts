/** @file Rows with nulls: an error that says where, or left out and counted. */
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ColumnError, SluiceError } from "../../../src/errors.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { fixed, list, write } from "../../support/written.ts";
import { batches, column, DEFAULTS, file, rowsOf, serve } from "./served.ts";

const directory = temporaryDirectory();
let files = 0;
const save = (columns: Record<string, arrow.Vector>): string =>
  directory.write(`${files++}.arrow`, file(columns));

const f32 = new arrow.Float32();
const int = new arrow.Int32();
const pairs = fixed(2, f32);
const ok = {
  x: column(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    pairs,
  ),
  y: column([0, 1, 2], int),
};
const struct = new arrow.Struct([new arrow.Field("t", pairs, true)]);

const holes: [string, Record<string, arrow.Vector>, object, string][] = [
  ["a feature row", { ...ok, x: column([[1, 2], null, [5, 6]], pairs) }, {}, "x"],
  [
    "an element of a feature row",
    {
      ...ok,
      x: column(
        [
          [1, 2],
          [3, null],
          [5, 6],
        ],
        pairs,
      ),
    },
    {},
    "x",
  ],
  ["an inner list", { ...ok, x: column([[[1, 2]], [null], [[5, 6]]], fixed(1, pairs)) }, {}, "x"],
  ["a list", { ...ok, x: column([[1, 2], null, [5, 6]], list(f32)) }, {}, "x"],
  [
    "an element of a list",
    {
      ...ok,
      x: column(
        [
          [1, 2],
          [null, 1],
          [5, 6],
        ],
        list(f32),
      ),
    },
    {},
    "x",
  ],
  [
    "a struct above the features",
    { y: ok.y, s: column([{ t: [1, 2] }, null, { t: [5, 6] }], struct) },
    { features: "s.t" },
    "s.t",
  ],
  [
    "a single number",
    { a: column([1, 2, 3], f32), b: column([1, null, 3], f32), y: ok.y },
    { features: ["a", "b"] },
    "b",
  ],
  ["a label", { ...ok, y: column([0, null, 2], int) }, {}, "y"],
  ["a bool label", { ...ok, y: column([true, null, false], new arrow.Bool()) }, {}, "y"],
  ["a text label", { ...ok, y: column(["a", null, "b"], new arrow.Utf8()) }, {}, "y"],
  ["a view label", { ...ok, y: column(["a", null, "b"], new arrow.Utf8View()) }, {}, "y"],
  [
    "an encoded label",
    { ...ok, y: column(["a", null, "b"], new arrow.Dictionary(new arrow.Utf8(), int)) },
    {},
    "y",
  ],
  ["a weight", { ...ok, w: column([1, null, 1], f32) }, { weight: "w" }, "w"],
];

describe("a null", () => {
  it.each(holes)("in %s is an error at its row", async (_, columns, options, name) => {
    const path = save(columns);
    const error = await rowsOf(path, { label: "y", ...options }).catch((error) => error);
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain("The row has a null");
    expect(error.position).toEqual({ path, column: name, batch: 0, row: 1 });
    expect(error.remedy).toContain("--skip-nulls");
  });

  it.each(holes)("in %s leaves out its row, by choice", async (_, columns, options) => {
    const served = await rowsOf(save(columns), { label: "y", ...options, skipNulls: true });
    expect(served.rows).toEqual({ train: 0, validation: 2, skipped: 1 });
    expect(served.features.map((row) => row[0])).toEqual([
      1,
      served.featureShape.length === 1 && "a" in columns ? 3 : 5,
    ]);
    const { target, targets } = served;
    expect(targets.map(([index]) => target.kind === "classes" && target.classes[index!])).toHaveLength(2);
  });

  it("among the values of a dictionary is a null of its rows", async () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), int);
    const dictionary = column(["a", null, "b"], new arrow.Utf8());
    const y = new arrow.Vector([
      arrow.makeData({ type, length: 3, data: Int32Array.of(2, 1, 0), dictionary }),
    ]);
    const path = save({ ...ok, y });
    await expect(rowsOf(path)).rejects.toThrow(`The row has a null (${path}, column "y", batch 0, row 1)`);
    const { rows, targets } = await rowsOf(path, { skipNulls: true });
    expect([rows.skipped, targets]).toEqual([1, [[1], [0]]]);
  });

  it("does not let labels and weights under it be looked at", async () => {
    const y = column([Number.NaN, 1, 2], new arrow.Float64());
    const path = save({ ...ok, x: column([null, [3, 4], [5, 6]], pairs), y, w: column([-1, 1, 1], f32) });
    const { targets } = await rowsOf(path, {
      task: "values",
      label: "y",
      features: "x",
      weight: "w",
      skipNulls: true,
    });
    expect(targets).toEqual([[1], [2]]);
  });
});

it("all rows with nulls are none to train on", async () => {
  const path = save({ ...ok, x: column([null, null, null], pairs) });
  await expect(rowsOf(path, { skipNulls: true })).rejects.toThrow("All 3 rows have a null");
});

it("lists of another length are an error at their row", async () => {
  const path = save({ ...ok, x: column([[1, 2], [3], [5, 6]], list(f32)) });
  await expect(rowsOf(path)).rejects.toThrow(
    `A list has the length 1, but the first one 2 (${path}, column "x", batch 0, row 1)`,
  );
});

it("what is usable is served exactly once, wherever the nulls are", async () => {
  const nullable = fc.array(fc.record({ x: fc.boolean(), y: fc.boolean() }), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(nullable, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.constantFrom(0, 0.3),
      async (parts, isList, validation) => {
        const all = parts.flat();
        const usable = all.flatMap(({ x, y }, row) => (x && y ? [row] : []));
        let row = 0;
        const columns = parts.map((part) => {
          const start = row;
          row += part.length;
          const x = part.map((each, i) => (each.x ? [start + i, 1] : null));
          return {
            x: column(x, isList ? list(f32) : pairs),
            y: column(
              part.map((each, i) => (each.y ? start + i : null)),
              f32,
            ),
          };
        });
        const path = directory.write("any.arrow", write("file", ...batches(...columns)));
        const options = {
          ...DEFAULTS,
          task: "values",
          features: "x",
          label: "y",
          skipNulls: true,
          validation,
        } as const;
        const held = Math.round(validation * usable.length);
        if (usable.length === 0 || (validation > 0 && held === 0)) {
          await expect(openDataset(path, options)).rejects.toThrow(SluiceError);
          return;
        }
        const data = await openDataset(path, options);
        expect(data.rows).toEqual({
          train: usable.length - held,
          validation: held,
          skipped: all.length - usable.length,
        });
        const train = await serve(data, data.open("train", 0));
        const rest = await serve(data, data.open("validation", 0));
        const rows = [...train.features, ...rest.features].map(([first]) => first!);
        expect(rows.sort((a, b) => a - b)).toEqual(usable);
        for (const { features, targets } of [train, rest])
          expect(targets.flat()).toEqual(features.map(([first]) => first));
        await data.close();
      },
    ),
    { numRuns: 60 },
  );
});
