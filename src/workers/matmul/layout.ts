/**
 * @file How operands of the matrix product lie in memory: as they are, or packed into panels, which the microkernel reads
 * from one end to the other.
 *
 * ```text
 *   B[k, n] packed: panels of 8 columns, one after the other, each row by row; the last one is filled up with 0
 *
 *     panel 0: b[0, 0] … b[0, 7] | b[1, 0] … b[1, 7] | …      panel 1: b[0, 8] … b[0, 15] | b[1, 8] …
 *
 *   A[m, k] packed: panels of 12 rows, one after the other, each column by column; likewise filled up
 *
 *     panel 0: a[0, 0] … a[11, 0] | a[0, 1] … a[11, 1] | …    panel 1: a[12, 0] … a[23, 0] | a[12, 1] …
 * ```
 */

/** Columns of a panel of B: those of the microkernel's tile of C. */
export const PANEL_COLUMNS = 8;
/** Rows of a panel of A: a multiple of the rows of any tile (`microkernel.ts`). */
export const PANEL_ROWS = 12;

export const FLOAT_BYTES = 4;

/**
 * A float32 matrix as it lies in memory: element [i, j] is at `address + 4 * (i * stride + j)`; that of a transposed one
 * at `address + 4 * (j * stride + i)`. Indices are those of the product: a transpose is taken by reading.
 */
export interface Matrix {
  /** In bytes. */
  readonly address: number;
  /** Elements from one row to the next, or from one column to the next of a transposed matrix. */
  readonly stride: number;
  readonly transposed?: boolean;
}

/** A packed operand, or a part of one that begins at a panel. */
export interface Packed {
  /** In bytes. */
  readonly address: number;
  /** The k of the whole packed matrix, of which a product may take a part: how far its panels lie apart. */
  readonly depth: number;
}

/** Bytes that B[k, n] takes when packed. */
export function packedBytesB(k: number, n: number): number {
  return roundUp(n, PANEL_COLUMNS) * k * FLOAT_BYTES;
}

/** Bytes that A[m, k] takes when packed. */
export function packedBytesA(m: number, k: number): number {
  return roundUp(m, PANEL_ROWS) * k * FLOAT_BYTES;
}

/** The part of a packed B that begins at row `k` and column `n`, which is a multiple of `PANEL_COLUMNS`. */
export function partOfB({ address, depth }: Packed, k: number, n: number): Packed {
  return { address: address + (n * depth + k * PANEL_COLUMNS) * FLOAT_BYTES, depth };
}

/** The part of a packed A that begins at row `m`, which is a multiple of `PANEL_ROWS`, and column `k`. */
export function partOfA({ address, depth }: Packed, m: number, k: number): Packed {
  return { address: address + (m * depth + k * PANEL_ROWS) * FLOAT_BYTES, depth };
}

function roundUp(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple;
}
