/** @file What is placed into windows: a run of plain bytes, or of elements of one tensor. */

export interface Part {
  /** Bytes of one element; 1 for plain bytes. */
  readonly size: number;
  /** A window ends inside the part only at multiples of so many bytes of it. */
  readonly grain: number;
  /** Index of the tensor; -1 for bytes that are only carried. */
  readonly tensor: number;
  /** Index of the first element in its batch. */
  readonly first: number;
  /** Where x's elements beside it begin in their input, where there are any; -1 otherwise. */
  readonly other: number;
  /** Whether it is x's elements, needed later. */
  readonly retain: boolean;
}

export const CARRIED: Part = { size: 1, grain: 1, tensor: -1, first: 0, other: -1, retain: false };
export const RETAINED: Part = { ...CARRIED, retain: true };
