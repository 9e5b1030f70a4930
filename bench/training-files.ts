/** @file The Arrow files that are trained on: the digits, and rows of any width and number that mean nothing. */
import { closeSync, existsSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { type Table, tableToIPC } from "apache-arrow";
import { readDigits } from "../examples/demo/digits-table.ts";
import { labelledRows } from "../examples/demo/labelled-rows.ts";

export interface RowsShape {
  readonly rows: number;
  readonly width: number;
  readonly classes: number;
}

/** The 10,000 digits of the demo, as `image` and `label`. */
export function writeDigitsFile(path: string): void {
  if (!existsSync(path)) writeFileSync(path, tableToIPC(readDigits(), "file"));
}

/** One batch of rows whose label is their largest element, modulo the number of classes. */
function makeBatch({ rows, width, classes }: RowsShape): Table {
  const elements = Float32Array.from(
    { length: rows * width },
    (_, i) => (Math.imul(i, 2654435761) >>> 16) / 65536,
  );
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const own = elements.subarray(row * width, (row + 1) * width);
    return own.indexOf(Math.max(...own)) % classes;
  });
  return labelledRows(elements, labels, width);
}

/** A file of one batch. */
export function writeRowsFile(path: string, shape: RowsShape): void {
  if (!existsSync(path)) writeFileSync(path, tableToIPC(makeBatch(shape), "file"));
}

/** Rows of a batch of a large file. */
const BATCH_ROWS = 20_000;

/**
 * A stream of at least `bytes` bytes on the disk: the same batch again and again.
 *
 * @returns the number of rows
 */
export function writeLargeFile(path: string, bytes: number, width: number, classes: number): number {
  const stream = Buffer.from(tableToIPC(makeBatch({ rows: BATCH_ROWS, width, classes }), "stream"));
  // Each message begins with a continuation marker and its length; the schema has no body.
  const schemaBytes = 8 + stream.readInt32LE(4);
  const END_BYTES = 8;
  const batch = stream.subarray(schemaBytes, stream.length - END_BYTES);
  const count = Math.ceil(bytes / batch.length);
  if (existsSync(path) && statSync(path).size === stream.length + (count - 1) * batch.length) {
    return count * BATCH_ROWS;
  }
  const fd = openSync(path, "w");
  writeAll(fd, stream.subarray(0, schemaBytes));
  for (let i = 0; i < count; i++) writeAll(fd, batch);
  writeAll(fd, stream.subarray(stream.length - END_BYTES));
  closeSync(fd);
  return count * BATCH_ROWS;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
