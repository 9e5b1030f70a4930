/** @file `transformBatches`: apache-arrow record batches in and out, for those who have them in memory already. */
import type { Data, RecordBatch, Schema } from "apache-arrow";
import type { Device } from "../device.ts";
import { AbortError, ColumnError } from "../errors.ts";
import { readSelection, type SchemaSelection } from "../formats/arrow/selection.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import { openDevice } from "../workers/open.ts";
import type { TransformOptions } from "./options.ts";
import { checkOptions } from "./transform.ts";

/** What `transformBatches` takes: a Table, a RecordBatchReader, an array of batches, or any iterable of them. */
export type Batches = Iterable<RecordBatch> | AsyncIterable<RecordBatch>;

/**
 * Computes a chain of ops on the tensor columns of each batch. The batches that come in are not changed; those that go out
 * share all other columns with them. One batch is computed at a time, when it is asked for.
 *
 * @throws SluiceError; see `errors.ts`
 *
 * ```ts
 * for await (const batch of transformBatches(table.batches, { ops: "leaky_relu", columns: ["embedding"] })) {}
 * ```
 */
export async function* transformBatches(
  batches: Batches,
  options: TransformOptions,
): AsyncGenerator<RecordBatch, void, void> {
  const { program, workers, memory } = checkOptions(options);
  const { columns, signal } = options;
  const device = await openDevice({ workers, memory });
  let schema: Schema | undefined;
  let selection: SchemaSelection | undefined;
  try {
    for await (const batch of batches) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      if (!selection || batch.schema !== schema) {
        schema = batch.schema;
        selection = await select(batch.schema, columns);
        await device.prepare(program, selection.tensors);
      }
      yield await transformBatch(batch, selection, device);
    }
  } finally {
    device.close();
  }
}

/** The same choice of columns as for a file: apache-arrow writes the schema, and the file's reader reads it. */
async function select(schema: Schema, columns: readonly string[] | undefined): Promise<SchemaSelection> {
  const { Message } = await import("apache-arrow");
  return readSelection(Message.encode(Message.from(schema)), columns);
}

async function transformBatch(
  batch: RecordBatch,
  selection: SchemaSelection,
  device: Device,
): Promise<RecordBatch> {
  let data: Data = batch.data;
  for (const [tensor, path] of selection.paths.entries()) {
    data = await replaceValues(data, path, (values) => compute(values, tensor, selection, device));
  }
  // The batch's own class: a host may have a copy of apache-arrow of its own.
  const Batch = batch.constructor as new (
    schema: Schema,
    data: Data,
    metadata: Map<string, string>,
  ) => RecordBatch;
  return new Batch(batch.schema, data, batch.metadata);
}

/** The four buffers of a node by their BufferType, which is an index: offsets, values, validity, type ids. */
type Buffers = NonNullable<Parameters<Data["clone"]>[4]>;
type FloatValues = Float32Array | Float64Array | Uint16Array;

/** A copy of the nodes along `path` (indices of children), the last one with new values; all else is shared. */
async function replaceValues(
  data: Data,
  path: readonly number[],
  replace: (values: FloatValues) => Promise<FloatValues>,
): Promise<Data> {
  const [index, ...rest] = path;
  const { valueOffsets, nullBitmap, typeIds, children } = data;
  if (index === undefined) {
    const values = await replace(data.values as FloatValues);
    const buffers = [valueOffsets, values, nullBitmap, typeIds] as unknown as Buffers;
    return data.clone(data.type, data.offset, data.length, data.nullCount, buffers);
  }
  const child = children[index];
  if (!child) throw new ColumnError("The batch has fewer columns than its schema");
  const changed = children.with(index, await replaceValues(child, rest, replace));
  return data.clone(data.type, data.offset, data.length, data.nullCount, data as unknown as Buffers, changed);
}

/** Computes all values in windows, several at once where there are workers. */
async function compute(
  values: FloatValues,
  tensor: number,
  { tensors }: SchemaSelection,
  device: Device,
): Promise<FloatValues> {
  const { dtype, channels } = tensors[tensor]!;
  const size = BYTES_PER_ELEMENT[dtype];
  const period = channels ? channels.count * channels.stride : 1;
  const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const result = values.slice();
  const target = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
  const step = device.windowBytes - (device.windowBytes % size);
  const underWay: Promise<void>[] = [];
  const pass = async (start: number, length: number): Promise<void> => {
    const slot = await device.acquire();
    try {
      slot.bytes.set(source.subarray(start, start + length));
      const ranges = Float64Array.of(0, length / size, tensor, (start / size) % period);
      await device.run({ slot, length, ranges });
      target.set(slot.bytes.subarray(0, length), start);
    } finally {
      device.release(slot);
    }
  };
  for (let start = 0; start < source.length; start += step) {
    underWay.push(pass(start, Math.min(step, source.length - start)));
  }
  const outcomes = await Promise.allSettled(underWay);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return result;
}
