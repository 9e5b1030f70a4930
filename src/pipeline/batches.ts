/** @file `transformBatches`: apache-arrow record batches in and out, for those who have them in memory already. */
import type { Data, RecordBatch, Schema } from "apache-arrow";
import type { Device } from "../device.ts";
import { AbortError, ColumnError } from "../errors.ts";
import { readSelection, type SchemaSelection } from "../formats/arrow/selection.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { type FloatValues, nodesAlong, requireSameLists, rowsOf, spanOf } from "./batch-data.ts";
import { computeRuns } from "./batch-windows.ts";
import { withChannelsFor } from "./channel-axis.ts";
import { forwardJob, type Job } from "./job.ts";
import { openDevice } from "./open-device.ts";
import type { TransformOptions } from "./options.ts";

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
  yield* passBatches(batches, forwardJob(options), options.signal);
}

/** Computes a program on each batch; gives its sums. */
export async function* passBatches(
  batches: Batches,
  job: Job,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch, readonly Float64Array[], void> {
  const device = await openDevice(job);
  let schema: Schema | undefined;
  let chosen: Chosen | undefined;
  let index = 0;
  try {
    for await (const batch of batches) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      if (!chosen || batch.schema !== schema) {
        schema = batch.schema;
        const selection = await select(batch.schema, job);
        const tensors = withChannelsFor(job.program, selection.tensors);
        chosen = { ...selection, tensors, grains: await device.prepare(job.program, tensors) };
      }
      yield await passBatch(batch, index++, chosen, device);
    }
    return device.sums();
  } finally {
    device.close();
  }
}

/** The tensors of a schema, ready to be computed. */
interface Chosen extends SchemaSelection {
  readonly grains: readonly number[];
}

/** The same choice of columns as for a file: apache-arrow writes the schema, and the file's reader reads it. */
async function select(schema: Schema, { columns, otherColumn, program }: Job): Promise<SchemaSelection> {
  const { Message } = await import("apache-arrow");
  return readSelection(Message.encode(Message.from(schema)), columns, otherColumn, isRowWise(program));
}

async function passBatch(
  batch: RecordBatch,
  index: number,
  { tensors, paths, other, grains }: Chosen,
  device: Device,
): Promise<RecordBatch> {
  let data: Data = batch.data;
  for (const [tensor, path] of paths.entries()) {
    const nodes = nodesAlong(data, path);
    const column = tensors[tensor]!;
    const otherNodes = other && nodesAlong(data, other);
    if (otherNodes) requireSameLists(nodes, otherNodes, { batch: index, column: column.name });
    const [leaf, otherLeaf] = [nodes.at(-1)!, otherNodes?.at(-1)];
    const values = (leaf.values as FloatValues).slice();
    const grain = grains[tensor]!;
    // What no row reaches must not count in sums.
    const whole = otherLeaf ? spanOf(nodes) : { start: 0, count: leaf.length };
    await computeRuns(device, {
      ...{ values, tensor, column, grain },
      // A row of varying length is computed by itself.
      runs: grain === Number.POSITIVE_INFINITY ? rowsOf(nodes) : [whole],
      other: otherLeaf?.values as FloatValues | undefined,
      position: { batch: index },
    });
    data = replaceValues(data, path, values);
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

/** A copy of the nodes along `path` (indices of children), the last one with new values; all else is shared. */
function replaceValues(data: Data, path: readonly number[], values: FloatValues): Data {
  const [index, ...rest] = path;
  const { valueOffsets, nullBitmap, typeIds, children } = data;
  if (index === undefined) {
    const buffers = [valueOffsets, values, nullBitmap, typeIds] as unknown as Buffers;
    return data.clone(data.type, data.offset, data.length, data.nullCount, buffers);
  }
  const child = children[index];
  if (!child) throw new ColumnError("The batch has fewer columns than its schema");
  const changed = children.with(index, replaceValues(child, rest, values));
  return data.clone(data.type, data.offset, data.length, data.nullCount, data as unknown as Buffers, changed);
}
