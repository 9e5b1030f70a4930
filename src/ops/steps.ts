/**
 * @file The steps of an evaluation: one loop per node of the expression, over a block of elements.
 *
 * A register holds one block in the compute type, so storing a result rounds it as expr.ts asks for. (JavaScript
 * computes in float64 first; for + - * / and sqrt the second rounding, to float32, changes nothing, as float64 has more
 * than twice the digits: Figueroa, "When is double rounding innocuous?", 1995.)
 */
import type { ArithmeticFn, BinaryFn, BitsFn, Comparison } from "./expr.ts";
import { fma } from "./fma.ts";

/** One block of numbers in the compute type, with a view of their bits: `1 << shift` words each. */
export interface Register {
  readonly numbers: Float32Array | Float64Array;
  readonly words: Uint32Array;
  readonly shift: 0 | 1;
}

/** Computes `count` elements, of which the first is element `start` of the array. */
export type Step = (count: number, start: number) => void;

export function makeRegister(compute: "float32" | "float64", size: number): Register {
  const numbers = compute === "float64" ? new Float64Array(size) : new Float32Array(size);
  return { numbers, words: new Uint32Array(numbers.buffer), shift: compute === "float64" ? 1 : 0 };
}

export const unary: Readonly<Record<ArithmeticFn | BitsFn, (out: Register, x: Register) => Step>> = {
  neg: (out, x) => changeTopWord(out, x, (word) => word ^ 0x80000000),
  abs: (out, x) => changeTopWord(out, x, (word) => word & 0x7fffffff),
  sqrt: (out, x) => apply(out, x, Math.sqrt),
  floor: (out, x) => apply(out, x, Math.floor),
  ceil: (out, x) => apply(out, x, Math.ceil),
  round: (out, x) => apply(out, x, roundHalfToEven),
  // The exponent below that of the least normal number has the bits of 0.
  pow2(out, x) {
    const zero = out.shift === 1 ? -1023 : -127;
    return apply(out, x, (n) => (n === zero ? 0 : 2 ** n));
  },
  exponent: (out, x) =>
    x.shift === 1
      ? changeWords(out, x, (high) => ((high >>> 20) & 0x7ff) - 1023)
      : changeWord(out, x, (word) => ((word >>> 23) & 0xff) - 127),
  significand: (out, x) =>
    x.shift === 1
      ? changeWords(out, x, (high, low) => join((high & 0xfffff) | 0x3ff00000, low))
      : changeWord(out, x, (word) => significandOf(word)),
  head: (out, x) => changeWords(out, x, (high) => join(high, 0)),
};

export const binary: Readonly<Record<Exclude<BinaryFn, "pow">, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
};

export const comparison: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};

function roundHalfToEven(value: number): number {
  // Math.round takes halves upwards.
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function apply(out: Register, x: Register, fn: (x: number) => number): Step {
  const [to, from] = [out.numbers, x.numbers];
  return (count) => {
    for (let i = 0; i < count; i++) to[i] = fn(from[i]!);
  };
}

const pair = new Uint32Array(2);
const double = new Float64Array(pair.buffer);

/** The float64 of two words. */
function join(high: number, low: number): number {
  pair[0] = low;
  pair[1] = high;
  return double[0]!;
}

/** Computes a number from the two words of each float64. */
function changeWords(out: Register, x: Register, change: (high: number, low: number) => number): Step {
  return (count) => {
    for (let i = 0; i < count; i++) out.numbers[i] = change(x.words[2 * i + 1]!, x.words[2 * i]!);
  };
}

const single = new Float32Array(1);
const singleWord = new Uint32Array(single.buffer);

function significandOf(word: number): number {
  singleWord[0] = (word & 0x7fffff) | 0x3f800000;
  return single[0]!;
}

/** Computes a number from the word of each float32. */
function changeWord(out: Register, x: Register, change: (word: number) => number): Step {
  return (count) => {
    for (let i = 0; i < count; i++) out.numbers[i] = change(x.words[i]!);
  };
}

/** Changes the word with the sign; in float64 that is the second of two, Node's platforms being little-endian. */
function changeTopWord(out: Register, x: Register, change: (word: number) => number): Step {
  const shift = x.shift;
  return (count) => {
    for (let i = 0; i < count << shift; i++) {
      out.words[i] = (i & shift) === shift ? change(x.words[i]!) : x.words[i]!;
    }
  };
}

export function combine(out: Register, a: Register, b: Register, fn: (a: number, b: number) => number): Step {
  const [to, left, right] = [out.numbers, a.numbers, b.numbers];
  return (count) => {
    for (let i = 0; i < count; i++) to[i] = fn(left[i]!, right[i]!);
  };
}

/** For float64 alone. */
export function multiplyAdd(out: Register, a: Register, b: Register, c: Register): Step {
  return (count) => {
    for (let i = 0; i < count; i++) out.numbers[i] = fma(a.numbers[i]!, b.numbers[i]!, c.numbers[i]!);
  };
}

export function compare(
  out: Uint8Array,
  a: Register,
  b: Register,
  fn: (a: number, b: number) => boolean,
): Step {
  const [left, right] = [a.numbers, b.numbers];
  return (count) => {
    for (let i = 0; i < count; i++) out[i] = fn(left[i]!, right[i]!) ? 1 : 0;
  };
}

export function select(out: Register, mask: Uint8Array, a: Register, b: Register): Step {
  const shift = out.shift;
  return (count) => {
    for (let i = 0; i < count << shift; i++) out.words[i] = (mask[i >> shift] ? a : b).words[i]!;
  };
}
