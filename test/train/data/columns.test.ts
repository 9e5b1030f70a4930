/** @file Features from every kind of column: numbers of every type, lists, tensors; and which columns are meant. */
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ColumnError } from "../../../src/errors.ts";
import { float64ToFloat16 } from "../../../src/ops/float16.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { fixture } from "../../support/fixtures.ts";
import { fixed, list, write } from "../../support/written.ts";
import { batches, column, DEFAULTS, file, rowsOf } from "./served.ts";

const directory = temporaryDirectory();
const labels = column([0, 1, 0], new arrow.Int32());
let files = 0;
const save = (columns: Record<string, arrow.Vector>): string =>
  directory.write(`${files++}.arrow`, file(columns));

describe("one tensor column", () => {
  const tensors: [string, arrow.DataType, unknown[], number[], number[][]][] = [
    [
      "fixed_size_list<float32>",
      fixed(2, new arrow.Float32()),
      [
        [1, 2],
        [3, -4],
        [5, 0.1],
      ],
      [2],
      [
        [1, 2],
        [3, -4],
        [5, Math.fround(0.1)],
      ],
    ],
    [
      "fixed_size_list<float64>",
      fixed(2, new arrow.Float64()),
      [
        [1, 2],
        [3, -4],
        [5, 0.1],
      ],
      [2],
      [
        [1, 2],
        [3, -4],
        [5, Math.fround(0.1)],
      ],
    ],
    [
      "fixed_size_list<uint8>",
      fixed(2, new arrow.Uint8()),
      [
        [1, 2],
        [3, 255],
        [5, 0],
      ],
      [2],
      [
        [1, 2],
        [3, 255],
        [5, 0],
      ],
    ],
    [
      "nested lists",
      fixed(2, fixed(2, new arrow.Float32())),
      [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
        [
          [9, 0],
          [1, 2],
        ],
      ],
      [2, 2],
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 0, 1, 2],
      ],
    ],
    [
      "lists of one length",
      list(new arrow.Float64()),
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
      [3],
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
    [
      "lists of pairs",
      list(fixed(2, new arrow.Float32())),
      [[[1, 2]], [[3, 4]], [[5, 6]]],
      [1, 2],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
  ];
  it.each(tensors)("%s", async (_, type, values, shape, expected) => {
    const { featureShape, features, rows, label } = await rowsOf(
      save({ x: column(values, type), y: labels }),
    );
    expect(featureShape).toEqual(shape);
    expect(features).toEqual(expected);
    expect(rows).toEqual({ train: 0, validation: 3, skipped: 0 });
    expect(label).toBe("y");
  });

  it("of float16", async () => {
    const data = Uint16Array.from([1.5, -2, 65504, 6e-8, 0.1, -0], float64ToFloat16);
    const child = arrow.makeData({ type: new arrow.Float16(), length: 6, data });
    const type = fixed(2, new arrow.Float16());
    const x = new arrow.Vector([arrow.makeData({ type, length: 3, child })]);
    const { features } = await rowsOf(save({ x, y: labels }));
    expect(features).toEqual([
      [1.5, -2],
      [65504, 2 ** -24],
      [0.0999755859375, -0],
    ]);
  });

  it("fixed_shape_tensor, with a permutation, in the order of its logical axes", async () => {
    const type = fixed(6, new arrow.Float32());
    const x = column(
      [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
      ],
      type,
    );
    const fields = (permutation: number[]) => [
      new arrow.Field(
        "x",
        type,
        true,
        new Map([
          ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
          ["ARROW:extension:metadata", JSON.stringify({ shape: [2, 3], permutation })],
        ]),
      ),
      new arrow.Field("y", new arrow.Int32(), true),
    ];
    const save = (permutation: number[]): string => {
      const schema = new arrow.Schema(fields(permutation));
      const children = [x.data[0]!, column([0, 1], new arrow.Int32()).data[0]!];
      const struct = arrow.makeData({
        type: new arrow.Struct(schema.fields),
        length: 2,
        nullCount: 0,
        children,
      });
      return directory.write("tensor.arrow", write("file", new arrow.RecordBatch(schema, struct)));
    };
    const plain = await rowsOf(save([0, 1]));
    expect([plain.featureShape, plain.features[1]]).toEqual([
      [2, 3],
      [6, 7, 8, 9, 10, 11],
    ]);
    const turned = await rowsOf(save([1, 0]));
    expect([turned.featureShape, turned.features[1]]).toEqual([
      [3, 2],
      [6, 9, 7, 10, 8, 11],
    ]);
  });

  it("of any nesting and batches, against apache-arrow", async () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
    const types = fc.constantFrom("float32", "float64", "int16", "bool");
    await fc.assert(
      fc.asyncProperty(
        shapes,
        types,
        fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
        async (shape, of, rows) => {
          const leaf = {
            float32: new arrow.Float32(),
            float64: new arrow.Float64(),
            int16: new arrow.Int16(),
            bool: new arrow.Bool(),
          }[of]!;
          const size = shape.reduce((product, length) => product * length, 1);
          const expected: number[][] = [];
          let next = 0;
          const value = (): unknown => (of === "bool" ? (next++ * 7) % 3 === 0 : next++ - 20);
          const nest = ([length, ...rest]: readonly number[]): unknown =>
            length === undefined ? value() : Array.from({ length }, () => nest(rest));
          const type = shape.reduceRight<arrow.DataType>((inner, length) => fixed(length, inner), leaf);
          const columns = rows.map((count) => {
            const values = Array.from({ length: count }, () => nest(shape));
            for (const each of values) expected.push(([each].flat(9) as number[]).map(Number));
            return {
              x: column(values, type),
              y: column(
                values.map((_, i) => i),
                new arrow.Int8(),
              ),
            };
          });
          const path = directory.write("any.arrow", write("file", ...batches(...columns)));
          if (expected.length === 0) {
            await expect(rowsOf(path)).rejects.toThrow("no rows");
            return;
          }
          const { features, featureShape } = await rowsOf(path);
          expect(featureShape).toEqual(shape);
          expect(features).toEqual(expected);
          expect(features[0]!.length).toBe(size);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("several columns", () => {
  it("of every type of number are one row, in the order of their names", async () => {
    const types: Record<string, [arrow.DataType, unknown[]]> = {
      i8: [new arrow.Int8(), [-128, 0, 127]],
      i16: [new arrow.Int16(), [-32768, 0, 32767]],
      i32: [new arrow.Int32(), [-(2 ** 31), 0, 2 ** 24]],
      i64: [new arrow.Int64(), [-(2n ** 60n), -1n, 2n ** 33n]],
      u8: [new arrow.Uint8(), [255, 0, 1]],
      u16: [new arrow.Uint16(), [65535, 0, 1]],
      u32: [new arrow.Uint32(), [2 ** 32 - 1, 0, 1]],
      u64: [new arrow.Uint64(), [2n ** 63n, 0n, 1n]],
      f32: [new arrow.Float32(), [0.1, -0, Number.POSITIVE_INFINITY]],
      f64: [new arrow.Float64(), [0.1, -0, 1e300]],
      bool: [new arrow.Bool(), [true, false, true]],
    };
    const columns = Object.fromEntries(
      Object.entries(types).map(([name, [type, values]]) => [name, column(values, type)]),
    );
    const names = Object.keys(types).reverse();
    const { features, featureShape } = await rowsOf(save({ ...columns, y: labels }), {
      features: names,
      label: "y",
    });
    expect(featureShape).toEqual([names.length]);
    for (const row of [0, 1, 2]) {
      expect(features[row]).toEqual(names.map((name) => Math.fround(Number(types[name]![1][row]))));
    }
  });

  it("may be tensors and single numbers together", async () => {
    const columns = {
      t: column(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        fixed(2, new arrow.Float32()),
      ),
      age: column([7, 8, 9], new arrow.Int8()),
      y: labels,
    };
    const { features, featureShape } = await rowsOf(save(columns), { features: ["age", "t"], label: "y" });
    expect(featureShape).toEqual([3]);
    expect(features).toEqual([
      [7, 1, 2],
      [8, 3, 4],
      [9, 5, 6],
    ]);
  });

  it("may be one number", async () => {
    const { featureShape, features } = await rowsOf(
      save({ age: column([7, 8, 9], new arrow.Float64()), y: labels }),
      { features: "age", label: "y" },
    );
    expect([featureShape, features]).toEqual([[1], [[7], [8], [9]]]);
  });

  it("are found in structs", async () => {
    const type = new arrow.Struct([
      new arrow.Field("a", new arrow.Float32(), true),
      new arrow.Field("t", fixed(2, new arrow.Float32()), true),
      new arrow.Field("label", new arrow.Int8(), true),
    ]);
    const s = column(
      [
        { a: 1, t: [2, 3], label: 0 },
        { a: 4, t: [5, 6], label: 1 },
      ],
      type,
    );
    const { features, targets } = await rowsOf(save({ s }), { features: ["s.t", "s.a"], label: "s.label" });
    expect(features).toEqual([
      [2, 3, 1],
      [5, 6, 4],
    ]);
    expect(targets).toEqual([[0], [1]]);
  });
});

describe("weights", () => {
  const x = column([[1], [2], [3]], fixed(1, new arrow.Float32()));
  it("are served row by row, and are 1 without a column", async () => {
    const path = save({ x, y: labels, w: column([0.5, 0, 3], new arrow.Float64()) });
    expect((await rowsOf(path, { label: "y", weight: "w" })).weights).toEqual([0.5, 0, 3]);
    expect((await rowsOf(path, { label: "y" })).weights).toEqual([1, 1, 1]);
  });
  it.each([
    [-1, "-1"],
    [Number.NaN, "NaN"],
    [1e300, "Infinity"],
  ])("may not be %d", async (weight, text) => {
    const path = save({ x, y: labels, w: column([1, weight, 1], new arrow.Float64()) });
    await expect(rowsOf(path, { label: "y", weight: "w" })).rejects.toThrow(
      `The weight of the row is ${text} (${path}, column "w", batch 0, row 1)`,
    );
  });
});

describe("weights that are all 0", () => {
  it("are an error that names the column", async () => {
    const path = save({
      x: column([[1], [2], [3]], fixed(1, new arrow.Float32())),
      y: labels,
      w: column([0, 0, 0], new arrow.Float64()),
    });
    await expect(rowsOf(path, { label: "y", weight: "w" })).rejects.toThrow(
      `The weights of all 3 rows are 0 (${path}, column "w")`,
    );
  });
});

describe("the choice of columns", () => {
  const tensor = column([[1], [2], [3]], fixed(1, new arrow.Float32()));
  const texts = column(["a", "b", "a"], new arrow.Utf8());
  const open = (columns: Record<string, arrow.Vector>, options = {}) =>
    openDataset(save(columns), { ...DEFAULTS, ...options });
  const cases: [string, Record<string, arrow.Vector>, object, string, string][] = [
    ["no tensor", { a: labels, b: texts }, {}, "no tensor column", 'Candidates: "a" (int32)'],
    [
      "two tensors",
      { a: tensor, b: tensor, y: labels },
      {},
      "2 columns are tensors",
      '"a" (fixed_size_list<float32>[1]), "b"',
    ],
    [
      "two labels",
      { a: tensor, y: labels, z: texts },
      {},
      "2 columns could be the label",
      '"y" (int32), "z" (utf8)',
    ],
    [
      "no label",
      { a: tensor, f: column([1, 2, 3], new arrow.Float32()) },
      {},
      "no column that the label could be",
      '"f" (float32)',
    ],
    [
      "a missing column",
      { image: tensor, y: labels },
      { features: "imag" },
      'did you mean "image"?',
      '"image"',
    ],
    [
      "a missing label",
      { image: tensor, y: labels },
      { label: "z" },
      "no such column for the label",
      '"y" (int32)',
    ],
    [
      "text as features",
      { a: tensor, t: texts, y: labels },
      { features: ["t"], label: "y" },
      "The column is utf8, not numbers",
      "Features are numbers",
    ],
    [
      "a tensor as classes",
      { a: tensor, y: tensor },
      { features: "a", label: "y" },
      "where one label a row is needed",
      "integers, booleans, strings",
    ],
    [
      "text as values",
      { a: tensor, y: texts },
      { task: "values", label: "y" },
      "The column is utf8",
      "For classes, choose cross_entropy",
    ],
    [
      "the label as a feature",
      { a: tensor, y: labels },
      { features: ["a", "y"], label: "y" },
      "The label is among the features",
      "without the label",
    ],
  ];
  it.each(cases)("%s is an error that says what there is", async (_, columns, options, message, remedy) => {
    const error = await open(columns, options).then(
      () => undefined,
      (error) => error,
    );
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain(message);
    expect(error.remedy).toContain(remedy);
    expect(error.position.path).toMatch(/\d+\.arrow$/);
  });

  it("takes the one tensor and the one label there is", async () => {
    const data = await open({
      id: column([0.5, 1.5, 2.5], new arrow.Float64()),
      image: tensor,
      digit: labels,
    });
    expect([data.features, data.label]).toEqual([["image"], "digit"]);
    await data.close();
  });

  it("of two columns with one name does not choose", async () => {
    const path = directory.write("names.arrow", fixture("names.arrow"));
    await expect(openDataset(path, { ...DEFAULTS })).rejects.toThrow(ColumnError);
  });

  it("refuses variable shapes and encoded features with what to do", async () => {
    const path = directory.write("tensors.arrow", fixture("tensors.arrow"));
    await expect(openDataset(path, { ...DEFAULTS, features: "none" })).rejects.toThrow("no such column");
    const words = directory.write("dictionary.arrow", fixture("dictionary.arrow"));
    await expect(openDataset(words, { ...DEFAULTS, features: "encoded", label: "word" })).rejects.toThrow(
      "dictionary-encoded",
    );
  });
});
