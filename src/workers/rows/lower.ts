/**
 * @file From the passes of a row plan to vector code. A step of a row is four elements, whatever their type: two vectors of
 * float64, the low half and the high half.
 *
 * ```text
 *   float32, float16   a b c d   --promote-->   a b | c d       float64   a b | c d, two loads
 * ```
 */
import type { Dtype } from "../../ops/dtype.ts";
import type { Num } from "../../ops/expr.ts";
import type { Program } from "../../ops/program.ts";
import type { Pass, RowPlan } from "../../ops/row-plan.ts";
import { widenHalf } from "../float16-simd.ts";
import { lowerInto } from "../lower.ts";
import { type Value, VectorCode } from "../vector-code.ts";
import { demote, demoteToHalf, promote } from "../wide.ts";

/** Elements 0 and 1 of a step, or 2 and 3. */
export type Half = 0 | 1;
export const STEP = 4;

/** What one step computes. Where a single element is computed, the low halves alone. */
export interface StepCode {
  readonly reduces: readonly (readonly Value[])[];
  readonly stores: readonly (readonly Value[])[];
  readonly terms: readonly (readonly Value[])[];
  /** Vectors to store. */
  readonly output: readonly Value[];
}

/** Lowers the passes of one plan into one graph, so that they share their constants. */
export class RowLowering {
  readonly #code = new VectorCode();
  readonly #program: Program;
  readonly #plan: RowPlan;
  readonly #dtype: Dtype;

  constructor(program: Program, plan: RowPlan, dtype: Dtype) {
    this.#program = program;
    this.#plan = plan;
    this.#dtype = dtype;
  }

  /** A value of the row, in both lanes. */
  rowValue(value: Num): Value {
    return this.#lower([value], 0)[0]!;
  }

  step(pass: Pass, halves: readonly Half[]): StepCode {
    const { reduces, stores, terms, output } = pass;
    const both = (values: readonly Num[]): Value[][] => {
      const lowered = halves.map((half) => this.#lower(values, half));
      return values.map((_, i) => lowered.map((half) => half[i]!));
    };
    return {
      reduces: reduces.map((reduce) =>
        takesSingle(reduce, this.#program, this.#dtype)
          ? [this.#narrow((reduce.value as { index: number }).index)]
          : both([reduce.value])[0]!,
      ),
      stores: both(stores.map(({ value }) => value)),
      terms: both(terms),
      output: output ? this.#demote(both([output])[0]!) : [],
    };
  }

  #demote(halves: readonly Value[]): readonly Value[] {
    if (this.#dtype === "float64") return halves;
    const [low, high = low] = halves as [Value, Value?];
    return [(this.#dtype === "float16" ? demoteToHalf : demote)(this.#code, low, high!)];
  }

  /** The values of one half, with what they share computed once. */
  #lower(roots: readonly Num[], half: Half): Value[] {
    return lowerInto(this.#code, roots, "float64", (index) => this.#load(index, half));
  }

  #load(index: number, half: Half): Value {
    const { stored, row } = this.#plan;
    if (index >= row) return this.#code.load(loadIndex(index, 0));
    if (index >= stored || this.#dtype === "float64") return this.#code.load(loadIndex(index, half));
    return promote(this.#code, this.#narrow(index), half);
  }

  /** Four elements as float32. */
  #narrow(index: number): Value {
    const loaded = this.#code.load(loadIndex(index, 0));
    return this.#dtype === "float16" && index < this.#program.inputs ? widenHalf(this.#code, loaded) : loaded;
  }
}

/** Of an input, a table, or a stored or a row's value. */
export interface RowLoad {
  readonly index: number;
  readonly half: Half;
}

/** A load of vector code has one number. */
const loadIndex = (index: number, half: Half): number => 2 * index + half;
export const loadOf = (load: number): RowLoad => ({ index: load >> 1, half: (load & 1) as Half });

/** Whether the largest of a row is taken of four float32 at a time, as they are loaded: a maximum is not rounded. */
export function takesSingle(
  { fn, value }: Pass["reduces"][number],
  { inputs }: Program,
  dtype: Dtype,
): boolean {
  return fn === "max" && dtype !== "float64" && value.kind === "input" && value.index < inputs;
}
