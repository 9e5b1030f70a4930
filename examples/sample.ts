/** @file Small inputs for the examples, in a directory that is gone when the process ends. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
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

const ROWS = 1000;

export function sampleDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sluice-example-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  writeSamples(directory);
  return directory;
}

/**
 * Writes `in.arrow`, `in.arrows`, both with the table below, and `in.npy`; for gradients `steps.arrow`, `steps.arrows`,
 * `x.npy` and `dy.npy`; and to train on `digits.arrow`, with `new.arrow` and `new.arrows` to
 * predict, and a model that has learned nothing, `digits.safetensors`.
 */
export function writeSamples(directory: string): void {
  writeFileSync(join(directory, "in.arrow"), tableToIPC(sampleTable(), "file"));
  writeFileSync(join(directory, "in.arrows"), tableToIPC(sampleTable(), "stream"));
  writeFileSync(
    join(directory, "in.npy"),
    sampleArray((i) => Math.sin(i)),
  );
  writeFileSync(join(directory, "steps.arrow"), tableToIPC(sampleSteps(), "file"));
  writeFileSync(join(directory, "steps.arrows"), tableToIPC(sampleSteps(), "stream"));
  for (const name of ["digits.arrow", "new.arrow"]) {
    writeFileSync(join(directory, name), tableToIPC(sampleDigits(), "file"));
  }
  writeFileSync(join(directory, "new.arrows"), tableToIPC(sampleDigits(), "stream"));
  writeFileSync(join(directory, "digits.safetensors"), sampleModel());
  writeFileSync(
    join(directory, "x.npy"),
    sampleArray((i) => (i % 9) - 4),
  );
  writeFileSync(
    join(directory, "dy.npy"),
    sampleArray((i) => (i % 4) - 1),
  );
}

/** What came into an op, `x`, and the gradient of what came out of it, `dy`. */
export function sampleSteps(): Table {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const pair = new FixedSizeList(2, new Field("item", new Float32(), false));
  return new Table({
    x: vectorFromArray(
      rows.map((row) => [row - 500, 500 - row]),
      pair,
    ),
    dy: vectorFromArray(
      rows.map(() => [1, 0.5]),
      pair,
    ),
  });
}

/** Ten patterns of 8 x 8 pixels with noise, as a fixed shape tensor column `image`, and which it is, `label`. */
export function sampleDigits(): Table {
  const item = new Field("item", new Float32(), false);
  const fields = [
    new Field(
      "image",
      new FixedSizeList(64, item),
      false,
      // https://arrow.apache.org/docs/format/CanonicalExtensions.html#fixed-shape-tensor
      new Map([
        ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
        ["ARROW:extension:metadata", JSON.stringify({ shape: [8, 8] })],
      ]),
    ),
    new Field("label", new Uint8(), false),
  ];
  const labels = Uint8Array.from({ length: ROWS }, (_, row) => (row * 7) % 10);
  const pixels = Float32Array.from({ length: 64 * ROWS }, (_, i) => {
    const [label, pixel] = [labels[i >> 6]!, i % 64];
    return (Math.sin((label + 1) * (pixel + 1)) + 4 * Math.sin(12.9898 * i + 78.233 * (i % 17))) / 2;
  });
  const children = [
    makeData({
      type: new FixedSizeList(64, item),
      length: ROWS,
      child: makeData({ type: item.type, data: pixels }),
    }),
    makeData({ type: new Uint8(), data: labels }),
  ];
  const schema = new Schema(fields);
  return new Table(schema, [
    new RecordBatch(schema, makeData({ type: new Struct(fields), length: ROWS, children })),
  ]);
}

/** One layer, all of its weights 0: length of the header, header, tensors. */
function sampleModel(): Uint8Array {
  const sluice = {
    ...{ version: 1, layers: "dense(10)", inputShape: [8, 8], features: ["image"] },
    target: { kind: "classes", classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    loss: { kind: "cross_entropy", smoothing: 0 },
  };
  const header = JSON.stringify({
    __metadata__: { sluice: JSON.stringify(sluice) },
    "0.bias": { dtype: "F32", shape: [10], data_offsets: [0, 40] },
    "0.weight": { dtype: "F32", shape: [10, 64], data_offsets: [40, 2600] },
  });
  const bytes = new Uint8Array(8 + header.length + 2600);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  return bytes;
}

/** A tensor column `embedding`, a plain float column `price`, a struct `point` of floats, and two columns without. */
export function sampleTable(): Table {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const float = (name: string): Field => new Field(name, new Float64(), false);
  return new Table({
    id: vectorFromArray(rows, new Int32()),
    embedding: vectorFromArray(
      rows.map((row) => [Math.sin(row), Math.cos(row), -row / ROWS, row / ROWS]),
      new FixedSizeList(4, new Field("item", new Float32(), false)),
    ),
    price: vectorFromArray(
      rows.map((row) => (row % 7) - 3),
      new Float32(),
    ),
    point: vectorFromArray(
      rows.map((row) => ({ x: row - 500, y: 500 - row })),
      new Struct([float("x"), float("y")]),
    ),
    name: vectorFromArray(
      rows.map((row) => `row ${row}`),
      new Utf8(),
    ),
  });
}

/** An npy file of float32, of shape (1000, 4): magic, version 1.0, length of the header, header, elements. */
function sampleArray(elementAt: (index: number) => number): Uint8Array {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 4), }".padEnd(117);
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0);
  const values = Float32Array.from({ length: ROWS * 4 }, (_, i) => elementAt(i));
  return Buffer.concat([start, Buffer.from(`${header}\n`), new Uint8Array(values.buffer)]);
}
