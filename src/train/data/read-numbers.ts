/** @file Reads rows of columns of numbers, and finds those with nulls. */
import { ColumnError, CorruptError } from "../../errors.ts";
import type { NumberColumn, Rows } from "./column.ts";
import type { BlockReader } from "./data-file.ts";
import { markNulls } from "./nulls.ts";
import { bytesOfElements, type NumberArray, toNumbers } from "./numbers.ts";

/** Where the elements of rows go: row i to `out[(row + i) * stride + offset]` and on. */
export interface RowTarget {
  readonly out: Float32Array;
  readonly row: number;
  readonly stride: number;
  readonly offset: number;
}

/** Rows whose items follow each other in memory. */
interface Run {
  /** From the first row that was asked for. */
  readonly row: number;
  readonly count: number;
  readonly item: number;
}

/** Clears `usable` for rows with a null. @throws ColumnError for a list of another length, CorruptError */
export async function markNumbers(
  column: NumberColumn,
  rows: Rows,
  usable: Uint8Array,
  at: number,
  reader: BlockReader,
): Promise<void> {
  const { file, list } = column;
  const { outer, inner } = column.place(rows.batch);
  await markNulls(file, outer, rows.first, rows.count, 1, usable, at, reader);
  const offsets = list && (await readOffsets(column, rows, reader));
  if (offsets) requireLengths(column, rows, offsets, usable, at);
  if (inner.length === 0) return;
  for (const run of runsOf(column, rows, offsets)) {
    await markNulls(file, inner, run.item, run.count, list?.items ?? 1, usable, at + run.row, reader);
  }
}

/** Reads rows as float32, as NumPy casts. Rows with a null may be left as they are. */
export async function readNumbers(
  column: NumberColumn,
  rows: Rows,
  target: RowTarget,
  reader: BlockReader,
): Promise<void> {
  const { file, type, size, list } = column;
  const order = column.order();
  const { values } = column.place(rows.batch);
  const { out, row, stride, offset } = target;
  const each = list ? size / list.items : size;
  for (const run of runsOf(column, rows, list && (await readOffsets(column, rows, reader)))) {
    const first = run.item * each;
    const count = run.count * size;
    const { start, bytes } = bytesOfElements(type, first, count);
    const to = (row + run.row) * stride + offset;
    if (type === "float32" && size === stride && order === null) {
      await reader.read(file, values + start, new Uint8Array(out.buffer, out.byteOffset + 4 * to, bytes));
      continue;
    }
    const numbers = toNumbers(type, await reader.bytes(file, values + start, bytes), first, count);
    if (size === stride && order === null) out.set(numbers, to);
    else spread(numbers, size, order, run.count, out, to, stride);
  }
}

/** The elements of rows, in their own type; not of lists. Good until the reader is used again. */
export async function readElements(
  { file, type, size, place }: NumberColumn,
  { batch, first, count }: Rows,
  reader: BlockReader,
): Promise<NumberArray> {
  const { start, bytes } = bytesOfElements(type, first * size, count * size);
  return toNumbers(
    type,
    await reader.bytes(file, place(batch).values + start, bytes),
    first * size,
    count * size,
  );
}

/** One whole number, of rows with one element each: exactly, where `readElements` rounds. */
export async function readInteger(
  column: NumberColumn,
  rows: Rows,
  row: number,
  reader: BlockReader,
): Promise<bigint> {
  const { file, type, place } = column;
  const element = rows.first + row;
  if (type !== "int64" && type !== "uint64") {
    const [number] = await readElements(column, { ...rows, first: element, count: 1 }, reader);
    return BigInt(number!);
  }
  const { buffer, byteOffset } = await reader.bytes(file, place(rows.batch).values + 8 * element, 8);
  const view = new DataView(buffer, byteOffset);
  return type === "int64" ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
}

/** The length of the first list that is not null; `undefined` where all are. */
export async function firstLength(
  column: NumberColumn,
  rows: Rows,
  reader: BlockReader,
): Promise<number | undefined> {
  const usable = new Uint8Array(rows.count).fill(1);
  await markNulls(column.file, column.place(rows.batch).outer, rows.first, rows.count, 1, usable, 0, reader);
  const row = usable.indexOf(1);
  if (row < 0) return undefined;
  const offsets = await readOffsets(column, rows, reader);
  return offsets[row + 1]! - offsets[row]!;
}

function spread(
  numbers: NumberArray,
  size: number,
  order: Int32Array | null,
  rows: number,
  out: Float32Array,
  to: number,
  stride: number,
): void {
  for (let row = 0, from = 0; row < rows; row++, from += size, to += stride) {
    if (order === null) for (let i = 0; i < size; i++) out[to + i] = numbers[from + i]!;
    else for (let i = 0; i < size; i++) out[to + i] = numbers[from + order[i]!]!;
  }
}

/** One run where rows have a fixed size; of lists, as many as there are gaps. Lists of another length are left out. */
function runsOf(
  { list }: NumberColumn,
  { first, count }: Rows,
  offsets: ArrayLike<number> | null,
): readonly Run[] {
  if (list === null || offsets === null) return [{ row: 0, count, item: first }];
  const runs: Run[] = [];
  for (let row = 0; row < count; ) {
    const start = row;
    while (row < count && offsets[row + 1]! - offsets[row]! === list.items) row++;
    if (row > start) runs.push({ row: start, count: row - start, item: offsets[start]! });
    else row++;
  }
  return runs;
}

/** The offsets of lists, one more than rows. */
async function readOffsets(column: NumberColumn, rows: Rows, reader: BlockReader): Promise<NumberArray> {
  const { width } = column.list!;
  const { offsets, items } = column.place(rows.batch);
  const bytes = await reader.bytes(column.file, offsets + rows.first * width, (rows.count + 1) * width);
  const numbers = toNumbers(width === 4 ? "int32" : "int64", bytes, 0, rows.count + 1);
  for (let i = 0; i <= rows.count; i++) {
    if (numbers[i]! >= (i === 0 ? 0 : numbers[i - 1]!) && numbers[i]! <= items) continue;
    throw new CorruptError(`The offset of a list is ${numbers[i]}, of ${items} items`, {
      position: column.position(rows.batch, rows.first + Math.max(0, i - 1)),
    });
  }
  return numbers;
}

function requireLengths(
  column: NumberColumn,
  rows: Rows,
  offsets: ArrayLike<number>,
  usable: Uint8Array,
  at: number,
): void {
  const { items } = column.list!;
  for (let i = 0; i < rows.count; i++) {
    const length = offsets[i + 1]! - offsets[i]!;
    if (length === items || usable[at + i] === 0) continue;
    throw new ColumnError(`A list has the length ${length}, but the first one ${items}`, {
      position: column.position(rows.batch, rows.first + i),
      remedy: "All rows must have one length: pad them or cut them to it, or leave out the others.",
    });
  }
}
