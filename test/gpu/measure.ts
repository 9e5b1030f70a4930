/** @file How far float32 results are from the true values. */
import type { Bound } from "../../src/gpu/functions/bounds.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import type { Program } from "../../src/ops/program.ts";
import { unit32 } from "../ops/functions/measure.ts";
import { randomFrom } from "../support/random.ts";

const NORMAL = 2 ** -126;

/** Numbers of all sizes and signs, most of them where functions bend; no subnormal ones. */
export function sample(length: number, seed = 1): Float32Array {
  const random = randomFrom(seed);
  const x = new Float32Array(length);
  const words = new Uint32Array(x.buffer);
  for (let i = 0; i < length; i++) {
    const at = random() - 0.5;
    if (i % 6 === 0) words[i] = Math.floor(random() * 2 ** 32);
    else if (i % 6 === 1) x[i] = 4 * at;
    else if (i % 6 === 2) x[i] = 20 * at;
    else if (i % 6 === 3) x[i] = 210 * at;
    else if (i % 6 === 4) x[i] = 8 * at * random() ** 3;
    else x[i] = 1 + at * Math.exp(-20 * random());
    if (Math.abs(x[i]!) < NORMAL) x[i] = 0;
  }
  return x;
}

/** What the CPU makes of it in float64: exact beside float32. */
export function trueValues(program: Program, inputs: readonly Float32Array[]): Float64Array {
  const wide = inputs.map((input) => Float64Array.from(input));
  evaluate(program, "float64", wide.length === 1 ? wide[0]! : wide);
  return wide[program.target]!;
}

/** The results that are farther off than the bound, the first few of them, as text. */
export function beyond(
  bound: Bound,
  x: Float32Array,
  got: Float32Array,
  exact: Float64Array,
): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < x.length && found.length < 5; i++) {
    const [ours, theirs] = [got[i]!, exact[i]!];
    if (isWithin(bound, ours, theirs)) continue;
    const ulps = Math.abs(ours - theirs) / unit32(theirs);
    found.push(`at ${x[i]}: ${ours} is not ${theirs} (${ulps.toPrecision(4)} ulp)`);
  }
  return found;
}

function isWithin({ ulp, absolute }: Bound, ours: number, theirs: number): boolean {
  const nearest = Math.fround(theirs);
  if (Number.isNaN(theirs) || Number.isNaN(ours)) return Number.isNaN(theirs) && Number.isNaN(ours);
  const error = (a: number, b: number): number => Math.abs(a - b);
  const allowed = ulp * unit32(Math.max(Math.abs(theirs), NORMAL)) + absolute;
  // Infinity is the number that would follow the largest one, on both sides.
  const finite = (value: number): number => (Number.isFinite(value) ? value : Math.sign(value) * 2 ** 128);
  return Number.isFinite(nearest)
    ? error(finite(ours), theirs) <= allowed
    : error(finite(ours), finite(nearest)) <= ulp * 2 ** 104;
}
