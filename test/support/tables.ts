/** @file Random apache-arrow tables for property tests: tensors of every supported kind beside columns that only pass. */
import * as arrow from "apache-arrow";
import fc from "fast-check";
import type { Dtype } from "../../src/ops/dtype.ts";
import { randomFrom } from "./random.ts";

/** How a tensor column is nested: lengths of fixed lists, or null for a list. */
export type Nesting = readonly (number | null)[];

export interface RandomTable {
  readonly batches: readonly arrow.RecordBatch[];
  readonly schema: arrow.Schema;
  /** The tensor columns by name. */
  readonly tensors: ReadonlyMap<string, Dtype>;
}

const dtype = fc.constantFrom<Dtype>("float16", "float32", "float64");
const nesting: fc.Arbitrary<Nesting> = fc.array(fc.option(fc.integer({ min: 0, max: 5 })), {
  minLength: 1,
  maxLength: 3,
});
const tensor = fc.record({ kind: fc.constant("tensor" as const), dtype, nesting });
const other = fc.record({
  kind: fc.constantFrom(
    "int" as const,
    "utf8" as const,
    "dictionary" as const,
    "float" as const,
    "bool" as const,
  ),
});

/** Tables of up to 5 columns and 4 batches; at least one column is a tensor. */
export const arbitraryTable: fc.Arbitrary<RandomTable> = fc
  .record({
    columns: fc.array(fc.oneof(tensor, other), { maxLength: 4 }),
    first: tensor,
    rows: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
    seed: fc.integer(),
    metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
  })
  .map(({ columns, first, rows, seed, metadata }) => {
    const random = randomFrom(seed);
    const all = [...columns, first];
    const fields = all.map((column, i) => {
      const type =
        column.kind === "tensor" ? tensorType(column.dtype, column.nesting) : otherType(column.kind, i);
      return new arrow.Field(`c${i}`, type, true);
    });
    const schema = new arrow.Schema(fields, new Map(Object.entries(metadata)));
    const batches = rows.map((length) => {
      const children = fields.map(({ type }) => randomData(type, length, random));
      return new arrow.RecordBatch(
        schema,
        arrow.makeData({ type: new arrow.Struct(fields), length, nullCount: 0, children }),
      );
    });
    const tensors = new Map(
      all.flatMap((column, i) => (column.kind === "tensor" ? [[`c${i}`, column.dtype] as const] : [])),
    );
    return { schema, batches, tensors };
  });

/** The values at the bottom of a column: what a device computes. */
export function leafValues(data: arrow.Data): Float32Array | Float64Array | Uint16Array {
  const child = data.children[0];
  return child ? leafValues(child) : (data.values as Float32Array);
}

function tensorType(of: Dtype, [length, ...rest]: Nesting): arrow.DataType {
  if (length === undefined) return new arrow.Float({ float16: 0, float32: 1, float64: 2 }[of]);
  const item = new arrow.Field("item", tensorType(of, rest), true);
  return length === null ? new arrow.List(item) : new arrow.FixedSizeList(length, item);
}

function otherType(kind: "int" | "utf8" | "dictionary" | "float" | "bool", id: number): arrow.DataType {
  if (kind === "int") return new arrow.Int64();
  if (kind === "utf8") return new arrow.Utf8();
  if (kind === "float") return new arrow.Float32();
  return kind === "bool" ? new arrow.Bool() : new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), id);
}

/** One for all batches: a file cannot hold one that changes. */
const dictionary = arrow.vectorFromArray(["red", "green", "blue"], new arrow.Utf8());

function randomData(type: arrow.DataType, length: number, random: () => number): arrow.Data {
  const nullBitmap = Uint8Array.from({ length: Math.ceil(length / 8) }, () => random() * 256);
  const some = { length, nullBitmap: random() < 0.5 ? nullBitmap : undefined, nullCount: -1 };
  const flags = some.nullBitmap ? some : { length, nullCount: 0 };
  if (arrow.DataType.isFixedSizeList(type)) {
    const child = randomData(type.children[0]!.type, length * type.listSize, random);
    return arrow.makeData({ type, ...flags, child });
  }
  if (arrow.DataType.isList(type)) {
    const valueOffsets = new Int32Array(length + 1);
    for (let i = 0; i < length; i++) valueOffsets[i + 1] = valueOffsets[i]! + Math.floor(random() * 4);
    const child = randomData(type.children[0]!.type, valueOffsets[length]!, random);
    return arrow.makeData({ type, ...flags, valueOffsets, child });
  }
  if (arrow.DataType.isUtf8(type)) {
    const words = Array.from({ length }, () => "añ€😀".slice(0, Math.floor(random() * 5)));
    return arrow.vectorFromArray(words, type).data[0] ?? arrow.makeData({ type, length: 0 });
  }
  if (arrow.DataType.isDictionary(type)) {
    return arrow.makeData({
      type,
      ...flags,
      data: Int32Array.from({ length }, () => random() * 3),
      dictionary,
    });
  }
  if (arrow.DataType.isInt(type)) {
    return arrow.makeData({
      type,
      ...flags,
      data: BigInt64Array.from({ length }, () => BigInt(Math.floor(random() * 1e9))),
    });
  }
  if (arrow.DataType.isBool(type)) {
    return arrow.makeData({
      type,
      ...flags,
      data: Uint8Array.from({ length: Math.ceil(length / 8) }, () => random() * 256),
    });
  }
  return arrow.makeData({
    type: type as arrow.Float,
    ...flags,
    data: randomFloats(type as arrow.Float, length, random),
  });
}

/** Ordinary numbers with the special ones among them; a NaN is the canonical one, which every step keeps. */
function randomFloats({ precision }: arrow.Float, length: number, random: () => number) {
  const special = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 5e-324, 3.4e38, -65504];
  const number = (): number =>
    random() < 0.2 ? special[Math.floor(random() * special.length)]! : (random() - 0.5) * 8;
  if (precision === arrow.Precision.DOUBLE) return Float64Array.from({ length }, number);
  if (precision === arrow.Precision.SINGLE) return Float32Array.from({ length }, number);
  // Any bits but those of NaNs.
  return Uint16Array.from({ length }, () => Math.floor(random() * 65_536) & 0xfbff);
}
