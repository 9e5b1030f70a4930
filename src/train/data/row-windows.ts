/**
 * @file Windows: runs of consecutive rows of one table, which are read together. How many rows a window has follows from
 * the bytes of a row alone, so that the order of rows depends neither on batches nor on memory.
 *
 * ```text
 *   tables     a.arrow ....................................  b.arrow ..........
 *   batches    | 0             | 1             | 2       |  | 0            |
 *   windows    | 0      | 1      | 2      | 3      | 4  |   | 5      | 6    |
 * ```
 */
import type { Rows, Table } from "./column.ts";

/** Rows of a window that are in one batch. */
export interface Segment {
  readonly table: Table;
  readonly rows: Rows;
  /** Row of the window. */
  readonly at: number;
}

const WINDOW_BYTES = 2 ** 20;
/** What is read of a column at once should not be less, for each read costs some 30 microseconds. */
const COLUMN_BYTES = 2 ** 14;

/** @param rowBytes of a row in memory, as float32 */
export function rowsPerWindow(rowBytes: number, columns: number): number {
  return Math.max(1, Math.floor(Math.max(WINDOW_BYTES, columns * COLUMN_BYTES) / rowBytes));
}

export class RowWindows {
  /** Rows of a window, except the last one of a table. */
  readonly size: number;
  readonly count: number;
  /** Rows of all windows. */
  readonly rows: number;
  readonly #tables: readonly Table[];
  /** Windows and rows before each table. */
  readonly #windowsBefore: number[] = [];
  readonly #rowsBefore: number[] = [];

  constructor(tables: readonly Table[], size: number) {
    this.#tables = tables;
    this.size = size;
    let [count, rows] = [0, 0];
    for (const table of tables) {
      this.#windowsBefore.push(count);
      this.#rowsBefore.push(rows);
      count += Math.ceil(table.rows / size);
      rows += table.rows;
    }
    this.count = count;
    this.rows = rows;
  }

  /** The window that holds row `row` of table `table`. */
  of(table: number, row: number): number {
    return this.#windowsBefore[table]! + Math.floor(row / this.size);
  }

  rowsIn(window: number): number {
    const table = this.#tableOf(window);
    return Math.min(this.size, this.#tables[table]!.rows - this.#firstRow(window, table));
  }

  /** Rows in all windows before this one. */
  rowsBefore(window: number): number {
    const table = this.#tableOf(window);
    return this.#rowsBefore[table]! + this.#firstRow(window, table);
  }

  /** The window's rows, batch by batch. */
  *segments(window: number): Generator<Segment> {
    const index = this.#tableOf(window);
    const table = this.#tables[index]!;
    const start = this.#firstRow(window, index);
    const end = Math.min(start + this.size, table.rows);
    for (let row = start, batch = lastNotAfter(table.starts, row); row < end; batch++) {
      const until = Math.min(end, table.starts[batch + 1]!);
      if (until === row) continue;
      const first = row - table.starts[batch]!;
      yield { table, rows: { batch, first, count: until - row }, at: row - start };
      row = until;
    }
  }

  #tableOf(window: number): number {
    return lastNotAfter(this.#windowsBefore, window);
  }

  #firstRow(window: number, table: number): number {
    return (window - this.#windowsBefore[table]!) * this.size;
  }
}

/** The last index whose number is not above `value`; numbers do not fall. */
function lastNotAfter(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
