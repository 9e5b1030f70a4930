/**
 * @file A program in plain JavaScript: the oracle of the tests, and the quickest way through a few elements.
 *
 * The expression becomes a list of steps, one per node, each a loop over a block of elements:
 *
 * ```text
 *   where(gt(x, 0), x, mul(0.1, x))    r0 = x   r1 = 0   m0 = r0 > r1   r1 = 0.1   r1 = r1 * r0   r1 = m0 ? r0 : r1
 * ```
 *
 * A register is used again once its last reader is done, and steps do not nest, so a chain of thousands of ops needs no
 * more memory or stack than a short one.
 *
 * NaN: `where`, `neg` and `abs` work on the bits, and so keep payload and sign, also of signalling NaNs (except that
 * float16 makes them quiet). Any other step with a NaN gives a NaN whose sign and payload the processor chooses.
 */
import { UsageError } from "../errors.ts";
import { computationOf } from "./compute.ts";
import type { Dtype } from "./dtype.ts";
import { float16ToFloat32Bits, float16ToNumber, float32BitsToFloat16, float64ToFloat16 } from "./float16.ts";
import type { Program } from "./program.ts";
import { schedule } from "./schedule.ts";
import { BLOCK, grainOf, type ShardSums } from "./shards.ts";
import type { Register, Step } from "./steps.ts";

/** Which channel element i of an array is in: `floor((first + i) / stride) % count`. */
export interface ElementChannels {
  readonly count: number;
  readonly stride: number;
  readonly first: number;
}

/** The arrays that hold elements of each dtype; float16 as bit patterns. */
export interface ElementArrays {
  readonly float16: Uint16Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}
export type Elements = ElementArrays[Dtype];

/**
 * Replaces each element by the program's output for it.
 *
 * @param elements of the dtype's array type, one array for each input of the program, or the array itself where it has
 *   one input; that of the program's target is overwritten. May lie in shared memory.
 * @param channels needed where the program has parameters per channel.
 * @param sums of the program, to which these elements, as one run, are added.
 * @throws UsageError where the arrays do not fit the dtype or each other, or the channels the program.
 */
export function evaluate<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: ElementArrays[D] | readonly ElementArrays[D][],
  channels?: ElementChannels,
  sums?: ShardSums,
): void {
  const inputs: readonly Elements[] = Array.isArray(elements) ? elements : [elements];
  checkElements(program, dtype, inputs);
  checkChannels(program, channels);
  const target = inputs[program.target]!;
  const { length } = target;
  if (length === 0) return;
  const size = Math.min(BLOCK, length);
  const computation = computationOf(program, dtype);
  const source = { size, load: loaderOf(program, dtype, inputs, channels) };
  const terms = sums ? schedule(source, "float64", computation.terms) : { steps: [], outputs: [] };
  const output = schedule(source, computation.compute, [computation.output]);
  const steps = [...terms.steps, ...output.steps];

  const grain = sums ? grainOf(program, channels ?? null) : Number.POSITIVE_INFINITY;
  for (let shard = 0; shard < length; shard += grain) {
    const end = Math.min(shard + grain, length);
    for (let start = shard; start < end; start += size) {
      const count = Math.min(size, end - start);
      for (const step of steps) step(count, start);
      store(output.outputs[0]!, target, start, count);
      if (!sums) continue;
      const to = sums.terms;
      for (const [sum, { numbers }] of terms.outputs.entries())
        to.set(numbers.subarray(0, count), sum * BLOCK);
      sums.addBlock(count, (channels?.first ?? 0) + start, channels ?? null);
    }
    sums?.endShard(channels ?? null);
  }
}

/** Gives the step that brings input `index` of the program into a register. */
export function loaderOf(
  program: Program,
  dtype: Dtype,
  inputs: readonly Elements[],
  channels: ElementChannels | undefined,
): (index: number, out: Register) => Step {
  return (index, out) => {
    const elements = inputs[index];
    if (elements) return (count, start) => load(out, elements, start, count);
    return spread(out, program.channels[index - program.inputs]!.values, channels!, dtype);
  };
}

/** The values of the elements' channels. */
function spread(out: Register, values: readonly number[], channels: ElementChannels, dtype: Dtype): Step {
  // Tables hold float32 for all but float64.
  const rounded = dtype === "float64" ? values : values.map(Math.fround);
  return (count, start) => {
    const first = channels.first + start;
    for (let i = 0; i < count; i++) {
      out.numbers[i] = rounded[Math.floor((first + i) / channels.stride) % channels.count]!;
    }
  };
}

function load(out: Register, elements: Elements, start: number, count: number): void {
  if (!(elements instanceof Uint16Array)) {
    out.numbers.set(elements.subarray(start, start + count));
  } else if (out.shift === 0) {
    for (let i = 0; i < count; i++) out.words[i] = float16ToFloat32Bits(elements[start + i]!);
  } else {
    for (let i = 0; i < count; i++) out.numbers[i] = float16ToNumber(elements[start + i]!);
  }
}

export function store(from: Register, elements: Elements, start: number, count: number): void {
  if (!(elements instanceof Uint16Array)) {
    elements.set(from.numbers.subarray(0, count), start);
  } else if (from.shift === 0) {
    for (let i = 0; i < count; i++) elements[start + i] = float32BitsToFloat16(from.words[i]!);
  } else {
    for (let i = 0; i < count; i++) elements[start + i] = float64ToFloat16(from.numbers[i]!);
  }
}

export function checkElements(program: Program, dtype: Dtype, inputs: readonly unknown[]): void {
  const [type, arrayType] = {
    float16: ["a Uint16Array of bit patterns", Uint16Array] as const,
    float32: ["a Float32Array", Float32Array] as const,
    float64: ["a Float64Array", Float64Array] as const,
  }[dtype];
  if (inputs.length !== program.inputs) {
    throw new UsageError(`the program reads ${program.inputs} arrays, but ${inputs.length} are given`);
  }
  const lengths = inputs.map((elements) => {
    if (!(elements instanceof arrayType)) throw new UsageError(`elements of ${dtype} must be in ${type}`);
    return elements.length;
  });
  if (new Set(lengths).size === 1) return;
  throw new UsageError(`the arrays have different lengths: ${lengths.join(" and ")}`);
}

export function checkChannels(program: Program, channels: ElementChannels | undefined): void {
  const [param] = program.channels;
  if (param === undefined) return;
  const remedy = "Give one number, or one per channel of the last axis.";
  if (channels === undefined) {
    throw new UsageError(`${param.name} has one value per channel, but the tensor has no channels`, {
      remedy,
    });
  }
  const { count, stride, first } = channels;
  if (!(Number.isSafeInteger(stride) && stride >= 1 && Number.isSafeInteger(first) && first >= 0)) {
    throw new UsageError(`channels cannot have stride ${stride} and start at element ${first}`);
  }
  for (const { name, values } of program.channels) {
    if (values.length === count) continue;
    throw new UsageError(`${name} has ${values.length} values, but the tensor has ${count} channels`, {
      remedy,
    });
  }
}
