/** @file The numbers in the files of a run: one block, again and again, so that any element can be checked anywhere. */

/** 16 MiB. */
export const BLOCK_ELEMENTS = 4 * 1024 * 1024;

/** Numbers between -1 and 1, half of them negative in no order that a processor could foresee. */
export const BLOCK: Float32Array = fill(new Float32Array(BLOCK_ELEMENTS));

export function valueAt(element: number): number {
  return BLOCK[element % BLOCK_ELEMENTS]!;
}

/** A linear congruential generator (Knuth, MMIX constants cut to 32 bits); the low bits are poor, so the high ones count. */
function fill(block: Float32Array): Float32Array {
  let state = 12_345;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    block[i] = state / 2 ** 31;
  }
  return block;
}
