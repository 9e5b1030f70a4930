import { describe, expect, it } from "vitest";
import { subjectsOf } from "../../../src/cli/plot/function.ts";
import { rangeOf } from "../../../src/cli/plot/range.ts";

const x = { from: -4, to: 4 };
const rangeFor = (...texts: string[]) =>
  rangeOf(
    texts.flatMap((text) => subjectsOf(text, false)).map(({ value }) => value),
    x,
  );

describe("the range of y", () => {
  it("holds all of a curve, and a margin", () => {
    const { from, to } = rangeFor("leaky_relu(0.2)");
    expect(from).toBeCloseTo(-0.8 - 0.06 * 4.8);
    expect(to).toBeCloseTo(4 + 0.06 * 4.8);
    // Growth is no pole.
    expect(rangeFor("square | square").to).toBeGreaterThan(256);
  });

  it("holds narrow peaks", () => {
    expect(rangeFor("mul(100) | square | add(1) | reciprocal").to).toBeGreaterThan(1);
  });

  it.each(["reciprocal", "square | reciprocal", "add(0.1234) | reciprocal"])(
    "is not ruined by the pole of %s",
    (text) => {
      const { from, to } = rangeFor(text);
      expect(Math.max(-from, to)).toBeGreaterThan(1);
      expect(Math.max(-from, to)).toBeLessThan(20);
    },
  );

  it("is of some height for a constant, and where there is nothing", () => {
    for (const text of ["mul(0)", "mul(0) | add(1e6)", "sub(100) | sqrt"]) {
      const { from, to } = rangeFor(text);
      expect(to - from).toBeGreaterThan(0.1);
    }
  });

  it("ends where it is told to", () => {
    const functions = subjectsOf("relu", false).map(({ value }) => value);
    expect(rangeOf(functions, x, { from: -1, to: 2 })).toEqual({ from: -1, to: 2 });
    expect(rangeOf(functions, x, { to: 2 }).to).toBe(2);
  });

  it("is of some height where the one end that is given leaves the curve outside", () => {
    const functions = subjectsOf("relu", false).map(({ value }) => value);
    expect(rangeOf(functions, x, { from: 100 })).toEqual({ from: 100, to: 200 });
    expect(rangeOf(functions, x, { to: -0.5 })).toEqual({ from: -1.5, to: -0.5 });
  });

  it.each([5e307, -5e307, Number.MAX_VALUE, -Number.MAX_VALUE])(
    "is finite, and of some height, for %d",
    (y) => {
      const { from, to } = rangeOf(
        subjectsOf(`mul(0) | add(${y})`, false).map(({ value }) => value),
        x,
      );
      expect(to - from).toBeGreaterThan(1e306);
      expect(to - from).toBeLessThan(Number.POSITIVE_INFINITY);
    },
  );
});
