import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { float16ToNumber, float64ToFloat16 } from "../../src/ops/float16.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { trueValues } from "./true-values.ts";

const { NEGATIVE_INFINITY: MINUS, POSITIVE_INFINITY: PLUS, NaN: NAN } = Number;

function value(ops: string, x: number): number {
  const elements = Float32Array.of(x);
  evaluate(fuse(parseChain(ops)), "float32", elements);
  return elements[0]!;
}

/** dx for dy = 1. */
function derivative(ops: string, x: number): number {
  const dx = Float32Array.of(1);
  evaluate(backward(parseChain(ops)), "float32", [Float32Array.of(x), dx]);
  return dx[0]!;
}

/** The distance to a number of float64, in units in the last place of the float32 nearest to that. */
function ulps(actual: number, expected: number): number {
  const nearest = Math.fround(expected);
  if (Object.is(actual, nearest)) return 0;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(nearest))), -126) - 23);
  return Math.abs(actual - expected) / unit;
}

describe.each(Object.entries(trueValues))("%s", (ops, rows) => {
  // The strict bound for all inputs is that of the script which goes through them all; these are a few of each sort.
  it.each(rows)(
    "at %d in float32 is within 1 unit in the last place, and its derivative within 2",
    (x, y, slope) => {
      expect(ulps(value(ops, x), y)).toBeLessThanOrEqual(1);
      expect(ulps(derivative(ops, x), slope)).toBeLessThanOrEqual(2);
    },
  );

  it("is correctly rounded in float16", () => {
    for (const [x, y] of rows) {
      const bits = Uint16Array.of(float64ToFloat16(x));
      if (float16ToNumber(bits[0]!) !== x) continue;
      evaluate(fuse(parseChain(ops)), "float16", bits);
      expect(float16ToNumber(bits[0]!)).toBe(float16ToNumber(float64ToFloat16(y)));
    }
  });
});

describe("at the infinities there are limits, where PyTorch has NaN for some", () => {
  // [value at -infinity, at infinity, derivative at -infinity, at infinity]
  const limits: Record<string, [number, number, number, number]> = {
    sigmoid: [0, 1, 0, 0],
    log_sigmoid: [MINUS, 0, 1, 0],
    tanh: [-1, 1, 0, 0],
    tanhshrink: [MINUS, PLUS, 1, 1],
    softsign: [-1, 1, 0, 0],
    softplus: [0, PLUS, 0, 1],
    "softplus(1, inf)": [0, PLUS, 0, 1],
    silu: [-0, PLUS, 0, 1],
    swish: [-0, PLUS, 0, 1],
    "swish(-1)": [MINUS, 0, 1, 0],
    mish: [-0, PLUS, 0, 1],
    gelu: [-0, PLUS, 0, 1],
    gelu_tanh: [-0, PLUS, 0, 1],
    elu: [-1, PLUS, 0, 1],
    "elu(0.5)": [-0.5, PLUS, 0, 1],
    celu: [-1, PLUS, 0, 1],
    hard_swish: [-0, PLUS, 0, 1],
    erf: [-1, 1, 0, 0],
    exp: [0, PLUS, 0, PLUS],
    expm1: [-1, PLUS, 0, PLUS],
    sin: [NAN, NAN, NAN, NAN],
    cos: [NAN, NAN, NAN, NAN],
    log: [NAN, PLUS, -0, 0],
    log1p: [NAN, PLUS, -0, 0],
    reciprocal: [-0, 0, -0, -0],
    rsqrt: [NAN, 0, NAN, -0],
  };
  it.each(Object.entries(limits))("%s", (ops, [left, right, slopeLeft, slopeRight]) => {
    const actual = [value(ops, MINUS), value(ops, PLUS), derivative(ops, MINUS), derivative(ops, PLUS)];
    expect(actual.slice(0, 2)).toEqual([left, right]);
    // A derivative of 0 may have either sign.
    expect(actual.slice(2).map((slope) => slope + 0)).toEqual([slopeLeft + 0, slopeRight + 0]);
  });
});

const throughZero =
  "tanh tanhshrink softsign silu swish mish gelu gelu_tanh elu selu celu hard_swish expm1 log1p erf sin";

it.each(throughZero.split(" "))("%s keeps 0 and -0", (ops) => {
  expect(value(ops, 0)).toBe(0);
  expect(value(ops, -0)).toBe(-0);
});

it.each(Object.keys(trueValues))("%s keeps NaN", (ops) => expect(value(ops, NAN)).toBeNaN());

it("the largest numbers overflow nowhere but to infinities", () => {
  const largest = 2 ** 128 - 2 ** 104;
  for (const ops of Object.keys(trueValues)) {
    for (const x of [largest, -largest]) {
      if (x < 0 && /^(log|sqrt|rsqrt|pow)/.test(ops)) continue;
      expect(value(ops, x), `${ops} at ${x}`).not.toBeNaN();
      expect(derivative(ops, x), `the derivative of ${ops} at ${x}`).not.toBeNaN();
    }
  }
});

it("swish with beta 1 is silu, and celu and elu with alpha 1 are one", () => {
  for (let x = -120; x < 120; x += 0.37) {
    expect(value("swish", x)).toBe(value("silu", x));
    expect(value("celu", x)).toBe(value("elu", x));
  }
});

it("softplus is x above its threshold", () => {
  expect(value("softplus(2, 5)", 2.75)).toBe(2.75);
  expect(value("softplus(2, 6)", 2.75)).toBeGreaterThan(2.75);
  expect(derivative("softplus(2, 5)", 2.75)).toBe(1);
});

it("a parameter that would be divided by cannot be 0", () => {
  expect(() => parseChain("celu(0)")).toThrow("alpha of celu cannot be 0");
  expect(() => parseChain("softplus(beta=0)")).toThrow("beta of softplus cannot be 0");
  expect(() => parseChain("softshrink(-1)")).toThrow("lambd of softshrink cannot be below 0");
});
