/** @file What a data set serves, gathered; and files of rows that can be told apart. */
import * as arrow from "apache-arrow";
import type { Dataset, DatasetOptions, EpochReader } from "../../../src/train/data/dataset.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { fixed, write } from "../../support/written.ts";

export interface Served {
  readonly features: number[][];
  readonly targets: number[][];
  readonly weights: number[];
}

/** All rows that are left, in batches of `batch`; of each the first `keep` features. */
export async function serve(
  data: Dataset,
  reader: EpochReader,
  batch = 7,
  keep = Number.POSITIVE_INFINITY,
): Promise<Served> {
  const size = data.featureShape.reduce((product, length) => product * length, 1);
  const targetSize = data.target.kind === "classes" ? 1 : data.target.size;
  const target = {
    features: new Float32Array(batch * size),
    targets: new Float32Array(batch * targetSize),
    weights: new Float32Array(batch),
  };
  const served: Served = { features: [], targets: [], weights: [] };
  for (;;) {
    const rows = await reader.fill(target, batch);
    for (let row = 0; row < rows; row++) {
      const start = row * size;
      served.features.push([...target.features.subarray(start, start + Math.min(size, keep))]);
      served.targets.push([...target.targets.subarray(row * targetSize, (row + 1) * targetSize)]);
      served.weights.push(target.weights[row]!);
    }
    if (rows < batch) break;
  }
  await reader.close();
  return served;
}

export const DEFAULTS: DatasetOptions = { task: "classes", seed: 1, memory: 2 ** 30 };

/** The rows in the order of the files: a share of 1 holds all of them out, and those are not shuffled. */
export async function rowsOf(
  inputs: string | readonly string[],
  options: Partial<DatasetOptions> = {},
): Promise<Served & Pick<Dataset, "featureShape" | "features" | "label" | "target" | "rows">> {
  const data = await openDataset(inputs, { ...DEFAULTS, ...options, validation: 1 });
  try {
    const { featureShape, features: names, label, target, rows } = data;
    const served = await serve(data, data.open("validation", 0));
    return { ...served, featureShape, target, rows, label, ...{ features: served.features, names } } as never;
  } finally {
    await data.close();
  }
}

/** For each row the label as it was stored. */
export function labelsOf({ targets }: Served, { target }: Pick<Dataset, "target">): unknown[] {
  return targets.map(([index]) => (target.kind === "classes" ? target.classes[index!] : index));
}

/** A column from plain values. */
export function column(values: readonly unknown[], type: arrow.DataType): arrow.Vector {
  return arrow.vectorFromArray(values as never, type) as arrow.Vector;
}

/** Batches of columns that share a schema. */
export function batches(...columns: Record<string, arrow.Vector>[]): arrow.RecordBatch[] {
  const fields = Object.entries(columns[0]!).map(([name, { type }]) => new arrow.Field(name, type, true));
  const schema = new arrow.Schema(fields);
  return columns.map((each) => {
    const children = Object.values(each).map((vector) => vector.data[0]!);
    const length = children[0]!.length;
    return new arrow.RecordBatch(
      schema,
      arrow.makeData({ type: new arrow.Struct(fields), length, nullCount: 0, children }),
    );
  });
}

/** A file (or stream) with these columns in one batch. */
export function file(columns: Record<string, arrow.Vector>, kind: "file" | "stream" = "file"): Uint8Array {
  return write(kind, ...batches(columns));
}

/** Rows `start` to `end`: row i has the features [i, -i, ...] of `size` elements and the label i % 3. */
export function numbered(start: number, end: number, size = 2): Record<string, arrow.Vector> {
  const rows = end - start;
  const data = Float32Array.from({ length: rows * size }, (_, k) => {
    const row = start + Math.floor(k / size);
    return k % size === 0 ? row : -row;
  });
  const type = fixed(size, new arrow.Float32());
  const child = arrow.makeData({ type: new arrow.Float32(), length: rows * size, data });
  const labels = Int32Array.from({ length: rows }, (_, i) => (start + i) % 3);
  return {
    x: new arrow.Vector([arrow.makeData({ type, length: rows, child })]),
    y: new arrow.Vector([arrow.makeData({ type: new arrow.Int32(), length: rows, data: labels })]),
  };
}

/** Numbered rows in batches that end at these rows. */
export function numberedBatches(ends: readonly number[], size = 2): arrow.RecordBatch[] {
  return batches(...ends.map((end, i) => numbered(ends[i - 1] ?? 0, end, size)));
}
