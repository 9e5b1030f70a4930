import { describe, expect, it } from "vitest";
import * as e from "../../../src/ops/expr.ts";
import { toProgram } from "../../../src/ops/fuse.ts";
import { computeInline } from "../../../src/workers/inline.ts";
import { at, float32Sample, float64Sample, results, table, unit32, unit64 } from "./measure.ts";

const FUNCTIONS = {
  erf: e.erf,
  normal_cdf: e.normalCdf,
  gaussian: e.gaussian,
  sin: e.sin,
  cos: e.cos,
} as const;
type Name = keyof typeof FUNCTIONS;
const NAMES = Object.keys(FUNCTIONS) as Name[];
const programOf = (name: Name) => toProgram(FUNCTIONS[name](e.x));

/** The largest errors in units of the last place, little above what is found. */
const BOUND64: Readonly<Record<Name, number>> = {
  erf: 0.95,
  normal_cdf: 1.9,
  gaussian: 0.85,
  sin: 0.85,
  cos: 0.85,
};
const BOUND32: Readonly<Record<string, number>> = {
  erf: 0.51,
  normal_cdf: 0.59,
  gaussian: 0.51,
  sin: 0.51,
  cos: 0.51,
};

describe.each(NAMES)("%s", (name) => {
  const rows = table(name);
  const xs = Float64Array.from(rows, ([x]) => x!);

  it("is as exact in float64 as promised, at the hardest points", () => {
    const got = results(programOf(name), "float64", xs);
    expect(rows.length).toBeGreaterThan(150);
    for (const [i, [x, y, rest]] of rows.entries()) {
      const error = Math.abs((got[i]! - y!) / unit64(y!) - rest!);
      expect(error, `${name}(${x}) is ${y}, not ${got[i]}`).toBeLessThan(BOUND64[name]);
    }
  });

  it("rounds to little more than half a unit in float32, at the hardest points", () => {
    const singles = rows.filter(([x]) => Math.fround(x!) === x);
    expect(singles.length).toBeGreaterThan(50);
    const got = results(
      programOf(name),
      "float32",
      Float32Array.from(singles, ([x]) => x!),
    );
    for (const [i, [x, y]] of singles.entries()) {
      expect(Math.abs(got[i]! - y!) / unit32(y!), `${name}(${x}) is ${y}, not ${got[i]}`).toBeLessThan(
        BOUND32[name]!,
      );
    }
  });

  it("rounds to little more than half a unit in float32, at every exponent", () => {
    const x = float32Sample();
    const y = results(programOf(name), "float32", x);
    // The table above says that it can be relied on.
    const exact = results(programOf(name), "float64", Float64Array.from(x));
    const worst = y.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - exact[i]!) / unit32(exact[i]!)),
      0,
    );
    expect(worst).toBeLessThan(BOUND32[name]!);
  });

  it.each(["float32", "float64"] as const)("keeps NaN in %s", (dtype) => {
    expect(at(programOf(name), dtype, Number.NaN)).toBeNaN();
  });

  it.each(["float16", "float32", "float64"] as const)(
    "has the same bits in JavaScript and SIMD, in %s",
    (dtype) => {
      const samples = {
        float16: Uint16Array.from({ length: 65536 }, (_, i) => i),
        float32: Float32Array.from([...float32Sample(), ...xs, 0, -0, Infinity, -Infinity, Number.NaN]),
        float64: Float64Array.from([...float64Sample(), ...xs]),
      };
      const elements = samples[dtype];
      const expected = results(programOf(name), dtype, elements);
      const got = elements.slice() as typeof elements;
      computeInline(programOf(name), dtype, [elements], got, null);
      // Object.is holds for two NaNs.
      const differ = Array.from(elements.keys()).filter((i) => !same(dtype, got[i]!, expected[i]!));
      expect(differ.map((i) => elements[i])).toEqual([]);
    },
  );
});

/** Bit for bit, but for the sign and payload of NaNs, which the processor chooses. */
function same(dtype: string, a: number, b: number): boolean {
  const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;
  return Object.is(a, b) || (dtype === "float16" && isNaN16(a) && isNaN16(b));
}

describe.each(["float32", "float64"] as const)("in %s", (dtype) => {
  const value = (name: Name, of: number): number => at(programOf(name), dtype, of);

  it("erf and sin keep the sign of zero", () => {
    for (const zero of [0, -0]) {
      expect(value("erf", zero)).toBe(zero);
      expect(value("sin", zero)).toBe(zero);
    }
  });

  it("sin keeps the smallest numbers", () => {
    const tiny = dtype === "float32" ? 2 ** -149 : 2 ** -1074;
    for (const same of [tiny, -tiny, 3 * tiny]) expect(value("sin", same)).toBe(same);
  });

  it("knows the values at zero", () => {
    for (const zero of [0, -0]) {
      expect(value("normal_cdf", zero)).toBe(0.5);
      expect(value("gaussian", zero)).toBe(1);
      expect(value("cos", zero)).toBe(1);
    }
  });

  it("goes to the limits at the infinities and at the largest numbers", () => {
    const large = dtype === "float32" ? 2 ** 127 : Number.MAX_VALUE;
    for (const most of [large, Infinity]) {
      expect([value("erf", most), value("erf", -most)]).toEqual([1, -1]);
      expect([value("normal_cdf", most), value("normal_cdf", -most)]).toEqual([1, 0]);
      expect([value("gaussian", most), value("gaussian", -most)]).toEqual([0, 0]);
    }
  });

  it("has no sine of infinity", () => {
    for (const infinity of [Infinity, -Infinity]) {
      expect(value("sin", infinity)).toBeNaN();
      expect(value("cos", infinity)).toBeNaN();
    }
  });

  it("x * normal_cdf(x) is 0 where x is far below 0, and x where it is far above", () => {
    const gelu = toProgram(e.mul(e.x, e.normalCdf(e.x)));
    for (const size of [40, 1e10, 3e38]) {
      expect(at(gelu, dtype, -Math.fround(size))).toBe(-0);
      expect(at(gelu, dtype, Math.fround(size))).toBe(Math.fround(size));
    }
  });
});

it("sine and cosine stay within their range in float32, whatever the chain before makes of x", () => {
  const x = Float32Array.from({ length: 2000 }, (_, i) => i - 1000);
  for (const wave of [e.sin, e.cos]) {
    const y = results(toProgram(wave(e.exp(e.mul(e.x, 0.7)))), "float32", x);
    expect(y.every((value) => Math.abs(value) <= 1)).toBe(true);
  }
});
