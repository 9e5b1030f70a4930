/** @file A loss as text of kernels. */
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import type { KernelText } from "../../../gpu/source.ts";
import type { Term } from "../sums.ts";

/** Texts read `y` and `targets`; none of them has the row's share in it. */
export interface LossText {
  /** Gives two numbers of each row, `[2, rows]`, which the others read as `rows`. */
  readonly rows?: KernelSource;
  /** The derivative by output `this.thread.x` of row `this.thread.y`. */
  gradient(text: KernelText): Term;
  /** Lines that declare `loss` and `correct` of row `this.thread.x`. */
  result(text: KernelText): readonly string[];
}
