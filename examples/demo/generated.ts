/**
 * @file A large Arrow stream from a little memory: one batch made by apache-arrow, written again and again, each time with
 * other elements, which are a stretch of one pseudo-random array.
 *
 * ```text
 *   random    |.............................................|
 *   batch 0   |=====================================|
 *   batch 1     |=====================================|
 * ```
 */
import {
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { Reference } from "./verify.ts";
import { valuesOf } from "./verify.ts";

export const BATCHES = 64;
export const ROWS_PER_BATCH = 4096;
/** Elements of one embedding. */
export const COLUMNS = 1024;

const ELEMENTS = ROWS_PER_BATCH * COLUMNS;
/** How much further in `random` each batch begins. */
const SHIFT = 1021;

/** The bytes of the file, a piece at a time. */
export const generatedFile = (): Iterable<Uint8Array> => assemble(random());

/** The bytes that must come out. */
export const expectedFile = (reference: Reference): Iterable<Uint8Array> => assemble(random().map(reference));

function* assemble(values: Float32Array): Iterable<Uint8Array> {
  const template = tableToIPC(oneBatch(), "stream");
  const [elements] = valuesOf(template, "embedding");
  const start = elements!.byteOffset - template.byteOffset;
  const end = start + elements!.byteLength;
  const batchStart = endOfMessage(template);
  // The end of a stream is eight bytes: a continuation word and the length 0.
  const batchEnd = template.length - 8;
  yield template.subarray(0, batchStart);
  for (let batch = 0; batch < BATCHES; batch++) {
    yield template.subarray(batchStart, start);
    yield new Uint8Array(values.buffer, 4 * SHIFT * batch, 4 * ELEMENTS);
    yield template.subarray(end, batchEnd);
  }
  yield template.subarray(batchEnd);
}

/** Where the schema message ends: a continuation word, the length of its metadata, the metadata; it has no body. */
function endOfMessage(stream: Uint8Array): number {
  return 8 + new DataView(stream.buffer, stream.byteOffset).getInt32(4, true);
}

function oneBatch(): Table {
  const item = new Field("item", new Float32(), false);
  const schema = new Schema([
    new Field("id", new Int32(), false),
    new Field("embedding", new FixedSizeList(COLUMNS, item), false),
    new Field("name", new Utf8(), false),
  ]);
  const length = ROWS_PER_BATCH;
  const rows = Array.from({ length }, (_, row) => row);
  const children = [
    makeData({ type: new Int32(), data: Int32Array.from(rows) }),
    makeData({
      type: new FixedSizeList(COLUMNS, item),
      ...{ length, nullCount: 0 },
      child: makeData({ type: item.type, data: new Float32Array(ELEMENTS) }),
    }),
    vectorFromArray(
      rows.map((row) => `item ${row}`),
      new Utf8(),
    ).data[0]!,
  ];
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

/** What arithmetic goes wrong on first: both zeros, the smallest numbers, the largest, infinities and NaN. */
const SPECIAL = [0, -0, 1e-45, -1e-45, -1e-38, 3.4e38, -3.4e38, 1 / 0, -1 / 0, Number.NaN];

/** Numbers from -4 to 4, the same on every run (xorshift32, Marsaglia 2003), with a special one here and there. */
function random(): Float32Array<ArrayBuffer> {
  const values = new Float32Array(ELEMENTS + SHIFT * BATCHES);
  let state = 20_240_229;
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = i % 997 === 0 ? SPECIAL[(i / 997) % SPECIAL.length]! : state / 2 ** 29;
  }
  return values;
}
