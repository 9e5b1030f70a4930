/** @file Arrow data written by apache-arrow, the JavaScript implementation, in every kind it can write. */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMicrosecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  IntervalYearMonth,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  SparseUnion,
  Struct,
  Table,
  TimestampMicrosecond,
  Uint16,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from "apache-arrow";

const item = (type: DataType) => new Field("item", type, true);
export const list = (type: DataType) => new List(item(type));
export const fixed = (size: number, type: DataType) => new FixedSizeList(size, item(type));

/** Columns of every kind that apache-arrow writes, three rows each, with nulls where they can be. */
export function everyColumn(): Record<string, Vector> {
  const from = (values: readonly unknown[], type: DataType) =>
    vectorFromArray(values as never, type) as Vector;
  const f32 = new Float32();
  const ids = Int8Array.of(0, 1, 0);
  const children = [from([1, 2, 3], new Int32()).data[0]!, from(["a", "b", "c"], new Utf8()).data[0]!];
  const fields = [new Field("i", new Int32()), new Field("s", new Utf8())];
  return {
    null: new Vector([makeData({ type: new Null(), length: 3 })]),
    bool: from([true, null, false], new Bool()),
    int8: from([1, null, -3], new Int8()),
    uint16: from([1, 2, 3], new Uint16()),
    int64: from([1n, 2n, null], new Int64()),
    half: new Vector([
      makeData({ type: new Float16(), length: 3, data: Uint16Array.of(0x3c00, 0xbc00, 0x8000) }),
    ]),
    float: from([1.5, null, -0], f32),
    double: from([1.5, Number.NaN, -0], new Float64()),
    tensor: from([[1, -2], null, [3, -4]], fixed(2, f32)),
    utf8: from(["a", null, "ccc"], new Utf8()),
    large_utf8: from(["a", null, "ccc"], new LargeUtf8()),
    utf8_view: from(["a", null, "a string that is too long to be inlined"], new Utf8View()),
    binary: from([Uint8Array.of(1), null, Uint8Array.of(2, 3)], new Binary()),
    large_binary: from([Uint8Array.of(1), null, Uint8Array.of(2, 3)], new LargeBinary()),
    fixed_binary: from([Uint8Array.of(1, 2, 3), null, Uint8Array.of(4, 5, 6)], new FixedSizeBinary(3)),
    decimal: new Vector([
      makeData({
        type: new Decimal(2, 10, 128),
        length: 3,
        data: Uint32Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? i + 7 : 0)),
      }),
    ]),
    date: from([new Date(0), null, new Date(86_400_000)], new DateDay()),
    date64: from([new Date(0), null, new Date(86_400_000)], new DateMillisecond()),
    timestamp: from([1, null, 3], new TimestampMicrosecond()),
    duration: from([1n, null, 3n], new DurationMicrosecond()),
    interval: new Vector([
      makeData({ type: new IntervalYearMonth(), length: 3, data: Int32Array.of(1, 2, 3) }),
    ]),
    list: from([[1, -2, 3], null, []], list(f32)),
    nested: from([[[1, 2], []], null, [[-3]]], list(list(new Float64()))),
    lists_of_pairs: from(
      [
        [[1, 2]],
        [],
        [
          [-3, 4],
          [5, -6],
        ],
      ],
      list(fixed(2, f32)),
    ),
    struct: from(
      [{ x: 1, t: [1, 2] }, null, { x: -1, t: [-3, 4] }],
      new Struct([new Field("x", f32, true), new Field("t", fixed(2, f32), true)]),
    ),
    map: from(
      [new Map([["k", 1]]), null, new Map()],
      new Map_(
        new Field(
          "entries",
          new Struct<{ key: Utf8; value: Int32 }>([
            new Field("key", new Utf8()),
            new Field("value", new Int32(), true),
          ]),
        ),
      ),
    ),
    dictionary: from(["a", "b", "a"], new Dictionary(new Utf8(), new Int32())),
    dense: new Vector([
      makeData({
        type: new DenseUnion([0, 1], fields),
        length: 3,
        typeIds: ids,
        valueOffsets: Int32Array.of(0, 0, 1),
        children,
      }),
    ]),
    sparse: new Vector([
      makeData({ type: new SparseUnion([0, 1], fields), length: 3, typeIds: ids, children }),
    ]),
    last: from([[1], [-2], [3]], fixed(1, new Float64())),
  };
}

/** Serialises batches that share the first one's schema. apache-arrow writes no schema message into files. */
export function write(kind: "file" | "stream", ...batches: RecordBatch[]): Uint8Array {
  const writer = kind === "file" ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  writer.reset(undefined, batches[0]!.schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

/** The first batch of a table of these columns, with metadata on the schema. */
export function batchOf(columns: Record<string, Vector>): RecordBatch {
  const fields = Object.entries(columns).map(
    ([name, vector]) => new Field(name, vector.type, true, new Map([["field", name]])),
  );
  const schema = new Schema(fields, new Map([["made by", "apache-arrow"]]));
  const [batch] = new Table(schema, columns).batches;
  return batch!;
}
