import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { defineOp, leakyRelu, mul, prelu, relu } from "../../src/index.ts";
import { float16ToNumber, numberToFloat16 } from "../../src/ops/float16.ts";
import { expectSameBits } from "../support/bits.ts";

/** Lengths on both sides of every border: the oracle's, one block's, one piece's, several pieces'. */
const LENGTHS = [0, 1, 511, 512, 1025, 65_536, 65_537, 300_003];

function waves(length: number, phase: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + phase) * 3);
}

describe("leakyRelu.backward", () => {
  it.each(LENGTHS)("gives dy or alpha * dy, and the sum of x * dy below zero, for %i elements", (length) => {
    const [x, dy] = [waves(length, 0), waves(length, 1)];
    const { dx, gradients } = leakyRelu.backward(x, dy, { alpha: 0.2 });
    const alpha = Math.fround(0.2);
    expectSameBits(
      dx,
      Float32Array.from(x, (each, i) => (each > 0 ? dy[i]! : alpha * dy[i]!)),
    );
    const below = x.reduce((total, each, i) => total + (each > 0 ? 0 : each * dy[i]!), 0);
    expect(gradients.alpha).toBeCloseTo(below, 7);
    expectSameBits(dy, waves(length, 1));
  });

  it("takes the default parameters", () => {
    expect(leakyRelu.backward(Float64Array.of(-3), Float64Array.of(2))).toEqual({
      dx: Float64Array.of(0.02),
      gradients: { alpha: -6 },
    });
  });

  it("takes one array for both", () => {
    const both = Float64Array.of(-3, 4);
    expect(leakyRelu.backward(both, both, { alpha: 0.5 })).toEqual({
      dx: Float64Array.of(-1.5, 4),
      gradients: { alpha: 9 },
    });
    expect([...both]).toEqual([-3, 4]);
  });

  it("takes float16 as bits", () => {
    const [x, dy] = [
      Uint16Array.of(-2, 3).map((_, i) => numberToFloat16(i ? 3 : -2)),
      new Uint16Array(2).fill(0x3c00),
    ];
    const { dx, gradients } = leakyRelu.backward(x, dy, { alpha: 0.25 });
    expect(Array.from(dx, float16ToNumber)).toEqual([0.25, 1]);
    expect(gradients).toEqual({ alpha: -2 });
  });
});

it("prelu.backward sums by channel", () => {
  const x = Float32Array.of(-1, -2, 3, -4, -5, -6);
  const dy = Float32Array.of(1, 1, 1, 2, 0.5, 1);
  const { dx, gradients } = prelu.backward(x, dy, { alpha: [0.5, 2, 1] });
  expect([...dx]).toEqual([0.5, 2, 1, 1, 1, 1]);
  expect(gradients.alpha).toEqual(Float64Array.of(-1 - 8, -2 - 2.5, -6));
  // @ts-expect-error the axis has no gradient
  expect(gradients.axis).toBeUndefined();
});

it("an op without parameters has no gradients but dx", () => {
  expect(relu.backward(Float64Array.of(-1, 1), Float64Array.of(5, 6))).toEqual({
    dx: Float64Array.of(0, 6),
    gradients: {},
  });
});

it("an op of one's own has its gradient", () => {
  const scaledSquare = defineOp("eager_scaled_square", { scale: 3 }, (x, { scale }) => mul(scale, mul(x, x)));
  expect(scaledSquare.backward(Float64Array.of(2, -1), Float64Array.of(1, 10))).toEqual({
    dx: Float64Array.of(12, -60),
    gradients: { scale: 4 + 10 },
  });
});

describe("is refused, with what is wrong:", () => {
  it.each([
    ["lengths that differ", new Float32Array(2), new Float32Array(3), /8 bytes.*12 bytes/],
    ["types that differ", new Float32Array(2), new Float64Array(2), /Float32Array.*Float64Array/],
    ["an array of integers", new Int32Array(2), new Int32Array(2), /Int32Array.*no array of floats/],
  ])("%s", (_, x, dy, message) => {
    const call = () => leakyRelu.backward(x as Float32Array, dy as Float32Array);
    expect(call).toThrow(UsageError);
    expect(call).toThrow(message);
  });

  it("a parameter that is not there", () => {
    const params = { beta: 1 } as Record<string, number>;
    expect(() => leakyRelu.backward(new Float32Array(1), new Float32Array(1), params)).toThrow(UsageError);
  });

  it("channels that do not divide the length", () => {
    const call = () => prelu.backward(new Float32Array(4), new Float32Array(4), { alpha: [1, 2, 3] });
    expect(call).toThrow(UsageError);
  });
});
