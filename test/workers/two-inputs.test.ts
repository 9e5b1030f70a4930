import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import { type ElementArrays, evaluate } from "../../src/ops/evaluate.ts";
import { add, exp, input, le, max, mul, type Num, pow, sub, where, x } from "../../src/ops/expr.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { BLOCK, ShardSums, sumsShape } from "../../src/ops/shards.ts";
import { compileKernel } from "../../src/workers/compile.ts";
import { expectSameBits } from "../support/bits.ts";
import { arbitraryElements, firstDifference, specialNumbers } from "../support/expressions.ts";
import { ARRAYS, bytesOf, instantiate } from "../support/kernel.ts";

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const bytes = new Uint8Array(memory.buffer);
const DTYPES = ["float16", "float32", "float64"] as const;
const dy = input(1);

/** A program of x and dy, which dx replaces. */
function program(output: Num, ...terms: readonly Num[]): Program {
  const sums = terms.map((term, i) => ({ name: `p${i}`, term, perChannel: false }));
  return { key: "test", inputs: 2, target: 1, output, channels: [], sums, precise: true };
}

interface Results {
  readonly dx: ElementArrays[Dtype];
  readonly terms: readonly Float64Array[];
}

/** Both arrays lie at any byte, and nothing beside dx and the terms may change. */
function runKernel(
  of: Program,
  dtype: Dtype,
  xs: ElementArrays[Dtype],
  dys: ElementArrays[Dtype],
  shift: number,
): Results {
  const run = instantiate(compileKernel(of, dtype), memory);
  const [atX, atDy, atTerms] = [1000 + shift, 40_000 + 3 * shift, 100_000 + 5 * shift];
  const end = atTerms + of.sums.length * BLOCK * 8;
  bytes.fill(0xa5, 0, end + 100);
  bytes.set(bytesOf(xs), atX);
  bytes.set(bytesOf(dys), atDy);
  const args = of.sums.length > 0 ? [atDy, atTerms] : [atDy];
  run(xs.length, atX, ...args);

  const result = dys.slice();
  bytesOf(result).set(bytes.subarray(atDy, atDy + dys.byteLength));
  const terms = of.sums.map((_, sum) => {
    const start = atTerms + sum * BLOCK * 8;
    return new Float64Array(bytes.slice(start, start + xs.length * 8).buffer);
  });
  expectSameBits(bytes.subarray(atX, atX + xs.byteLength), bytesOf(xs));
  bytes.fill(0xa5, atX, atX + xs.byteLength).fill(0xa5, atDy, atDy + dys.byteLength);
  for (const sum of terms.keys()) {
    const start = atTerms + sum * BLOCK * 8;
    bytes.fill(0xa5, start, start + xs.length * 8);
  }
  expect(bytes.subarray(0, end + 100).findIndex((byte) => byte !== 0xa5)).toBe(-1);
  return { dx: result, terms };
}

/** The terms are what the sums had to add; so each element is a run of its own. */
function runOracle(of: Program, dtype: Dtype, xs: ElementArrays[Dtype], dys: ElementArrays[Dtype]): Results {
  const dx = dys.slice();
  evaluate(of, dtype, [xs, dx] as never);
  const terms = of.sums.map(() => new Float64Array(xs.length));
  for (let i = 0; i < xs.length; i++) {
    const sums = new ShardSums(sumsShape(of, []));
    evaluate(of, dtype, [xs.slice(i, i + 1), dys.slice(i, i + 1)] as never, undefined, sums);
    for (const [sum, [value]] of sums.values().entries()) terms[sum]![i] = value!;
  }
  return { dx, terms };
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  leaky_relu: backward(parseChain("leaky_relu(0.2)")),
  "a product": program(mul(x, dy)),
  "x and dy exchanged": program(sub(x, dy), sub(dy, x)),
  "x alone": program(max(x, 0.5), mul(x, x), x),
  "dy alone": program(mul(dy, 3), dy),
  neither: program({ kind: "const", value: 2 }, mul(x, dy)),
  functions: program(mul(dy, exp(x)), mul(dy, exp(add(x, 1))), where(le(x, dy), exp(x), pow(x, 2))),
};

describe.each(Object.entries(PROGRAMS))("the kernel of %s", (_, of) => {
  it.each(DTYPES)("on %s gives the oracle's dx and terms, at any address and of any length", (dtype) => {
    const elements = fc.tuple(
      arbitraryElements(dtype, { maxLength: 40 }),
      arbitraryElements(dtype, { maxLength: 40 }),
      fc.nat(64),
    );
    fc.assert(
      fc.property(elements, ([a, b, shift]) => {
        const length = Math.min(a.length, b.length);
        const [xs, dys] = [a.slice(0, length), b.slice(0, length)];
        const [got, expected] = [runKernel(of, dtype, xs, dys, shift), runOracle(of, dtype, xs, dys)];
        expect(firstDifference(dtype, got.dx, expected.dx)).toBe(-1);
        for (const [sum, terms] of got.terms.entries()) {
          // An exact sum of one zero has no sign.
          const values = terms.map((term) => (term === 0 ? 0 : term));
          expect(firstDifference("float64", values, expected.terms[sum]!)).toBe(-1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it("float64 terms of float32 numbers are not rounded to float32", () => {
  const numbers = Float32Array.from([0.1, 1e30, 3.4e38, 1e-40, 16777217]);
  const { terms } = runKernel(program(dy, mul(x, dy)), "float32", numbers, numbers, 0);
  expect([...terms[0]!]).toEqual(Array.from(numbers, (n) => n * n));
});

it.each(["float32", "float64"] as const)(
  "leaky_relu's gradient on %s is dy or alpha * dy, rounded once",
  (dtype) => {
    const round = dtype === "float32" ? Math.fround : (n: number) => n;
    const pairs = specialNumbers.flatMap((a) => specialNumbers.map((b) => [a, b] as const));
    const [xs, dys] = ([0, 1] as const).map((which) =>
      ARRAYS[dtype].from(pairs.map((pair) => pair[which])),
    ) as [Float64Array, Float64Array];
    const { dx } = runKernel(backward(parseChain("leaky_relu(0.2)")), dtype, xs, dys, 1);
    const expected = dys.map((each, i) => (xs[i]! > 0 ? each : round(0.2) * each));
    expect(firstDifference<Dtype>(dtype, dx, expected)).toBe(-1);
  },
);
