/** @file A program: a fused chain of ops, ready for a device. One expression, one pass over memory. */
import type { Num } from "./expr.ts";

export interface Program {
  /** Equal text means an equal program: the key of every kernel cache. */
  readonly key: string;
  /** What becomes of element i. Holds no `param`: `input(0)` is x, `input(1 + c)` is `channels[c]`. */
  readonly output: Num;
  /** Parameters with one value per channel of the tensor's last axis. */
  readonly channels: readonly ChannelParameter[];
}

export interface ChannelParameter {
  /** As the user knows it: `prelu.alpha`. */
  readonly name: string;
  readonly values: readonly number[];
}
