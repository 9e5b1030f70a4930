/** @file Record batches with x and dy side by side, in any type that a tensor can have, and what must become of dy. */
import * as arrow from "apache-arrow";
import fc from "fast-check";
import type { Dtype } from "../../src/ops/dtype.ts";
import { randomFrom } from "./random.ts";

/** How the column is nested: lengths of fixed lists, or null for a list. */
type Nesting = readonly (number | null)[];

export interface Pairs {
  readonly dtype: Dtype;
  readonly schema: arrow.Schema;
  readonly batches: readonly arrow.RecordBatch[];
  /** Path of child indices to the values, of x and of dy. */
  readonly x: readonly number[];
  readonly dy: readonly number[];
  /** Names as a command takes them. */
  readonly names: { readonly inputColumn: string; readonly upstream: string };
}

export type Floats = Float32Array | Float64Array | Uint16Array;

export interface PairsOptions {
  readonly dtype: Dtype;
  readonly nesting: Nesting;
  /** Of each batch. */
  readonly rows: readonly number[];
  readonly order: "x first" | "dy first";
  /** Whether both are children of a struct. */
  readonly inStruct: boolean;
  readonly nulls: boolean;
  readonly seed: number;
}

export const arbitraryPairs: fc.Arbitrary<PairsOptions> = fc.record({
  dtype: fc.constantFrom<Dtype>("float16", "float32", "float64"),
  nesting: fc.array(fc.option(fc.integer({ min: 0, max: 5 })), { maxLength: 3 }),
  rows: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 4 }),
  order: fc.constantFrom("x first" as const, "dy first" as const),
  inStruct: fc.boolean(),
  nulls: fc.boolean(),
  seed: fc.integer(),
});

/** The columns `before`, x and dy (or dy and x), `after`; or the two as children of `s`. */
export function pairs({ dtype, nesting, rows, order, inStruct, nulls, seed }: PairsOptions): Pairs {
  const random = randomFrom(seed);
  const type = tensorType(dtype, nesting);
  const twoNames = order === "x first" ? ["x", "dy"] : ["dy", "x"];
  const two = twoNames.map((name) => new arrow.Field(name, type, true));
  const struct = new arrow.Struct(two);
  const words = new arrow.Field("before", new arrow.Utf8(), true);
  const after = new arrow.Field("after", new arrow.Float32(), true);
  const fields = inStruct ? [words, new arrow.Field("s", struct, true), after] : [words, ...two, after];
  const schema = new arrow.Schema(fields);
  const batches = rows.map((length) => {
    const shape = randomData(type, length, random, nulls);
    const both = twoNames.map(() => withValues(shape, random));
    const columns = inStruct
      ? [arrow.makeData({ type: struct, length, nullCount: 0, children: both })]
      : both;
    const text = Array.from({ length }, (_, i) => "word".slice(i % 5));
    const strings =
      arrow.vectorFromArray(text, new arrow.Utf8()).data[0] ??
      arrow.makeData({ type: new arrow.Utf8(), length: 0 });
    const floats = arrow.makeData({ type: new arrow.Float32(), data: new Float32Array(length).fill(7) });
    const children = [strings, ...columns, floats];
    return new arrow.RecordBatch(
      schema,
      arrow.makeData({ type: new arrow.Struct(fields), length, nullCount: 0, children }),
    );
  });
  const pathOf = (name: string): number[] => {
    const index = twoNames.indexOf(name);
    return [...(inStruct ? [1, index] : [1 + index]), ...nesting.map(() => 0)];
  };
  const prefix = inStruct ? "s." : "";
  return {
    ...{ dtype, schema, batches },
    ...{ x: pathOf("x"), dy: pathOf("dy") },
    names: { inputColumn: `${prefix}x`, upstream: `${prefix}dy` },
  };
}

/** The values of a column, without what pads their buffer. */
export function valuesAt(batch: arrow.RecordBatch, path: readonly number[]): Floats {
  let node: arrow.Data = batch.data;
  for (const index of path) node = node.children[index]!;
  return (node.values as Floats).subarray(0, node.length);
}

export function ipc({ schema, batches }: Pairs, format: "stream" | "file"): Uint8Array {
  const writer =
    format === "stream" ? new arrow.RecordBatchStreamWriter() : new arrow.RecordBatchFileWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.close();
  return writer.toUint8Array(true);
}

function tensorType(of: Dtype, [length, ...rest]: Nesting): arrow.DataType {
  if (length === undefined) return new arrow.Float({ float16: 0, float32: 1, float64: 2 }[of]);
  const item = new arrow.Field("item", tensorType(of, rest), true);
  return length === null ? new arrow.List(item) : new arrow.FixedSizeList(length, item);
}

function randomData(type: arrow.DataType, length: number, random: () => number, nulls: boolean): arrow.Data {
  const nullBitmap = Uint8Array.from({ length: Math.ceil(length / 8) }, () => random() * 256);
  const flags = nulls ? { length, nullBitmap, nullCount: -1 } : { length, nullCount: 0 };
  if (arrow.DataType.isFixedSizeList(type)) {
    const child = randomData(type.children[0]!.type, length * type.listSize, random, nulls);
    return arrow.makeData({ type, ...flags, child });
  }
  if (arrow.DataType.isList(type)) {
    const valueOffsets = new Int32Array(length + 1);
    for (let i = 0; i < length; i++) valueOffsets[i + 1] = valueOffsets[i]! + Math.floor(random() * 5);
    const child = randomData(type.children[0]!.type, valueOffsets[length]!, random, nulls);
    return arrow.makeData({ type, ...flags, valueOffsets, child });
  }
  const { precision } = type as arrow.Float;
  const array = [Uint16Array, Float32Array, Float64Array][precision]!;
  return arrow.makeData({ type: type as arrow.Float, ...flags, data: new array(length) });
}

/** The same lists with other numbers, small ones and zeros of both signs among them. */
function withValues(data: arrow.Data, random: () => number): arrow.Data {
  const { type, offset, length, nullCount, valueOffsets, nullBitmap, typeIds, children } = data;
  if (children.length > 0) {
    // Of its own: where two columns share a buffer, apache-arrow's writer leaves out one.
    const own = [valueOffsets?.slice(), undefined, nullBitmap?.slice(), typeIds] as never;
    return data.clone(type, offset, length, nullCount, own, [withValues(children[0]!, random)]);
  }
  const number = (): number => (random() < 0.1 ? (random() < 0.5 ? 0 : -0) : (random() - 0.5) * 8);
  const values = (data.values as Floats).slice();
  for (let i = 0; i < values.length; i++) {
    // Of float16, bits of ordinary numbers.
    values[i] = values instanceof Uint16Array ? Math.floor(random() * 65_536) & 0xbbff : number();
  }
  return data.clone(type, offset, length, nullCount, [
    valueOffsets,
    values,
    nullBitmap?.slice(),
    typeIds,
  ] as never);
}
