import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as e from "../../src/ops/expr.ts";
import { toProgram } from "../../src/ops/fuse.ts";
import { expectSameBits } from "../support/bits.ts";
import { runKernel } from "../support/kernel.ts";

const { x } = e;
const ALL = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
const isNaNPattern = (half: number): boolean => (half & 0x7fff) > 0x7c00;

/** The definition of IEEE 754 binary16 (section 3.4): a fraction times a power of two. */
function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** 0 to the largest number, and 2^16, which rounding (IEEE 754, section 4.3.1) treats as if it were the next. */
const LADDER = Array.from({ length: 0x7c01 }, (_, half) => (half === 0x7c00 ? 65536 : numberOf(half)));

/** The nearest float16 to a number that is not NaN, found by halving. */
function nearest(value: number): number {
  const size = Math.abs(value);
  let [low, high] = [0, 0x7c00];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (LADDER[middle]! <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - LADDER[low]!, LADDER[high]! - size];
  const half = below < above || (below === above && low % 2 === 0) ? low : high;
  return half | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

/** What narrowing makes of float32 numbers: a kernel whose output is its channel. */
function narrow(floats: Float32Array): Uint16Array {
  // As bits, or the way through a list of numbers would make signalling NaNs quiet.
  const program = toProgram(e.input(1), [{ name: "y", values: Array.from(floats, () => 0) }]);
  return runKernel(program, "float16", new Uint16Array(floats.length), floats);
}

function expectNarrowed(floats: Float32Array): void {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const expected = Uint16Array.from(floats, (value, i) =>
    // F16C (Intel SDM volume 2, VCVTPS2PH): sign and upper payload bits stay, the NaN becomes quiet.
    Number.isNaN(value)
      ? ((bits[i]! >>> 16) & 0x8000) | 0x7e00 | ((bits[i]! >>> 13) & 0x3ff)
      : nearest(value),
  );
  expectSameBits(narrow(floats), expected);
}

describe("float16 kernels", () => {
  it("copy all 65,536 bit patterns, and only make NaNs quiet", () => {
    const expected = ALL.map((half) => (isNaNPattern(half) ? half | 0x200 : half));
    expectSameBits(runKernel(toProgram(x), "float16", ALL), expected);
    expectSameBits(runKernel(toProgram(e.neg(e.neg(x))), "float16", ALL), expected);
    expectSameBits(runKernel(toProgram(e.where(e.lt(x, 3), x, x)), "float16", ALL), expected);
  });

  it.each([0.01, 0.2, 1, 1.5, -0.3, 0, 1e5, 2 ** -20])("compute leaky_relu(%f) of all 65,536", (slope) => {
    const program = toProgram(e.where(e.gt(x, 0), x, e.mul(slope, x)));
    const alpha = Math.fround(slope);
    const expected = ALL.map((half) => {
      const value = numberOf(half);
      const result = value > 0 ? value : Math.fround(alpha * value);
      if (isNaNPattern(half)) return half | 0x200;
      return Number.isNaN(result) ? 0x7e00 : nearest(result);
    });
    const got = runKernel(program, "float16", ALL);
    // Zero times infinity is a NaN of the processor's choice.
    expectSameBits(
      got.map((half) => (slope === 0 && isNaNPattern(half) ? 0 : half)),
      expected.map((half) => (slope === 0 && isNaNPattern(half) ? 0 : half)),
    );
  });

  it("round once: the sum in float32 decides, not two roundings", () => {
    for (const [a, b] of [
      [1 / 3, 1],
      [2049, 0.5],
      [1e-8, 1e-8],
      [65519, 0.9],
    ] as const) {
      const expected = ALL.map((half) =>
        nearest(Math.fround(Math.fround(numberOf(half) * Math.fround(a)) + Math.fround(b))),
      );
      const got = runKernel(toProgram(e.add(e.mul(x, a), b)), "float16", ALL);
      expectSameBits(
        got.map((half, i) => (isNaNPattern(i) ? 0 : half)),
        expected.map((half, i) => (isNaNPattern(i) ? 0 : half)),
      );
    }
  });

  it("round to nearest even at every boundary between two neighbours, and one float32 to either side", () => {
    const boundaries = LADDER.slice(1).map((value, i) => (value + LADDER[i]!) / 2);
    const bits = new Uint32Array(Float32Array.from(boundaries).buffer);
    for (const step of [-1, 0, 1]) {
      for (const sign of [0, 0x80000000]) {
        expectNarrowed(new Float32Array(bits.map((pattern) => (pattern + step) | sign).buffer));
      }
    }
  });

  it("round any float32, and keep the upper payload of any NaN", () => {
    const patterns = fc.oneof(
      fc.integer(),
      fc.integer({ min: 0x7f800000, max: 0x7fffffff }),
      fc.integer({ min: 0x33000000, max: 0x38800010 }),
    );
    fc.assert(
      fc.property(fc.array(patterns, { maxLength: 200 }), (bits) => {
        expectNarrowed(new Float32Array(Int32Array.from(bits).buffer));
      }),
    );
    const nans = [
      0x7f800001, 0x7f801fff, 0x7f802000, 0x7fbfffff, 0x7fc00000, 0x7fffffff, 0x7f800000, 0x7f7fffff,
    ];
    expectNarrowed(
      new Float32Array(Int32Array.from(nans.flatMap((bits) => [bits, bits | 0x80000000])).buffer),
    );
  });

  it("find every number equal to itself widened by the definition, and to no other", () => {
    const floats = Float32Array.from(ALL, numberOf);
    const equal = toProgram(e.where(e.eq(x, e.input(1)), 1, 2), [{ name: "y", values: [...floats] }]);
    const got = runKernel(equal, "float16", ALL, floats);
    expectSameBits(
      got,
      ALL.map((half) => (isNaNPattern(half) ? 0x4000 : 0x3c00)),
    );
  });

  it("agree with the definition of binary16 on well-known values", () => {
    expect([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555].map(numberOf)).toEqual([
      1,
      -2,
      65504,
      2 ** -14,
      2 ** -24,
      0.333251953125,
    ]);
  });
});
