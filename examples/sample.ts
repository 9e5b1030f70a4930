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

/** Writes `in.arrow`, `in.arrows`, both with the table below, and `in.npy`. */
export function writeSamples(directory: string): void {
  writeFileSync(join(directory, "in.arrow"), tableToIPC(sampleTable(), "file"));
  writeFileSync(join(directory, "in.arrows"), tableToIPC(sampleTable(), "stream"));
  writeFileSync(join(directory, "in.npy"), sampleArray());
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
function sampleArray(): Uint8Array {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 4), }".padEnd(117);
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0);
  const values = Float32Array.from({ length: ROWS * 4 }, (_, i) => Math.sin(i));
  return Buffer.concat([start, Buffer.from(`${header}\n`), new Uint8Array(values.buffer)]);
}
