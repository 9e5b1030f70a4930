/** @file A pass over a row in the operations of the kernel: for a step of elements, for one, and for what the row shares. */
import type { Program } from "../../ops/program.ts";
import type { Pass, RowPlan } from "../../ops/row-plan.ts";
import { collect } from "../emit.ts";
import type { Load, Value } from "../vector-code.ts";
import { loadOf, type RowLoad, type StepCode } from "./lower.ts";
import type { Lanes } from "./reduce.ts";

export interface LoweredPass {
  readonly pass: Pass;
  readonly vector: StepCode;
  readonly element: StepCode;
  readonly before: readonly Value[];
  readonly lanes: readonly Lanes[];
}

export function valuesOf({ reduces, stores, terms, output }: StepCode): Value[] {
  return [...reduces.flat(), ...stores.flat(), ...terms.flat(), ...output];
}

export function usesScratch({ pass, vector }: LoweredPass, { stored, row }: RowPlan): boolean {
  if (pass.stores.length > 0) return true;
  return loadsOf(vector).some(({ index }) => index >= stored && index < row);
}

/** Inputs and tables whose addresses move with a pass. */
export function arraysOf({ vector, pass }: LoweredPass, program: Program, plan: RowPlan): number[] {
  const loaded = loadsOf(vector).map(({ index }) => index);
  if (pass.output) loaded.push(program.target);
  return [...new Set(loaded.filter((index) => index < plan.stored))];
}

/** What a step loads. */
function loadsOf(step: StepCode): RowLoad[] {
  const loads = collect(valuesOf(step)).filter((value): value is Load => value.kind === "load");
  return loads.map(({ index }) => loadOf(index));
}
