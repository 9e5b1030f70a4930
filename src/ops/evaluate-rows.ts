/**
 * @file A row-wise program in plain JavaScript: the passes of its plan over one row after the other, in the order that the
 * SIMD kernels keep too.
 *
 * ```text
 *   sum over a row   element i is added to lane i mod 4; then (lane 0 + lane 2) + (lane 1 + lane 3)
 * ```
 */
import { UsageError } from "../errors.ts";
import type { Dtype } from "./dtype.ts";
import {
  checkChannels,
  checkElements,
  type ElementArrays,
  type ElementChannels,
  type Elements,
  loaderOf,
  store,
} from "./evaluate.ts";
import type { ReduceFn } from "./expr.ts";
import type { Program } from "./program.ts";
import { type Pass, rowGrain, rowPlan } from "./row-plan.ts";
import { type Source, schedule } from "./schedule.ts";
import { BLOCK, type ShardSums } from "./shards.ts";

/**
 * Replaces each element by the program's output for it. The arrays are rows of `rowLength` elements, one behind the other.
 *
 * @param elements as for `evaluate`
 * @param channels needed where the program has parameters per channel
 * @param sums of the program, to which these elements, as one run, are added
 * @throws UsageError where the arrays do not fit the dtype, each other or the row length, or the channels the program
 */
export function evaluateRows<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: ElementArrays[D] | readonly ElementArrays[D][],
  rowLength: number,
  channels?: ElementChannels,
  sums?: ShardSums,
): void {
  const inputs: readonly Elements[] = Array.isArray(elements) ? elements : [elements];
  checkElements(program, dtype, inputs);
  checkChannels(program, channels);
  const { length } = inputs[program.target]!;
  if (length === 0) return;
  if (!Number.isInteger(length / rowLength)) {
    throw new UsageError(`${length} elements are no whole number of rows of ${rowLength}`);
  }
  const evaluation = new RowEvaluation(program, dtype, inputs, rowLength, channels, sums);
  const grain = rowGrain(program, channels ?? null, rowLength);
  for (let start = 0; start < length; start += rowLength) {
    evaluation.row(start);
    const end = start + rowLength;
    if (end % grain === 0 || end === length) sums?.endShard(channels ?? null);
  }
}

class RowEvaluation {
  readonly #inputs: readonly Elements[];
  readonly #program: Program;
  readonly #length: number;
  readonly #channels: ElementChannels | undefined;
  readonly #sums: ShardSums | undefined;
  readonly #passes: readonly (() => void)[];
  /** Where the row begins in the arrays. */
  #start = 0;

  constructor(
    program: Program,
    dtype: Dtype,
    inputs: readonly Elements[],
    length: number,
    channels: ElementChannels | undefined,
    sums: ShardSums | undefined,
  ) {
    this.#program = program;
    this.#inputs = inputs;
    this.#length = length;
    this.#channels = channels;
    this.#sums = sums;
    const { passes, stored, row, rowValues } = rowPlan(program, dtype);
    const ofRow = new Float64Array(rowValues);
    ofRow[0] = length;
    const ofElements = Array.from({ length: row - stored }, () => new Float64Array(length));
    const loadInput = loaderOf(program, dtype, inputs, channels);
    const source: Source = {
      size: Math.min(BLOCK, length),
      load: (index, out) => {
        if (index >= row) return (count) => out.numbers.fill(ofRow[index - row]!, 0, count);
        const values = ofElements[index - stored];
        if (!values) return loadInput(index, out);
        return (count, at) => {
          const start = at - this.#start;
          out.numbers.set(values.subarray(start, start + count));
        };
      },
    };
    this.#passes = passes.map((pass) => {
      const before = pass.before.map(({ value, to }) => {
        const { steps, outputs } = schedule({ ...source, size: 1 }, "float64", [value]);
        return () => {
          for (const step of steps) step(1, 0);
          ofRow[to - row] = outputs[0]!.numbers[0]!;
        };
      });
      const over = this.#over(pass, source, (to) => ofElements[to - stored]!);
      return () => {
        for (const compute of before) compute();
        for (const [i, value] of over().entries()) ofRow[pass.reduces[i]!.to - row] = value;
      };
    });
  }

  row(start: number): void {
    this.#start = start;
    for (const pass of this.#passes) pass();
  }

  /** A pass over the elements of a row, which gives its reductions. */
  #over(pass: Pass, source: Source, placeOf: (to: number) => Float64Array): () => number[] {
    const { reduces, stores, terms, output } = pass;
    const roots = [...reduces, ...stores].map(({ value }) => value);
    if (output) roots.push(...terms, output);
    const { steps, outputs } = schedule(source, "float64", roots);
    const numbersOf = outputs.map(({ numbers }) => numbers);
    return () => {
      const lanes = reduces.map(({ fn }) => emptyLanes(fn));
      for (let i = 0; i < this.#length; i += source.size) {
        const count = Math.min(source.size, this.#length - i);
        const start = this.#start + i;
        for (const step of steps) step(count, start);
        for (const [r, { fn }] of reduces.entries()) addToLanes[fn](lanes[r]!, numbersOf[r]!, count);
        for (const [s, { to }] of stores.entries()) {
          placeOf(to).set(numbersOf[reduces.length + s]!.subarray(0, count), i);
        }
        if (!output) continue;
        store(outputs.at(-1)!, this.#inputs[this.#program.target]!, start, count);
        this.#addTerms(numbersOf, start, count);
      }
      return reduces.map(({ fn }, r) => combineLanes[fn](lanes[r]!));
    };
  }

  #addTerms(terms: readonly (Float32Array | Float64Array)[], start: number, count: number): void {
    const sums = this.#sums;
    if (!sums) return;
    for (let sum = 0; sum < this.#program.sums.length; sum++) {
      sums.terms.set(terms[sum]!.subarray(0, count), sum * BLOCK);
    }
    sums.addBlock(count, (this.#channels?.first ?? 0) + start, this.#channels ?? null);
  }
}

const LANES = 4;
type Numbers = Float32Array | Float64Array;

const emptyLanes = (fn: ReduceFn): Float64Array =>
  new Float64Array(LANES).fill(fn === "sum" ? 0 : Number.NEGATIVE_INFINITY);

const addToLanes: Readonly<Record<ReduceFn, (lanes: Float64Array, numbers: Numbers, count: number) => void>> =
  {
    sum: (lanes, numbers, count) => {
      for (let i = 0; i < count; i++) lanes[i % LANES]! += numbers[i]!;
    },
    max: (lanes, numbers, count) => {
      for (let i = 0; i < count; i++) lanes[i % LANES] = Math.max(lanes[i % LANES]!, numbers[i]!);
    },
  };

const combineLanes: Readonly<Record<ReduceFn, (lanes: Float64Array) => number>> = {
  sum: ([a, b, c, d]) => a! + c! + (b! + d!),
  max: (lanes) => Math.max(...lanes),
};
