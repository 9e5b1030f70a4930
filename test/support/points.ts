/** @file Small data to train on: points around three centres, with the centre as a label and numbers to predict. */
import * as arrow from "apache-arrow";
import { keyOf, normalAt } from "../../src/train/random.ts";

/** Features of a point. */
export const SIZE = 6;
export const CENTRES = ["amber", "blue", "coral"] as const;

export interface PointsOptions {
  readonly rows: number;
  readonly seed?: number;
  /** How far points lie from their centre, as a standard deviation. */
  readonly spread?: number;
  /** Points whose `centre` is null. */
  readonly unlabelled?: (row: number) => boolean;
  /** Changes the features of a point. */
  readonly change?: (features: number[], row: number) => number[];
}

/**
 * An Arrow file of batches of 100 rows: `x` (6 float32), `centre` (utf8), `index` (int32), `blue` (bool), `value` (float32:
 * the sum of the first two features), `weight` (float32).
 */
export function pointsFile({
  rows,
  seed = 1,
  spread = 0.6,
  unlabelled = () => false,
  change = (x) => x,
}: PointsOptions): Uint8Array {
  const key = keyOf(seed, 99);
  const place = new arrow.FixedSizeList(SIZE, new arrow.Field("item", new arrow.Float32(), false));
  const batches: arrow.RecordBatch[] = [];
  for (let first = 0; first < rows; first += 100) {
    const all = Array.from({ length: Math.min(100, rows - first) }, (_, i) => {
      const row = first + i;
      const index = row % 3;
      const made = Array.from({ length: SIZE }, (__, feature) => {
        return (feature % 3 === index ? 1 : -0.5) + spread * normalAt(key, row * SIZE + feature);
      });
      return { index, x: change(made, row), centre: unlabelled(row) ? null : CENTRES[index]! };
    });
    const table = new arrow.Table({
      x: arrow.vectorFromArray(
        all.map(({ x }) => x),
        place,
      ),
      centre: arrow.vectorFromArray(
        all.map(({ centre }) => centre),
        new arrow.Utf8(),
      ),
      index: arrow.vectorFromArray(
        all.map(({ index }) => index),
        new arrow.Int32(),
      ),
      blue: arrow.vectorFromArray(
        all.map(({ index }) => index === 1),
        new arrow.Bool(),
      ),
      value: arrow.vectorFromArray(
        all.map(({ x }) => x[0]! + x[1]!),
        new arrow.Float32(),
      ),
      weight: arrow.vectorFromArray(
        all.map((_, i) => (i % 4) / 2),
        new arrow.Float32(),
      ),
    });
    batches.push(...table.batches);
  }
  return arrow.tableToIPC(new arrow.Table(batches), "file");
}
