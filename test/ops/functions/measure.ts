/** @file Evaluating one function on arrays, and measuring how far off a result is. */
import { readFileSync } from "node:fs";
import type { Dtype } from "../../../src/ops/dtype.ts";
import { type ElementArrays, evaluate } from "../../../src/ops/evaluate.ts";
import * as e from "../../../src/ops/expr.ts";
import { toProgram } from "../../../src/ops/fuse.ts";
import type { Program } from "../../../src/ops/program.ts";

export const FUNCTIONS = {
  exp: e.exp,
  expm1: e.expm1,
  log: e.log,
  log1p: e.log1p,
  sigmoid: e.sigmoid,
  softplus: e.softplus,
  tanh: e.tanh,
} as const;
export type Name = keyof typeof FUNCTIONS;
export const NAMES = Object.keys(FUNCTIONS) as Name[];

/** In JavaScript's own functions: off by at most a few units in the last place of float64. */
export const PLAIN: Readonly<Record<Name, (x: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  tanh: Math.tanh,
};

export const programOf = (name: Name): Program => toProgram(FUNCTIONS[name](e.x));

/** What the function makes of `x`. */
export function results<D extends Dtype>(program: Program, dtype: D, x: ElementArrays[D]): ElementArrays[D] {
  const y = x.slice() as ElementArrays[D];
  evaluate(program, dtype, y);
  return y;
}

export const at = (program: Program, dtype: "float32" | "float64", x: number): number =>
  dtype === "float32"
    ? results(program, dtype, Float32Array.of(x))[0]!
    : results(program, dtype, Float64Array.of(x))[0]!;

/** The distance between neighbours of `digits` binary digits around y, the least of which is `least`. */
function unit(y: number, digits: number, least: number): number {
  const size = Math.abs(y);
  let exponent = Math.max(Math.floor(Math.log2(size)), -1074);
  if (2 ** exponent > size) exponent--;
  if (2 ** (exponent + 1) <= size) exponent++;
  return Math.max(2 ** (exponent - digits + 1), least);
}
export const unit64 = (y: number): number => unit(y, 53, 2 ** -1074);
export const unit32 = (y: number): number => unit(y, 24, 2 ** -149);

/**
 * A table of `exact/`: a line is the arguments, the correctly rounded float64 result, and what that is short of, in
 * units of its last place. Made with 400 bits by mpmath. The arguments are the worst of two million for this library,
 * and those near 0, the bounds of intervals, halves of log(2), the ends of the range.
 */
export function table(name: string): number[][] {
  const text = readFileSync(new URL(`exact/${name}.txt`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
}

/** Every exponent of float32, subnormal ones too, with 40 fractions each, of both signs. */
export function float32Sample(): Float32Array {
  const words: number[] = [];
  let random = 1;
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < 40; i++) {
      // A linear congruential generator (Numerical Recipes, 7.1); its upper bits are the better ones.
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const fraction = i === 0 ? 0 : i === 1 ? 0x7fffff : random >>> 9;
      words.push((exponent << 23) | fraction, ((exponent << 23) | fraction | 0x80000000) >>> 0);
    }
  }
  return new Float32Array(Uint32Array.from(words).buffer);
}

/** Exponents of float64 in steps of 8, with 20 fractions each, of both signs. */
export function float64Sample(): Float64Array {
  const numbers: number[] = [0, -0, Infinity, -Infinity, Number.NaN];
  let random = 1;
  for (let exponent = -1074; exponent < 1024; exponent += Math.abs(exponent) < 60 ? 1 : 8) {
    for (let i = 0; i < 20; i++) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const size = 2 ** exponent * (1 + random / 2 ** 32);
      numbers.push(size, -size);
    }
  }
  return Float64Array.from(numbers);
}
