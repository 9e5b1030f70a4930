/** @file A program: a fused chain of ops, forward or backward, ready for a device. One pass over memory. */
import type { Num } from "./expr.ts";

export interface Program {
  /** Equal text means an equal program: the key of every kernel cache. */
  readonly key: string;
  /** Arrays of data that it reads, all of the tensor's dtype and length: 1 for x, 2 for x and dy. */
  readonly inputs: number;
  /** Which of them the output replaces. */
  readonly target: number;
  /**
   * What becomes of element i. Holds no `param`: `input(k)` is the data array k, and `input(inputs + c)` is
   * `channels[c]`.
   */
  readonly output: Num;
  /** Parameters with one value per channel of the tensor; all of the same axis. */
  readonly channels: readonly ChannelParameter[];
  /** Sums over all elements, beside the output: the gradients of the parameters. */
  readonly sums: readonly Sum[];
  /** Whether terms may cancel each other, as they do in derivatives; then functions are expanded to full float64. */
  readonly precise: boolean;
}

export interface ChannelParameter {
  /** As the user knows it: `prelu.alpha`. */
  readonly name: string;
  readonly values: readonly number[];
  /** Of the tensor, counted from the end where it is negative; left out, the last. */
  readonly axis?: number;
}

export const LAST_AXIS = -1;

export interface Sum {
  /** The parameter whose gradient it is: `leaky_relu.alpha`. */
  readonly name: string;
  /** What element i adds, in float64. */
  readonly term: Num;
  /** Whether there is one sum for each channel of the tensor, or one for all. */
  readonly perChannel: boolean;
}
