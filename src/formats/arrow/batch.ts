/**
 * @file From the metadata of a record batch to the byte ranges of its body that are elements, each verified.
 *
 * Nothing in the metadata is believed before it agrees with the schema and with the length of the body; an element range
 * that another buffer also claims is an error, for computing it would change that buffer too.
 */
import type { UnsupportedError } from "../../errors.ts";
import type { Dtype } from "../../ops/dtype.ts";
import type { Place } from "../place.ts";
import type { OtherColumn } from "./columns.ts";
import type { FlatBuffer } from "./flatbuffer.ts";
import type { Message } from "./message.ts";
import { type ListPlace, type Plan, planBatches, type Target } from "./plan.ts";
import type { Field, Schema } from "./schema.ts";

/** Bytes of a FieldNode (int64 length, int64 null count) and of a Buffer (int64 offset, int64 length). */
export const STRUCT_BYTES = 16;

/** The offsets of one list of the computed column, and those of its twin beside it, in bytes from the start of the body. */
export interface ListPair {
  readonly own: number;
  readonly other: number;
  /** Bytes of each. */
  readonly bytes: number;
  readonly width: 4 | 8;
  /** Lists above this one. */
  readonly depth: number;
}

/** The offsets of the rows of a tensor. */
export interface RowList {
  /** Bytes from the start of the body. */
  readonly offset: number;
  /** 0 where there are no rows. */
  readonly bytes: number;
  readonly width: 4 | 8;
}

/** Where the lists of a batch's metadata are in its flatbuffer. */
export interface BatchLists {
  readonly plan: Plan;
  /** FieldNodes. */
  readonly nodes: number;
  /** Buffers, and how many there are. */
  readonly buffers: number;
  readonly count: number;
  /** For each column of views: how many data buffers it has. */
  readonly variadic: number;
  /** Whether each buffer begins at or after the end of those before it. */
  readonly ordered: boolean;
}

/** Reads the batches of one schema, one after the other, into the same fields. */
export class BatchReader {
  rows = 0;
  /** The first `ranges` entries of the arrays below are those of this batch, in the order of the body. */
  ranges = 0;
  readonly tensors: number[] = [];
  /** Bytes from the start of the body. */
  readonly offsets: number[] = [];
  readonly counts: number[] = [];
  readonly bytes: number[] = [];
  /** For ops along the last axis: the rows of a range, where their length varies. */
  readonly rowLists: (RowList | null)[] = [];
  /** Where the elements beside those of the one range begin, in bytes from the start of the body. */
  otherOffset = 0;
  /** The offsets that must agree. */
  readonly lists: ListPair[] = [];
  readonly other: OtherColumn | null;

  readonly #schema: Schema;
  readonly #paths: readonly (readonly Field[])[];
  readonly #dtypes: readonly Dtype[];
  readonly #place: Place;
  readonly #byRow: boolean;
  readonly #plans: { 4?: Plan; 5?: Plan } = {};

  /**
   * @param other a column that is read beside the only one of `paths`, and of the same type
   * @param byRow whether rows of varying length are told apart
   */
  constructor(
    schema: Schema,
    paths: readonly (readonly Field[])[],
    dtypes: readonly Dtype[],
    place: Place,
    other: OtherColumn | null = null,
    byRow = false,
  ) {
    this.#schema = schema;
    this.#byRow = byRow;
    this.other = other;
    this.#paths = other ? [...paths, other.path] : paths;
    this.#dtypes = other ? [...dtypes, dtypes[0]!] : dtypes;
    this.#place = place;
  }

  /** Reads the RecordBatch that `message` holds. @throws CorruptError, UnsupportedError */
  read(message: Message): void {
    const { flat, header } = message;
    this.ranges = 0;
    this.rows = this.#length(flat.fieldInt64(header, 0), "the batch");
    if (this.#paths.length === 0) return;

    const { plan, nodes, buffers, count, variadic, ordered } = this.locate(message);
    const codec = compression(message);
    for (const target of plan.targets) {
      const index = target.buffer + (target.views === 0 ? 0 : viewBuffers(flat, variadic, target.views));
      const range = this.ranges;
      this.#add(flat, target, nodes, buffers + STRUCT_BYTES * index, codec);
      if (this.ranges > range) this.rowLists[range] = this.#rowList(flat, target, nodes, buffers, variadic);
    }
    if (this.other) this.#pair(flat, plan, nodes, buffers, variadic, codec);
    if (!ordered && this.ranges > 0) this.#untangle(flat, buffers, count);
  }

  /**
   * The lists of the RecordBatch at `table`, which is the message's header or, of a dictionary, within it; verified, but
   * for what the buffers hold.
   */
  locate(message: Message, table: number = message.header): BatchLists {
    const { flat } = message;
    this.rows = this.#length(flat.fieldInt64(table, 0), "the batch");
    const plan = this.#plan(message.version);
    const nodes = this.#list(flat, table, 1, plan.nodes, "nodes") + 4;
    const variadic = this.#list(flat, table, 4, plan.views, "variadic buffer counts") + 4;
    const count = plan.buffers + this.#checkViews(flat, variadic, plan);
    const buffers = this.#list(flat, table, 2, count, "buffers") + 4;
    this.#checkNodes(flat, nodes, plan);
    const ordered = this.#checkBuffers(flat, buffers, count, message.bodyLength);
    return { plan, nodes, buffers, count, variadic, ordered };
  }

  #plan(version: 4 | 5): Plan {
    const known = this.#plans[version];
    if (known !== undefined) return known;
    const plan = planBatches(this.#schema, this.#paths, this.#dtypes, version, this.#place);
    this.#plans[version] = plan;
    return plan;
  }

  /** Position of a vector that must have `expected` items. */
  #list(flat: FlatBuffer, header: number, slot: number, expected: number, what: string): number {
    const vector = flat.fieldVector(header, slot, slot === 4 ? 8 : STRUCT_BYTES);
    const count = vector === 0 ? 0 : flat.u32(vector);
    if (count !== expected) {
      throw this.#place.corrupt(`The record batch has ${count} ${what}; its schema needs ${expected}`);
    }
    return vector;
  }

  /** Number of data buffers of all views. */
  #checkViews(flat: FlatBuffer, variadic: number, plan: Plan): number {
    for (let i = 0; i < plan.views; i++) {
      if (flat.int64(variadic + 8 * i) < 0) throw this.#place.corrupt("A variadic buffer count is negative");
    }
    return viewBuffers(flat, variadic, plan.views);
  }

  #checkNodes(flat: FlatBuffer, nodes: number, plan: Plan): void {
    for (let i = 0; i < plan.nodes; i++) this.#length(flat.int64(nodes + STRUCT_BYTES * i), "a column");
    for (const column of plan.columns) {
      const length = flat.int64(nodes + STRUCT_BYTES * column);
      if (length !== this.rows) {
        throw this.#place.corrupt(`A column of the record batch has ${length} rows, the batch ${this.rows}`);
      }
    }
  }

  /** Whether each buffer begins at or after the end of those before it, as writers lay them out. */
  #checkBuffers(flat: FlatBuffer, buffers: number, count: number, bodyLength: number): boolean {
    let ordered = true;
    let end = 0;
    for (let i = 0; i < count; i++) {
      const offset = flat.int64(buffers + STRUCT_BYTES * i);
      const length = flat.int64(buffers + STRUCT_BYTES * i + 8);
      if (offset < 0 || length < 0 || offset + length > bodyLength) {
        throw this.#place.corrupt(
          `Buffer ${i} of the record batch (${length} bytes at ${offset}) is not within its body of ${bodyLength} bytes`,
        );
      }
      if (length === 0) continue;
      if (offset < end) ordered = false;
      else end = offset + length;
    }
    return ordered;
  }

  /** Adds the elements of one target, whose Buffer is at `buffer`. */
  #add(flat: FlatBuffer, target: Target, nodes: number, buffer: number, codec: string | null): void {
    const { lengths, elementBytes } = target;
    for (let i = 0; i < lengths.length; i += 3) {
      const child = flat.int64(nodes + STRUCT_BYTES * lengths[i]!);
      const parent = flat.int64(nodes + STRUCT_BYTES * lengths[i + 1]!);
      if (child < parent * lengths[i + 2]!) {
        throw this.#place.corrupt(
          `A nested column of the record batch has ${child} slots; ${parent} × ${lengths[i + 2]} are needed`,
        );
      }
    }
    // Every slot of the node is computed, those under a null included: they hold arbitrary bytes which no reader looks
    // at, and leaving them out would need the validity bitmap. Padding after the last slot stays as it is.
    const count = flat.int64(nodes + STRUCT_BYTES * target.node);
    if (count === 0) return;
    if (codec !== null) throw compressed(codec, this.#place);
    const offset = flat.int64(buffer);
    const length = flat.int64(buffer + 8);
    if (count * elementBytes > length) {
      throw this.#place.corrupt(`A values buffer of ${length} bytes is too short for its ${count} elements`);
    }
    const range = this.ranges++;
    this.tensors[range] = target.tensor;
    this.offsets[range] = offset;
    this.counts[range] = count;
    this.bytes[range] = count * elementBytes;
  }

  /** Takes the range of the other column out of the ranges, and finds the offsets that must be the same in both. */
  #pair(
    flat: FlatBuffer,
    plan: Plan,
    nodes: number,
    buffers: number,
    variadic: number,
    codec: string | null,
  ): void {
    const { name } = this.other!;
    const own = plan.targets.find(({ tensor }) => tensor === 0)!;
    const other = plan.targets.find(({ tensor }) => tensor === 1)!;
    const lengthOf = ({ node }: { readonly node: number }): number => flat.int64(nodes + STRUCT_BYTES * node);
    const last = [...own.lists, own];
    for (const [i, each] of [...other.lists, other].entries()) {
      const [mine, its] = [lengthOf(last[i]!), lengthOf(each)];
      if (mine === its) continue;
      const what = i === own.lists.length ? "elements" : "lists";
      throw this.#place.unlike(`The batch has ${its} ${what} of x, but ${mine} of dy`, name);
    }
    this.lists.length = 0;
    for (const [depth, each] of own.lists.entries()) {
      const length = lengthOf(each);
      if (length === 0 || codec !== null) continue;
      const bytes = (length + 1) * each.width;
      const [a, b] = [each, other.lists[depth]!].map((list) =>
        this.#offsetsOf(flat, list, bytes, buffers, variadic),
      );
      if (a !== b) this.lists.push({ own: a!, other: b!, bytes, width: each.width, depth });
    }
    const range = this.tensors.indexOf(1);
    if (range < 0 || range >= this.ranges) return;
    this.otherOffset = this.offsets[range]!;
    for (const column of [this.tensors, this.offsets, this.counts, this.bytes]) column.splice(range, 1);
    this.rowLists.splice(range, 1);
    this.ranges--;
  }

  /** The rows of a tensor, where they are to be told apart. */
  #rowList(
    flat: FlatBuffer,
    { rows }: Target,
    nodes: number,
    buffers: number,
    variadic: number,
  ): RowList | null {
    if (!this.#byRow || !rows) return null;
    const { width } = rows;
    const length = flat.int64(nodes + STRUCT_BYTES * rows.node);
    // A list without rows may come without offsets.
    if (length === 0) return { offset: 0, bytes: 0, width };
    const bytes = (length + 1) * width;
    return { offset: this.#offsetsOf(flat, rows, bytes, buffers, variadic), bytes, width };
  }

  /** Where the offsets of a list begin in the body. */
  #offsetsOf(flat: FlatBuffer, list: ListPlace, bytes: number, buffers: number, variadic: number): number {
    const index = list.buffer + (list.views === 0 ? 0 : viewBuffers(flat, variadic, list.views));
    const buffer = buffers + STRUCT_BYTES * index;
    const length = flat.int64(buffer + 8);
    if (length < bytes) {
      throw this.#place.corrupt(`An offsets buffer of ${length} bytes is too short: ${bytes} are needed`);
    }
    return flat.int64(buffer);
  }

  /** For buffers that are not laid out one after the other: sorts the ranges, and checks that nothing else is in them. */
  #untangle(flat: FlatBuffer, buffers: number, count: number): void {
    const order = Array.from({ length: this.ranges }, (_, range) => range);
    order.sort((a, b) => this.offsets[a]! - this.offsets[b]!);
    for (const column of [this.tensors, this.offsets, this.counts, this.bytes]) {
      const sorted = order.map((range) => column[range]!);
      for (let i = 0; i < sorted.length; i++) column[i] = sorted[i]!;
    }
    const sorted = order.map((range) => this.rowLists[range]!);
    for (let i = 0; i < sorted.length; i++) this.rowLists[i] = sorted[i]!;
    for (let range = 1; range < this.ranges; range++) {
      if (this.offsets[range - 1]! + this.bytes[range - 1]! > this.offsets[range]!) {
        throw this.#place.corrupt("Two tensors of the record batch share elements");
      }
    }
    // A tensor's own buffer holds its range; a second buffer in it claims the same bytes.
    const claims = new Array<number>(this.ranges).fill(0);
    for (let i = 0; i < count; i++) {
      const offset = flat.int64(buffers + STRUCT_BYTES * i);
      const end = offset + flat.int64(buffers + STRUCT_BYTES * i + 8);
      if (end === offset) continue;
      for (
        let range = this.#firstEndingAfter(offset);
        range < this.ranges && this.offsets[range]! < end;
        range++
      ) {
        if (++claims[range]! > 1) {
          throw this.#place.corrupt(`Buffer ${i} of the record batch overlaps the elements of a tensor`);
        }
      }
    }
  }

  /** The first of the sorted ranges that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.ranges;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offsets[middle]! + this.bytes[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #length(value: number, what: string): number {
    if (value < 0) throw this.#place.corrupt(`The length of ${what} is ${value}`);
    return value;
  }
}

/** The one place where compressed bodies are refused; a codec would come in here. */
export function compressed(codec: string, place: Place): UnsupportedError {
  return place.unsupported(`The record batch is compressed with ${codec}`, {
    remedy:
      "Write it without compression, in PyArrow with pa.ipc.IpcWriteOptions(compression=None)" +
      ' or feather.write_feather(table, path, compression="uncompressed").',
  });
}

/** Sum of the first `columns` variadic buffer counts. */
export function viewBuffers(flat: FlatBuffer, variadic: number, columns: number): number {
  let sum = 0;
  for (let i = 0; i < columns; i++) sum += flat.int64(variadic + 8 * i);
  return sum;
}

/**
 * The codec of the body of the RecordBatch at `batch`; `null` where it is not compressed.
 *
 * Arrow 0.17 wrote it into the custom metadata of V4 messages instead (arrow/ipc/reader.cc, `GetCompressionExperimental`).
 */
export function compression(message: Message, batch: number = message.header): string | null {
  const { flat, version } = message;
  const table = flat.fieldTable(batch, 3);
  if (table !== 0) return ["LZ4_FRAME", "ZSTD"][flat.fieldU8(table, 0, 0)] ?? "an unknown codec";
  if (version === 5) return null;
  const codec = message.metadata("ARROW:experimental_compression")?.toUpperCase();
  return codec === undefined || codec === "UNCOMPRESSED" ? null : codec;
}
