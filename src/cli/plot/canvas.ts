/**
 * @file Lines on a grid of characters. Braille characters hold 2 x 4 dots each; without them a character is one dot.
 *
 * ```text
 *   dots of a braille character and their bits      1   8
 *   (Unicode 16, section 21.1)                      2  16
 *                                                   4  32
 *                                                  64 128
 * ```
 */

export interface Cell {
  /** Which dots are set; 0 where there is none. */
  readonly dots: number;
  /** The last that drew here. */
  readonly owner: number;
}

const BRAILLE = [
  [1, 8],
  [2, 16],
  [4, 32],
  [64, 128],
] as const;

export class Canvas {
  readonly columns: number;
  readonly rows: number;
  /** Dots of a cell, across and down. */
  readonly across: number;
  readonly down: number;
  readonly #dots: Uint8Array;
  readonly #owners: Int8Array;

  constructor(columns: number, rows: number, fine: boolean) {
    [this.columns, this.rows] = [columns, rows];
    [this.across, this.down] = fine ? [2, 4] : [1, 1];
    this.#dots = new Uint8Array(columns * rows);
    this.#owners = new Int8Array(columns * rows).fill(-1);
  }

  cell(column: number, row: number): Cell {
    const i = row * this.columns + column;
    return { dots: this.#dots[i]!, owner: this.#owners[i]! };
  }

  /** The rows of a column in which `owner` was the last to draw, from above. */
  rowsOf(owner: number, column: number): number[] {
    return Array.from({ length: this.rows }, (_, row) => row).filter(
      (row) => this.cell(column, row).owner === owner,
    );
  }

  /** A line between two places in dots from the upper left corner; what lies outside is left out. */
  line(owner: number, x0: number, y0: number, x1: number, y1: number): void {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
    for (let i = 0; i <= steps; i++) {
      this.#dot(owner, Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps));
    }
  }

  #dot(owner: number, x: number, y: number): void {
    const [column, row] = [Math.floor(x / this.across), Math.floor(y / this.down)];
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return;
    const i = row * this.columns + column;
    this.#dots[i] = this.#dots[i]! | (this.across === 1 ? 1 : BRAILLE[y % 4]![x % 2]!);
    this.#owners[i] = owner;
  }
}

export const brailleOf = (dots: number): string => String.fromCharCode(0x2800 + dots);
