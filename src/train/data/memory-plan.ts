/** @file How many rows are read and held together: by the size of a row and `shuffle` alone, so that order is, too. */
import { MemoryError } from "../../errors.ts";
import { noRows } from "./checks.ts";
import type { Table } from "./column.ts";
import type { DatasetOptions } from "./options.ts";
import { bytesPerRow, type RowLayout } from "./row-buffer.ts";
import { RowWindows, rowsPerWindow } from "./row-windows.ts";

/** Bytes of rows that are shuffled among each other, unless the options say how many. */
export const SHUFFLE_BYTES = 64 * 2 ** 20;

/** Windows in each of the two buffers for rows that are not shuffled: validation and statistics. */
const WINDOWS_IN_ORDER = 4;

export interface MemoryPlan {
  readonly layout: RowLayout;
  /** Rows of a buffer for each way of serving. */
  readonly shuffledRows: number;
  readonly rowsInOrder: number;
  /** Whether all rows stay in memory, because they fit in two buffers. */
  readonly fits: boolean;
  /** What the buffers take. */
  readonly bytes: number;
  /** The same for each byte to shuffle, if not all rows fit. */
  readonly bytesPerShuffled: number;
}

/** How many rows are read and held together: from the size of a row and `shuffle`, whatever `memory` is. */
export function planMemory(
  tables: readonly Table[],
  options: DatasetOptions,
): { plan: MemoryPlan; windows: RowWindows } {
  const { shuffle = SHUFFLE_BYTES, skipNulls = false, weight } = options;
  const [first] = tables;
  const features = sizeOfFeatures(first);
  const targets = first?.label.kind === "numbers" ? first.label.size : 1;
  const layout: RowLayout = { features, targets, weighted: weight !== undefined, gaps: skipNulls };
  const all = tables.reduce((sum, table) => sum + table.rows, 0);
  if (first === undefined || all === 0) throw noRows(tables, "The inputs have no rows");
  if (first.features.some(({ shape }) => shape.includes(-1)))
    throw noRows(tables, "All lists of the features are null");
  if (!(features > 0 && targets > 0)) throw noRows(tables, "The rows have no elements");
  const rowBytes = 4 * (features + targets);
  const windows = new RowWindows(tables, rowsPerWindow(rowBytes, first.features.length));
  const shuffledRows = Math.max(windows.size, Math.floor(shuffle / rowBytes));
  const rowsInOrder = Math.min(shuffledRows, WINDOWS_IN_ORDER * windows.size);
  const fits = all <= 2 * shuffledRows;
  const held = fits ? all : 2 * (shuffledRows + rowsInOrder);
  const perRow = bytesPerRow(layout);
  const plan = {
    ...{ layout, shuffledRows, rowsInOrder, fits },
    bytes: held * perRow,
    bytesPerShuffled: (2 * perRow) / rowBytes,
  };
  return { plan, windows };
}

export function requireMemory(
  { bytes, bytesPerShuffled, rowsInOrder, layout }: MemoryPlan,
  memory: number,
): void {
  if (bytes <= memory) return;
  const mebibytes = (size: number): string => `${Math.ceil(size / 2 ** 20)}MiB`;
  const less = Math.floor((memory - 2 * rowsInOrder * bytesPerRow(layout)) / bytesPerShuffled / 2 ** 20);
  const smaller = less < 1 ? "" : `, or a smaller --shuffle such as ${less}MiB (in the API: shuffle)`;
  throw new MemoryError(
    `The rows that are shuffled, and those that are read meanwhile, take ${mebibytes(bytes)}; ${mebibytes(memory)} are left for them`,
    { remedy: `Give ${mebibytes(bytes - memory)} more with --memory (in the API: memory)${smaller}.` },
  );
}

export function sizeOfFeatures(table: Table | undefined): number {
  return table?.features.reduce((sum, { size }) => sum + size, 0) ?? 0;
}
