import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnsupportedError, UsageError } from "../../src/errors.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import type { ElementArrays } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { float16ToFloat32Bits, float16ToNumber, numberToFloat16 } from "../../src/ops/float16.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { compileKernel, MOST_CHANNELS } from "../../src/workers/compile.ts";
import { MOST_VALUES } from "../../src/workers/vector-code.ts";
import { expectSameBits } from "../support/bits.ts";
import {
  arbitraryElements,
  arbitraryProgram,
  firstDifference,
  specialNumbers,
} from "../support/expressions.ts";
import { ARRAYS, bytesOf, instantiate, runKernel, runOracle } from "../support/kernel.ts";

const { x } = e;
const y = e.input(1);
const NUMBERS = [...specialNumbers, -1.5, 3.5, -0.49999997, 4.999999, 2 ** 31, -65519, 1e-5];

/** Numbers as elements: each rounded to the dtype. */
function elementsOf<D extends Dtype>(dtype: D, numbers: readonly number[]): ElementArrays[D] {
  return ARRAYS[dtype].from(dtype === "float16" ? numbers.map(numberToFloat16) : numbers) as ElementArrays[D];
}
function numbersOf(dtype: Dtype, elements: ElementArrays[Dtype]): number[] {
  return dtype === "float16" ? Array.from(elements, float16ToNumber) : [...elements];
}
const roundingOf = (dtype: Dtype) => (dtype === "float64" ? (n: number) => n : Math.fround);

/** Every pair of special numbers: x, and beside it y from a channel parameter. */
function expectForAllPairs(dtype: Dtype, output: e.Num, reference: (x: number, y: number) => number): void {
  const round = roundingOf(dtype);
  const xs = numbersOf(dtype, elementsOf(dtype, NUMBERS));
  const pairs = xs.flatMap((a) => NUMBERS.map((b) => [a, round(b)] as const));
  const program = toProgram(output, [{ name: "y", values: pairs.map(([, b]) => b) }]);
  const elements = elementsOf(
    dtype,
    pairs.map(([a]) => a),
  );
  const got = runKernel(program, dtype, elements, { count: pairs.length, stride: 1, first: 0 });
  const expected = elementsOf(
    dtype,
    pairs.map(([a, b]) => round(reference(a, b))),
  );
  const at = firstDifference(dtype, got, expected);
  expect({ pair: pairs[at], got: got[at], expected: expected[at] }).toEqual({ pair: undefined });
}

/** Like `expectForAllPairs`, for x alone. */
function expectForAll(dtype: Dtype, output: e.Num, reference: (x: number) => number): void {
  expectForAllPairs(dtype, output, (a) => reference(a));
}

/** To the even neighbour, by the definition: the fraction decides. Exact, as all numbers from 2^52 on are whole. */
function roundToEven(n: number): number {
  const [below, above] = [Math.floor(n), Math.ceil(n)];
  if (below === above || Number.isNaN(n)) return n;
  const lower = n - below < above - n || (n - below === above - n && below % 2 === 0);
  return lower ? below : above;
}

const smaller = (a: number, b: number): boolean => a < b || (a === 0 && b === 0 && Object.is(a, -0));
const UNARY: Record<e.ArithmeticFn, (a: number) => number> = {
  neg: (a) => -a,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundToEven,
};
const BINARY: Record<Exclude<e.BinaryFn, "pow">, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => ([a, b].some(Number.isNaN) ? Number.NaN : smaller(a, b) ? a : b),
  max: (a, b) => ([a, b].some(Number.isNaN) ? Number.NaN : smaller(a, b) ? b : a),
};
const COMPARE: Record<e.Comparison, (a: number, b: number) => boolean> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};
const unaryFns = Object.keys(UNARY) as (keyof typeof UNARY)[];
const binaryFns = Object.keys(BINARY) as (keyof typeof BINARY)[];
const comparisons = Object.keys(COMPARE) as e.Comparison[];

describe.each<Dtype>(["float16", "float32", "float64"])("a kernel for %s", (dtype) => {
  it.each(unaryFns)("computes %s as Math does", (fn) => {
    expectForAll(dtype, { kind: "unary", fn, x }, UNARY[fn]);
  });

  it.each(binaryFns)("computes %s as Math does, of two arrays and with a constant on either side", (fn) => {
    const node = (a: e.Num, b: e.Num): e.Num => ({ kind: "binary", fn, a, b });
    expectForAllPairs(dtype, node(x, y), BINARY[fn]);
    expectForAllPairs(dtype, node(y, x), (a, b) => BINARY[fn](b, a));
    for (const number of NUMBERS) {
      const c = roundingOf(dtype)(number);
      expectForAll(dtype, node(x, e.constant(number)), (a) => BINARY[fn](a, c));
      expectForAll(dtype, node(e.constant(number), x), (a) => BINARY[fn](c, a));
    }
  });

  it.each(comparisons)("chooses by %s as JavaScript does, whatever the sides", (fn) => {
    type Side = readonly [e.Num, (a: number, b: number) => number];
    const constant = (number: number): Side => [e.constant(number), () => number];
    const arrays: Side[] = [
      [x, (a) => a],
      [y, (_, b) => b],
    ];
    const constants = [0, -0, 1.5, Number.NaN].map(constant);
    const sides = [...arrays, ...constants];
    for (const p of sides) {
      for (const q of sides) {
        const results = [
          [p, q],
          [q, p],
          ...constants.flatMap((c) => [
            [p, c],
            [c, q],
          ]),
        ] as [Side, Side][];
        for (const [r, s] of results) {
          const test: e.Mask = { kind: "compare", fn, a: p[0], b: q[0] };
          expectForAllPairs(dtype, e.where(test, r[0], s[0]), (a, b) =>
            COMPARE[fn](p[1](a, b), q[1](a, b)) ? r[1](a, b) : s[1](a, b),
          );
        }
      }
    }
  });

  it("divides by constants as it divides by numbers, also where it could multiply", () => {
    const near = [1, -1].flatMap((sign) =>
      [-1074, -1022, -149, -126, -1, 0, 1, 100, 126, 127, 1022, 1023]
        .map((exponent) => sign * 2 ** exponent)
        .flatMap((power) => [power, power * (1 + 2 ** -52), power * (1 + 2 ** -23), power * 3]),
    );
    for (const divisor of near) {
      const c = roundingOf(dtype)(divisor);
      expectForAll(dtype, e.div(x, divisor), (a) => a / c);
    }
  });

  const slopes = [
    0.01,
    0.2,
    1,
    1.0001,
    3,
    1e30,
    1e-30,
    2 ** -149,
    5e-324,
    0,
    -0,
    -0.1,
    -2,
    1 / 0,
    -1 / 0,
    0 / 0,
  ];
  it.each(slopes)("computes leaky_relu(%f) by the definition", (slope) => {
    const alpha = roundingOf(dtype)(slope);
    const reference = (a: number) => (a > 0 ? a : alpha * a);
    expectForAll(dtype, e.where(e.gt(x, 0), x, e.mul(slope, x)), reference);
    expectForAll(dtype, e.where(e.lt(0, x), x, e.mul(x, slope)), reference);
    expectForAll(dtype, e.where(e.ge(x, 0), x, e.mul(slope, x)), (a) => (a >= 0 ? a : alpha * a));
    expectForAll(dtype, e.where(e.gt(x, -0), e.mul(slope, x), x), (a) => (a > 0 ? alpha * a : a));
  });

  it("agrees with the oracle on random programs and elements", () => {
    const cases = fc.record({
      program: arbitraryProgram(),
      elements: arbitraryElements(dtype),
      stride: fc.integer({ min: 1, max: 4 }),
      first: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(cases, ({ program, elements, stride, first }) => {
        const channels = { count: program.channels[0]?.values.length ?? 1, stride, first };
        const got = runKernel(program, dtype, elements, channels);
        expect(firstDifference(dtype, got, runOracle(program, dtype, elements, channels))).toBe(-1);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    "leaky_relu",
    "relu | mul(0.5) | add(0.1)",
    "prelu([0.1, -0.2, 3])",
    "relu6 | hard_tanh | threshold(0.2, 20)",
    "clamp(-1, 1) | square | sqrt | neg | abs",
    "sub(0.1) | div(3) | leaky_relu(1.5) | prelu([2, 0.5, 0])",
  ])("agrees with the oracle on the chain %s", (chain) => {
    const program = fuse(parseChain(chain));
    const channels = { count: 3, stride: 2, first: 4 };
    const elements = elementsOf(
      dtype,
      Array.from({ length: 1001 }, (_, i) => NUMBERS[i] ?? (i - 500) / 77),
    );
    const got = runKernel(program, dtype, elements, channels);
    expect(firstDifference(dtype, got, runOracle(program, dtype, elements, channels))).toBe(-1);
  });

  it("keeps every bit of a NaN through a copy, and all but the sign through neg and abs", () => {
    const bits = dtype === "float64" ? 64 : dtype === "float32" ? 32 : 16;
    const mantissa = { 16: 10, 32: 23, 64: 52 }[bits]!;
    const sign = 1n << BigInt(bits - 1);
    const infinity = ((1n << BigInt(bits - 1 - mantissa)) - 1n) << BigInt(mantissa);
    const quiet = 1n << BigInt(mantissa - 1);
    const patterns = [1n, 2n, quiet - 1n, quiet, quiet + 5n, 2n * quiet - 1n].flatMap((payload) => [
      infinity | payload,
      sign | infinity | payload,
    ]);
    const pack = (of: readonly bigint[]) => {
      const view = new DataView(new ArrayBuffer((of.length * bits) / 8));
      of.forEach((pattern, i) => {
        if (bits === 64) view.setBigUint64(8 * i, pattern, true);
        else if (bits === 32) view.setUint32(4 * i, Number(pattern), true);
        else view.setUint16(2 * i, Number(pattern), true);
      });
      return new ARRAYS[dtype](view.buffer);
    };
    // float16 results are made quiet, as F16C does.
    const stored = (pattern: bigint) => (bits === 16 ? pattern | quiet : pattern);
    const run = (output: e.Num) => runKernel(toProgram(output), dtype, pack(patterns));
    expectSameBits(run(x), pack(patterns.map(stored)));
    expectSameBits(run(e.neg(x)), pack(patterns.map((pattern) => stored(pattern ^ sign))));
    expectSameBits(run(e.abs(x)), pack(patterns.map((pattern) => stored(pattern & ~sign))));
    expectSameBits(run(e.where(e.ne(x, x), x, 1)), pack(patterns.map(stored)));
    expectSameBits(run(e.clamp(x, -1, 1)), pack(patterns.map(stored)));
  });

  it("writes a constant, or a channel's values, for every element", () => {
    const elements = elementsOf(dtype, NUMBERS);
    const constant = runKernel(toProgram(e.constant(0.1)), dtype, elements);
    expect(
      firstDifference(
        dtype,
        constant,
        elementsOf(
          dtype,
          NUMBERS.map(() => 0.1),
        ),
      ),
    ).toBe(-1);
    expectForAllPairs(dtype, y, (_, b) => b);
  });

  it("rounds constants to the compute type, and folds constant subtrees by its rounding", () => {
    const round = roundingOf(dtype);
    const third = e.div(e.add(0.1, 0.2), e.sqrt(2));
    const folded = round(round(round(0.1) + round(0.2)) / round(Math.SQRT2));
    expectForAll(dtype, e.mul(x, third), (a) => a * folded);
    const code = (output: e.Num) => compileKernel(toProgram(output), dtype);
    expectSameBits(code(e.mul(x, third)), code(e.mul(x, folded)));
    const unknown = e.where(e.lt(e.constant(2), 3), e.where(e.ge(e.constant(2), 3), 1, x), e.sqrt(x));
    expectSameBits(code(unknown), code(x));
  });

  it("computes constant NaNs with the bits that the oracle gives them", () => {
    const negative = e.neg(e.constant(Number.NaN));
    const elements = elementsOf(dtype, NUMBERS);
    for (const output of [
      negative,
      e.abs(negative),
      e.constant(Number.NaN),
      e.where(e.gt(x, 0), negative, x),
    ]) {
      const program = toProgram(output);
      expectSameBits(runKernel(program, dtype, elements), runOracle(program, dtype, elements));
    }
  });

  it("computes what occurs twice once, also where it was written twice", () => {
    const twice = (make: () => e.Num) => e.add(make(), e.floor(make()));
    const root = e.sqrt(e.abs(x));
    const shared: Program = { ...toProgram(x), output: twice(() => root) };
    const copied: Program = { ...toProgram(x), output: twice(() => e.sqrt(e.abs(x))) };
    expectSameBits(compileKernel(copied, dtype), compileKernel(shared, dtype));

    // 2^60 additions, written out.
    let doubled: e.Num = x;
    for (let i = 0; i < 60; i++) doubled = e.add(doubled, doubled);
    expectForAll(dtype, doubled, (a) => a * 2 ** 60);
  });

  it("loads a constant once, before the loops", () => {
    const code = Buffer.from(
      compileKernel(fuse(parseChain("leaky_relu(-0.3) | add(0.7) | mul(-0.3)")), dtype),
    );
    const constant = bytesOf(
      dtype === "float64" ? Float64Array.of(-0.3, -0.3) : new Float32Array(4).fill(-0.3),
    );
    expect(code.indexOf(constant)).toBeGreaterThan(0);
    expect(code.indexOf(constant)).toBe(code.lastIndexOf(constant));
  });

  it("runs chains of thousands of ops", () => {
    const elements = elementsOf(dtype, NUMBERS);
    const add = toProgram(Array.from({ length: 9000 }).reduce<e.Num>((sum, _, i) => e.add(sum, i / 8), x));
    const nested = toProgram(
      Array.from({ length: 4000 }).reduce<e.Num>((sum, _, i) => e.sub(e.mul(x, i), sum), x),
    );
    const leaky = fuse(Array.from({ length: 3000 }, () => parseChain("leaky_relu(-1.01)")[0]!));
    for (const program of [add, nested, leaky]) {
      const got = runKernel(program, dtype, elements);
      expect(firstDifference(dtype, got, runOracle(program, dtype, elements))).toBe(-1);
    }
  });
});

describe("the compiler", () => {
  it("refuses a program of too many steps, and says how many it takes", () => {
    const chain = (length: number): Program => {
      const output = Array.from({ length }).reduce<e.Num>((sum, _, i) => e.add(sum, i), x);
      return { ...toProgram(x), output };
    };
    const most = (MOST_VALUES - 1) / 2;
    expect(() => compileKernel(chain(Math.floor(most)), "float32")).not.toThrow();
    expect(() => compileKernel(chain(Math.ceil(most) + 1), "float32")).toThrow(UnsupportedError);
    expect(() => compileKernel(chain(100_000), "float32")).toThrow(`${MOST_VALUES} steps`);
  });

  it("takes as many channel parameters as it says, and refuses one more", () => {
    const program = (count: number): Program => ({
      ...toProgram(x),
      output: Array.from({ length: count }).reduce<e.Num>((sum, _, i) => e.add(sum, e.input(1 + i)), x),
      channels: Array.from({ length: count }, (_, i) => ({ name: `p${i}`, values: [i] })),
    });
    const got = runKernel(program(MOST_CHANNELS), "float64", Float64Array.of(1, 2, 3), {
      count: 1,
      stride: 1,
      first: 0,
    });
    const sum = (MOST_CHANNELS * (MOST_CHANNELS - 1)) / 2;
    expect([...got]).toEqual([1 + sum, 2 + sum, 3 + sum]);
    expect(() => compileKernel(program(MOST_CHANNELS + 1), "float64")).toThrow(UnsupportedError);
  });

  it("refuses a parameter without a value, and an input that is not there", () => {
    const program = (output: e.Num): Program => ({ ...toProgram(x), output });
    expect(() => compileKernel(program(e.mul(x, e.param("alpha"))), "float32")).toThrow(UsageError);
    expect(() => compileKernel(program(e.mul(x, y)), "float32")).toThrow("input 1 of 1");
  });

  it("imports a shared memory of any size, and nothing else", () => {
    const code = compileKernel(toProgram(x), "float32");
    const module = new WebAssembly.Module(code);
    for (const maximum of [1, 65_536]) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum, shared: true });
      expect(Object.keys(new WebAssembly.Instance(module, { env: { memory } }).exports)).toEqual(["run"]);
    }
    const notShared = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => instantiate(code, notShared)).toThrow(/shared/);
  });

  it("widens float16 exactly", () => {
    // A channel that differs from every half but one by less than float16 can tell.
    const halves = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const floats = new Float32Array(Uint32Array.from(halves, float16ToFloat32Bits).buffer);
    const program = toProgram(e.where(e.eq(x, y), 1, e.where(e.ne(x, x), 2, 3)), [
      { name: "y", values: [...floats] },
    ]);
    const got = runKernel(program, "float16", halves, { count: halves.length, stride: 1, first: 0 });
    const expected = halves.map((half) => numberToFloat16((half & 0x7fff) > 0x7c00 ? 2 : 1));
    expectSameBits(got, expected);
  });
});
