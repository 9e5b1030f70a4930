/** @file The memory that a row-wise kernel keeps values in between its passes; each thread that computes has some. */

/** Longest row whose values are stored between passes: they stay in the second-level cache. */
export const MOST_STORED_LENGTH = 16_384;
/** Bytes of one value of the row. */
export const VECTOR = 16;

/** Bytes of scratch memory. */
export interface ScratchNeed {
  /** For rows of any length, where nothing is stored. */
  readonly least: number;
  /** To store what is worth storing of rows up to `MOST_STORED_LENGTH`. */
  readonly full: number;
}

export interface Scratch {
  readonly address: number;
  /** Whether it is as long as its kernels would like, or just as long as they need. */
  readonly isFull: boolean;
}
