import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { fma } from "../../src/ops/fma.ts";
import { toProgram } from "../../src/ops/fuse.ts";
import { compileKernel } from "../../src/workers/compile.ts";
import { multiplyAdd } from "../../src/workers/multiply-add.ts";
import { instantiate } from "../support/kernel.ts";

/** x = number * 2^-1074, exactly. */
function wholeOf(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & (2n ** 52n - 1n);
  const size = exponent === 0n ? fraction : (fraction + 2n ** 52n) << (exponent - 1n);
  return x < 0 ? -size : size;
}

/** The float64 nearest to number * 2^-unit, ties to even. */
function nearest(number: bigint, unit: number): number {
  const size = number < 0n ? -number : number;
  // 55 digits and whether there are more, but nothing below the last bit of a subnormal number.
  const digits = size.toString(2).length;
  const drop = Math.max(digits - 53, unit - 1074, 0);
  const kept = size >> BigInt(drop);
  const rest = size - (kept << BigInt(drop));
  const half = drop === 0 ? 0n : 1n << BigInt(drop - 1);
  const up = drop > 0 && (rest > half || (rest === half && (kept & 1n) === 1n));
  const rounded = Number(up ? kept + 1n : kept);
  const power = drop - unit;
  // In two steps, each with a power in range; both are exact, or overflow.
  const result = rounded * 2 ** Math.floor(power / 2) * 2 ** Math.ceil(power / 2);
  return number < 0n ? -result : result;
}

/** a * b + c by whole numbers, rounded once; the signs of zeros as in IEEE 754, 6.3. */
function exact(a: number, b: number, c: number): number {
  const simple = a * b + c;
  if (!Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(c)) return simple;
  const sum = wholeOf(a) * wholeOf(b) + (wholeOf(c) << 1074n);
  if (sum !== 0n) return nearest(sum, 2148);
  return a === 0 || b === 0 ? simple : 0;
}

/** Where `MultiplyAdd` of expr.ts promises the one rounding. */
function isPromised(a: number, b: number, c: number): boolean {
  const size = Math.abs(a * b);
  const other = Math.abs(c);
  if (!(size < Infinity)) return !Number.isFinite(a) || !Number.isFinite(b);
  if (Math.abs(a) > 2 ** 1023 || Math.abs(b) > 2 ** 1023) return false;
  if (a === 0 || b === 0 || !(other < Infinity)) return true;
  if (size < 2 ** -900) return (other === 0 && size > 0) || other >= 2 ** -840;
  return size <= 2 ** 980 && other <= 2 ** 980;
}

const nasty = [
  ...[0, -0, 1, -1, 1 + 2 ** -52, 1 - 2 ** -53, 2 ** 27 + 1, 2 ** 53 - 1, 1.5 * 2 ** 52, 3, 1 / 3, Math.PI],
  ...[Infinity, -Infinity, Number.NaN, 2 ** -1074, 2 ** -1022, -(2 ** -1060), 2 ** 1000, -(2 ** 979)],
  ...[
    2 ** -450 * (1 + 2 ** -52),
    2 ** -840,
    Math.SQRT2,
    2 ** 490 * (2 - 2 ** -52),
    0x1fffff8000001 * 2 ** -20,
  ],
];
const number = fc.oneof(
  fc.constantFrom(...nasty),
  fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e3, max: 1e3 }),
  fc.double(),
  // Few digits set: ties, and sums that are exact.
  fc
    .tuple(fc.integer({ min: -(2 ** 27), max: 2 ** 27 }), fc.integer({ min: -60, max: 60 }))
    .map(([n, k]) => n * 2 ** k),
);
/** Random operands, and such as make the sum cancel, or come close to a tie. */
const operands = fc.oneof(
  fc.tuple(number, number, number),
  fc.tuple(number, number, fc.integer({ min: -3, max: 3 })).map(([a, b, k]): [number, number, number] => {
    const product = a * b;
    return [a, b, -product + k * 2 ** -52 * product];
  }),
  fc
    .tuple(number, number, fc.integer({ min: -110, max: 110 }))
    .map(([a, b, k]): [number, number, number] => [a, b, a * 2 ** k]),
);

const [a, b, c] = [e.input(0), e.input(1), e.input(2)];
const program = toProgram(e.fma(a, b, c), [
  { name: "b", values: [] },
  { name: "c", values: [] },
]);
const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });

/** What the kernel with that multiply-add makes of triples. */
function kernelOf(path: "relaxed" | "plain"): (triples: readonly (readonly number[])[]) => number[] {
  const run = instantiate(compileKernel(program, "float64", path), memory);
  return (triples) => {
    const { length } = triples;
    const numbers = new Float64Array(memory.buffer, 0, 3 * length);
    for (const k of [0, 1, 2])
      numbers.set(
        triples.map((triple) => triple[k]!),
        k * length,
      );
    run(length, 0, 8 * length, 16 * length);
    return [...numbers.subarray(0, length)];
  };
}

const paths = multiplyAdd() === "relaxed" ? (["plain", "relaxed"] as const) : (["plain"] as const);

describe("fma(a, b, c)", () => {
  it("is a * b + c rounded once, by whole numbers of any length", () => {
    fc.assert(
      fc.property(operands, ([a, b, c]) => {
        fc.pre(isPromised(a, b, c));
        expect(fma(a, b, c)).toBe(exact(a, b, c));
      }),
      { numRuns: 20_000 },
    );
  });

  it("is so for all triples of nasty numbers", () => {
    for (const a of nasty)
      for (const b of nasty)
        for (const c of nasty) {
          if (isPromised(a, b, c)) expect(fma(a, b, c), `${a} * ${b} + ${c}`).toBe(exact(a, b, c));
        }
  });

  it("keeps what a product and a sum lose", () => {
    expect((1 + 2 ** -30) ** 2 - 1).toBe(2 ** -29);
    expect(fma(1 + 2 ** -30, 1 + 2 ** -30, -1)).toBe(2 ** -29 + 2 ** -60);
  });

  it("takes a larger product that is exact, and infinities, without NaN between", () => {
    expect(fma(Infinity, 300, -5)).toBe(Infinity);
    expect(fma(0, 300, 200)).toBe(200);
    expect(fma(2 ** 1020, 3.7, 200)).toBe(2 ** 1020 * 3.7);
    expect(fma(2 ** 1023, 300, 200)).toBe(Infinity);
    expect(fma(1, 2, -Infinity)).toBe(-Infinity);
  });

  it.each(paths)("has the same bits in kernels with %s multiply-add", (path) => {
    const run = kernelOf(path);
    const all = nasty.flatMap((a) => nasty.flatMap((b) => nasty.map((c) => [a, b, c] as const)));
    fc.assert(
      fc.property(fc.array(operands, { minLength: 1, maxLength: 200 }), (random) => {
        const triples = [...random, ...(random.length > 190 ? all : [])].filter(([a, b, c]) =>
          isPromised(a, b, c),
        );
        expect(run(triples)).toEqual(triples.map(([a, b, c]) => fma(a, b, c)));
      }),
      { numRuns: 300 },
    );
    const promised = all.filter(([a, b, c]) => isPromised(a, b, c));
    expect(run(promised)).toEqual(promised.map(([a, b, c]) => fma(a, b, c)));
  });

  it("is folded where its operands are constants", () => {
    const folded = toProgram(e.fma(1 + 2 ** -30, 1 + 2 ** -30, -1));
    const element = Float64Array.of(5);
    evaluate(folded, "float64", element);
    expect(element[0]).toBe(2 ** -29 + 2 ** -60);
    const run = instantiate(compileKernel(folded, "float64"), memory);
    run(1, 0);
    expect(new Float64Array(memory.buffer, 0, 1)[0]).toBe(2 ** -29 + 2 ** -60);
  });
});
