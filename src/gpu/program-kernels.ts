/** @file The kernels of a program: for each element, for each sum, and where it goes along rows for those. */
import type { Channels } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { elementwiseStep } from "./elementwise.ts";
import type { KernelStep } from "./kernel-source.ts";
import { rowSteps } from "./rows.ts";
import { sumStep } from "./sums.ts";

/**
 * Kernels as text; they depend on nothing but the arguments.
 *
 * @param channels of the tensor, where the program asks which channel an element is in
 */
export function programKernels(program: Program, channels: Channels | null): readonly KernelStep[] {
  if (isRowWise(program)) return rowSteps(program, channels);
  return [
    elementwiseStep(program, program.output, channels),
    ...program.sums.map(({ term }, index) => sumStep(program, index, term, channels)),
  ];
}
