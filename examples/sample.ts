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
  Struct,
  Table,
  tableToIPC,
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
 * Writes `in.arrow`, `in.arrows`, both with the table below, and `in.npy`; and for gradients `steps.arrow`,
 * `steps.arrows`, `x.npy` and `dy.npy`.
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
