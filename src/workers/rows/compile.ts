/**
 * @file The compiler of row-wise programs: one WebAssembly function that takes rows one after the other, each in the passes
 * of its plan (`ops/row-plan.ts`).
 *
 * ```text
 *   for each row:  for each pass:  what the row shares;  the elements, four at a time, then one by one;  the reductions
 * ```
 *
 * Sums over a row have one order, whatever computes them: element i is added to lane i mod 4, and the sum is
 * (lane 0 + lane 2) + (lane 1 + lane 3).
 */

import { UnsupportedError } from "../../errors.ts";
import type { Dtype } from "../../ops/dtype.ts";
import type { Program } from "../../ops/program.ts";
import { rowPlan } from "../../ops/row-plan.ts";
import { importArena } from "../arena-import.ts";
import { ModuleAssembler, type ValueType } from "../assembler.ts";
import { MOST_CHANNELS } from "../compile.ts";
import { fmaOf } from "../fma.ts";
import type { MultiplyAdd } from "../multiply-add.ts";
import { writeSumLoops } from "../sum-loops.ts";
import { MOST_STORED_LENGTH, type ScratchNeed, VECTOR } from "./scratch.ts";
import { RowWriter } from "./writer.ts";

/** The scratch memory of a program's kernels. `rowLength` is null where it varies. */
export function scratchOf(program: Program, dtype: Dtype, rowLength: number | null): ScratchNeed {
  const { stored, row, rowValues } = rowPlan(program, dtype);
  const least = VECTOR * rowValues;
  const isLong = rowLength !== null && rowLength > MOST_STORED_LENGTH;
  return { least, full: least + (isLong ? 0 : 8 * MOST_STORED_LENGTH * (row - stored)) };
}

/**
 * Compiles a row-wise `program` for arrays of `dtype`: the bytes of a module that imports a shared memory as `env.memory`.
 * Where the program has no sums, it exports
 *
 * - `run(rows, length, scratch, input0, ..., channel0, ...)`: computes `rows` rows of `length` elements that lie one
 *   behind the other.
 *
 * Where it has sums, it exports
 *
 * - `start(length, scratch, input0, ..., channel0, ...)`: what a row's elements share, left in the scratch memory;
 * - `finish(count, scratch, terms, element, input0, ..., channel0, ...)`: the output of `count` elements of that row, the
 *   first of which is number `element`, and their terms: float64s at `terms`, those of sum k
 *   `BLOCK` times k elements further on, for at most `BLOCK` elements. The addresses are those of these elements. Beside
 *   it stand the loops of `sum-loops.ts`.
 *
 * Each has a twin for rows of more than `MOST_STORED_LENGTH` elements, `runLong` and so on, that stores nothing between passes.
 * `scratch` is of `scratchOf` and belongs to the caller alone. A table `channel_k` holds one value for each element of a
 * row. All arguments are unsigned 32-bit integers; addresses need no alignment, but those of scratch and terms, which are
 * multiples of 8.
 *
 * @param path which multiply-add functions are made of, to the same bits; left out, the faster one that there is
 * @throws UnsupportedError for more than `MOST_CHANNELS` channel parameters or too many steps
 */
export function compileRowKernel(
  program: Program,
  dtype: Dtype,
  path?: MultiplyAdd,
): Uint8Array<ArrayBuffer> {
  if (program.channels.length > MOST_CHANNELS) {
    throw new UnsupportedError(
      `The chain has ${program.channels.length} per-channel parameters, more than ${MOST_CHANNELS}`,
      { remedy: "Split the chain, and run its parts one after the other." },
    );
  }
  const module = new ModuleAssembler();
  importArena(module);
  const fma = fmaOf(module, path);
  for (const [suffix, stores] of [
    ["", true],
    ["Long", false],
  ] as const) {
    const writer = (name: string, own: number): RowWriter => {
      const addresses = program.inputs + program.channels.length;
      const types = Array.from({ length: own + addresses }, (): ValueType => "i32");
      const code = module.function(types, [], `${name}${suffix}`);
      return new RowWriter(code, own, program, rowPlan(program, dtype, stores), dtype, fma);
    };
    if (program.sums.length === 0) writer("run", 3).run();
    else {
      writer("start", 2).start();
      writer("finish", 4).finish();
    }
  }
  if (program.sums.length > 0) writeSumLoops(module);
  return module.bytes();
}
