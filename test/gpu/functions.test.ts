/** The functions of the GPU, step by step in JavaScript: within their bounds, whatever a device may do. */
import { describe, expect, it } from "vitest";
import { type Bound, functionBounds, onAnyDevice, opBounds } from "../../src/gpu/functions/bounds.ts";
import { backward } from "../../src/ops/backward.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import * as e from "../../src/ops/expr.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { schedule } from "../../src/ops/schedule.ts";
import { expectSameBits } from "../support/bits.ts";
import { expandFloat32 } from "./expand.ts";
import { beyond, sample, trueValues } from "./measure.ts";
import { CURVED } from "./ops.ts";
import { type Liberties, LOOSE, STRICT, simulate } from "./simulate.ts";

const FUNCTIONS = {
  ...{ exp: e.exp, expm1: e.expm1, log: e.log, log1p: e.log1p, sigmoid: e.sigmoid, softplus: e.softplus },
  ...{ tanh: e.tanh, erf: e.erf, normal_cdf: e.normalCdf, gaussian: e.gaussian, rsqrt: e.rsqrt },
  ...{ sin: e.sin, cos: e.cos },
};
type Name = keyof typeof FUNCTIONS;
const NAMES = Object.keys(FUNCTIONS) as Name[];
const POWERS = [2.5, -1.7, 300, 1.01, 0.1, -3, 0.5, 3, -2];

/** In pieces that stay in the cache. */
function results(output: e.Num, inputs: readonly Float32Array[], liberties: Liberties): Float32Array {
  const expanded = expandFloat32(output);
  const all = new Float32Array(inputs[0]!.length);
  for (let from = 0; from < all.length; from += 4096) {
    const part = inputs.map((input) => input.subarray(from, from + 4096));
    all.set(simulate(expanded, part, liberties), from);
  }
  return all;
}

function expectWithin(bound: Bound, program: Program, inputs: readonly Float32Array[]): void {
  const exact = trueValues(program, inputs);
  const x = inputs[0]!;
  expect(beyond(bound, x, results(program.output, inputs, STRICT), exact)).toEqual([]);
  expect(beyond(onAnyDevice(bound), x, results(program.output, inputs, LOOSE), exact)).toEqual([]);
}

const x = sample(16_384);
const ones = new Float32Array(x.length).fill(1);

it.each(NAMES)("%s is within its bound", (name) => {
  expectWithin(functionBounds[name], toProgram(FUNCTIONS[name](e.x)), [x]);
});

it.each(POWERS)("the power of %f is within the bound", (power) => {
  expectWithin(functionBounds.pow, toProgram(e.pow(e.x, power)), [x]);
});

it("powers whose exponents are data are within the bound", () => {
  const y = sample(x.length, 2);
  const program: Program = { ...toProgram(e.x), key: "pow", inputs: 2, output: e.pow(e.x, e.input(1)) };
  expectWithin(functionBounds.pow, program, [x, y]);
});

describe("ops", () => {
  it("all ops that are no straight pieces have a bound", () => {
    const named = new Set(CURVED.map((chain) => chain.replace(/\(.*/, "")));
    expect(Object.keys(opBounds).toSorted()).toEqual([...named].toSorted());
    for (const name of named) expect(catalog).toHaveProperty(name);
  });

  it.each(CURVED)("%s is within its bounds, and its gradient", (text) => {
    const chain = parseChain(text);
    const { value, gradient } = opBounds[text.replace(/\(.*/, "")]!;
    expectWithin(value, fuse(chain), [x]);
    expectWithin(gradient, backward(chain), [x, ones]);
  });
});

describe("special values", () => {
  const at = (output: e.Num, ...numbers: number[]): number[] => [
    ...results(output, [Float32Array.from(numbers)], STRICT),
  ];
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  const cases: readonly (readonly [Name, readonly number[], readonly number[]])[] = [
    ["exp", [0, -0, infinity, -infinity, nan, 89, -104], [1, 1, infinity, 0, nan, infinity, 0]],
    ["expm1", [0, -0, infinity, -infinity, nan, 1e-30], [0, -0, infinity, -1, nan, 1e-30]],
    ["log", [0, -0, infinity, -infinity, nan, 1, -1], [-infinity, -infinity, infinity, nan, nan, 0, nan]],
    ["log1p", [0, -0, infinity, -1, -2, nan, 1e-30], [0, -0, infinity, -infinity, nan, nan, 1e-30]],
    ["sigmoid", [0, -0, infinity, -infinity, nan, 200, -200], [0.5, 0.5, 1, 0, nan, 1, 0]],
    ["softplus", [infinity, -infinity, nan, 200, -200], [infinity, 0, nan, 200, 0]],
    ["tanh", [0, -0, infinity, -infinity, nan, 50, -1e30], [0, -0, 1, -1, nan, 1, -1]],
    ["erf", [0, -0, infinity, -infinity, nan, 5], [0, -0, 1, -1, nan, 1]],
    ["normal_cdf", [0, -0, infinity, -infinity, nan, 40], [0.5, 0.5, 1, 0, nan, 1]],
    ["gaussian", [0, -0, infinity, -infinity, nan], [1, 1, 0, 0, nan]],
    ["rsqrt", [0, -0, infinity, -1, nan, 4], [infinity, -infinity, 0, nan, nan, 0.5]],
    ["sin", [0, -0, infinity, -infinity, nan], [0, -0, nan, nan, nan]],
    ["cos", [0, -0, infinity, -infinity, nan], [1, 1, nan, nan, nan]],
  ];

  it.each(cases)("of %s", (name, numbers, expected) => {
    expect(at(FUNCTIONS[name](e.x), ...numbers)).toEqual(expected.map(Math.fround));
  });

  it("of powers", () => {
    expect(at(e.pow(e.x, 2.5), 0, -0, infinity, -infinity, nan, 1, -1)).toEqual([
      ...[0, 0, infinity, infinity, nan, 1, nan],
    ]);
    expect(at(e.pow(e.x, 21), -2, -infinity, -0, 1e30)).toEqual([-(2 ** 21), -infinity, -0, infinity]);
    expect(at(e.pow(e.x, 0), 0, nan, infinity)).toEqual([1, 1, 1]);
    expect(at(e.pow(1, e.x), nan, infinity, 3)).toEqual([1, 1, 1]);
    expect(at(e.pow(0.5, e.x), infinity, -infinity, nan)).toEqual([0, infinity, nan]);
  });
});

it("the evaluation that the CPU uses takes the same steps", () => {
  const size = 1000;
  const some = x.subarray(0, size);
  for (const fn of NAMES) {
    const expanded = expandFloat32(FUNCTIONS[fn](e.x));
    const load = (_: number, out: { numbers: { set(from: Float32Array): void } }) => () =>
      out.numbers.set(some);
    const { steps, outputs } = schedule({ size, load }, "float32", [expanded]);
    for (const step of steps) step(size, 0);
    expectSameBits(outputs[0]!.numbers as Float32Array, simulate(expanded, [some], STRICT));
  }
});
