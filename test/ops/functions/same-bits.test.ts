import { describe, expect, it } from "vitest";
import type { Dtype } from "../../../src/ops/dtype.ts";
import { add, constant, mul, pow, sigmoid, tanh, x } from "../../../src/ops/expr.ts";
import { toProgram } from "../../../src/ops/fuse.ts";
import type { Program } from "../../../src/ops/program.ts";
import { computeInline } from "../../../src/workers/inline.ts";
import { float32Sample, float64Sample, NAMES, programOf, results } from "./measure.ts";

const PROGRAMS: Readonly<Record<string, Program>> = {
  ...Object.fromEntries(NAMES.map((name) => [name, programOf(name)])),
  "pow(x, 3)": toProgram(pow(x, 3)),
  "pow(x, -0.5)": toProgram(pow(x, -0.5)),
  "pow(x, 0.3)": toProgram(pow(x, constant(0.3))),
  "pow(x, -7)": toProgram(pow(x, -7)),
  "pow(0.9, x)": toProgram(pow(0.9, x)),
  "pow(x, x)": toProgram(pow(x, x)),
  "x * sigmoid(x) + tanh(x)": toProgram(add(mul(x, sigmoid(x)), tanh(x))),
};

const SAMPLES = {
  float16: Uint16Array.from({ length: 65536 }, (_, i) => i),
  float32: Float32Array.from([...float32Sample(), Infinity, -Infinity, Number.NaN]),
  float64: float64Sample(),
};

describe.each(["float16", "float32", "float64"] as const)("JavaScript and SIMD agree in %s", (dtype) => {
  it.each(Object.keys(PROGRAMS))("on %s", (name) => {
    compare(PROGRAMS[name]!, dtype);
  });
});

/** Bit for bit, but for the sign and payload of NaNs, which the processor chooses. */
function compare<D extends Dtype>(program: Program, dtype: D): void {
  const elements: (typeof SAMPLES)[D] = SAMPLES[dtype];
  const expected = results(program, dtype, elements);
  const got = elements.slice() as typeof elements;
  computeInline(program, dtype, [elements], got, null);
  for (let i = 0; i < elements.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (Object.is(a, b) || (dtype === "float16" && isNaN16(a) && isNaN16(b))) continue;
    expect(a, `of ${elements[i]}`).toBe(b);
  }
}

const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;
