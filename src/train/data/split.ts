/**
 * @file Which rows are held out: of every 1,000 usable rows, by their position, a random choice of as many as the share
 * says. So each part of a file is represented, whatever order it is in, and the choice depends on the seed alone.
 */
import { keyOf, uniformAt } from "../random.ts";

export const BLOCK_ROWS = 1000;

/** What random numbers of the data are for: no two uses share a stream, nor any other part of the training. */
export const PURPOSE = { validation: 0x64617461, windows: 0x64617462, rows: 0x64617463 } as const;

/** Rows held out of the first `rows` usable ones. */
export function heldOut(share: number, rows: number): number {
  return Math.round(share * rows);
}

/** 1 for each row of a block that is held out; a block has 1,000 rows, the last one fewer. */
export function chooseBlock(seed: number, share: number, block: number, rows: number): Uint8Array {
  const start = block * BLOCK_ROWS;
  const count = heldOut(share, start + rows) - heldOut(share, start);
  const key = keyOf(seed, PURPOSE.validation, block);
  const order = new Uint16Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  const chosen = new Uint8Array(rows);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(uniformAt(key, i) * (rows - i));
    const row = order[other]!;
    order[other] = order[i]!;
    chosen[row] = 1;
  }
  return chosen;
}

export class Split {
  readonly share: number;
  readonly #seed: number;
  /** Usable rows in all. */
  readonly #rows: number;
  #block = -1;
  #chosen: Uint8Array = new Uint8Array(0);

  constructor(seed: number, share: number, rows: number) {
    this.#seed = seed;
    this.share = share;
    this.#rows = rows;
  }

  /** Whether the usable row with this number is held out. Cheap where rows are asked for in their order. */
  isHeldOut(row: number): boolean {
    const block = Math.floor(row / BLOCK_ROWS);
    if (block !== this.#block) {
      const rows = Math.min(BLOCK_ROWS, this.#rows - block * BLOCK_ROWS);
      this.#chosen = chooseBlock(this.#seed, this.share, block, rows);
      this.#block = block;
    }
    return this.#chosen[row - block * BLOCK_ROWS] === 1;
  }
}
