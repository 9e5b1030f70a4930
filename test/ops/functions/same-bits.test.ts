import { describe, expect, it, vi } from "vitest";
import { backward } from "../../../src/ops/backward.ts";
import type { Dtype } from "../../../src/ops/dtype.ts";
import { evaluate } from "../../../src/ops/evaluate.ts";
import { add, constant, mul, pow, sigmoid, tanh, x } from "../../../src/ops/expr.ts";
import { fuse, toProgram } from "../../../src/ops/fuse.ts";
import { parseChain } from "../../../src/ops/parse.ts";
import type { Program } from "../../../src/ops/program.ts";
import { compileKernel } from "../../../src/workers/compile.ts";
import { computeInline } from "../../../src/workers/inline.ts";
import { multiplyAdd } from "../../../src/workers/multiply-add.ts";
import { compileRowKernel, scratchOf } from "../../../src/workers/rows/compile.ts";
import { firstDifference } from "../../support/expressions.ts";
import { bytesOf, instantiate } from "../../support/kernel.ts";
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

/** What the catalog makes of them, and gradients: dx alone. */
const KERNELS: Readonly<Record<string, Program>> = {
  ...PROGRAMS,
  ...Object.fromEntries(
    ["gelu", "gelu_tanh", "mish", "softplus", "elu", "selu", "log_sigmoid", "erf", "cos", "sin"].map((op) => [
      op,
      fuse(parseChain(op)),
    ]),
  ),
  // Arguments that only a chain can make: far smaller and larger than float32.
  ...Object.fromEntries(
    NAMES.flatMap((name) => [`mul(1e-290) | ${name} | mul(1e290)`, `mul(1e270) | ${name}`]).map((chain) => [
      chain,
      fuse(parseChain(chain)),
    ]),
  ),
  ...Object.fromEntries(
    ["sigmoid", "gelu", "softplus"].map((op) => {
      const program = backward(parseChain(op));
      return [`the gradient of ${op}`, { ...program, sums: [], key: `${program.key}; dx only` }];
    }),
  ),
};

const PATHS = multiplyAdd() === "relaxed" ? (["plain", "relaxed"] as const) : (["plain"] as const);
/** 4 MiB. */
const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });

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

describe.each(["float16", "float32"] as const)(
  "the multiply-adds of %s kernels, exact ones too,",
  (dtype) => {
    it.each(Object.keys(KERNELS))("have the bits of the oracle on %s", (name) => {
      const program = KERNELS[name]!;
      const inputs = Array.from({ length: program.inputs }, () => SAMPLES[dtype].slice());
      const expected = inputs.map((each) => each.slice());
      evaluate(program, dtype, expected as never);
      for (const path of PATHS) {
        const got = runInputs(compileKernel(program, dtype, path), inputs, program.target);
        expect(firstDifference(dtype, got as never, expected[program.target] as never), path).toBe(-1);
      }
    });

    it("have the same bits along a row", () => {
      const program = fuse(parseChain("softmax"));
      const row = SAMPLES[dtype].slice(0, 4096).map((_, i) => (dtype === "float16" ? i : Math.sin(i) * 30));
      const { full } = scratchOf(program, dtype, row.length);
      const [plain, fused = plain!] = PATHS.map((path) =>
        runInputs(compileRowKernel(program, dtype, path), [row], 0, full),
      );
      expect(plain).not.toEqual(row);
      expect(firstDifference(dtype, plain as never, fused as never)).toBe(-1);
    });
  },
);

describe("a kernel", () => {
  it("has no multiply-add where no function is named, and does not ask for one", () => {
    const ask = vi.spyOn(WebAssembly, "validate");
    const program = fuse(parseChain("leaky_relu | mul(2) | add(1)"));
    const code = compileKernel(program, "float32");
    expect(ask).not.toHaveBeenCalled();
    expect(code).toEqual(compileKernel(program, "float32", "plain"));
    ask.mockRestore();
  });
});

/** What a kernel leaves in the place of its target. A row kernel takes one row, and so many bytes to compute in. */
function runInputs(
  code: Uint8Array<ArrayBuffer>,
  inputs: readonly (Uint16Array | Float32Array)[],
  target: number,
  scratch?: number,
): Uint16Array | Float32Array {
  const run: (...args: number[]) => void = instantiate(code, memory);
  let free = 8 * Math.ceil((scratch ?? 0) / 8);
  const places = inputs.map((each) => {
    const place = free;
    new Uint8Array(memory.buffer, place, each.byteLength).set(bytesOf(each));
    free += 8 * Math.ceil(each.byteLength / 8);
    return place;
  });
  const { length } = inputs[0]!;
  if (scratch === undefined) run(length, ...places);
  else run(1, length, 0, ...places);
  const result = inputs[target]!.slice();
  bytesOf(result).set(new Uint8Array(memory.buffer, places[target]!, result.byteLength));
  return result;
}

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
