/** @file Row kernels give the bits of the oracle, for rows of any length, type and place. */
import { describe, expect, it } from "vitest";
import { backward } from "../../../src/ops/backward.ts";
import type { Dtype } from "../../../src/ops/dtype.ts";
import type { ElementArrays } from "../../../src/ops/evaluate.ts";
import { evaluateRows } from "../../../src/ops/evaluate-rows.ts";
import * as e from "../../../src/ops/expr.ts";
import { numberToFloat16 } from "../../../src/ops/float16.ts";
import { fuse, toProgram } from "../../../src/ops/fuse.ts";
import { parseChain } from "../../../src/ops/parse.ts";
import type { Program } from "../../../src/ops/program.ts";
import { rowPlan } from "../../../src/ops/row-plan.ts";
import { BLOCK, ShardSums, sumsShape } from "../../../src/ops/shards.ts";
import { compileRowKernel } from "../../../src/workers/rows/compile.ts";
import { ARRAYS } from "../../support/kernel.ts";
import { type RowRun, runRowKernel } from "../../support/rows.ts";

const DTYPES = ["float16", "float32", "float64"] as const;
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1023, 1024, 1025];
const CHAINS = [
  "softmax",
  "log_softmax",
  "l2_normalize",
  "layer_norm",
  "mul(0.5) | softmax | log",
  "leaky_relu(0.1) | layer_norm | tanh",
  "sigmoid | softmax | mul(3) | layer_norm(eps=0.1)",
  "l2_normalize | softmax",
];
const SPECIAL = [Number.NaN, Infinity, -Infinity, -0, 0, 65504, -65504, 1e-7, 1, -1];

/** A sequence that looks random and is the same each time. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 12;
  });
}

function elementsOf<D extends Dtype>(dtype: D, values: ArrayLike<number>): ElementArrays[D] {
  const array = new ARRAYS[dtype](values.length);
  for (let i = 0; i < values.length; i++) {
    array[i] = dtype === "float16" ? numberToFloat16(values[i]!) : values[i]!;
  }
  return array as ElementArrays[D];
}

/** Equal bits, apart from which NaN it is. */
function expectSame(dtype: Dtype, got: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const isNotANumber = (value: number): boolean =>
    dtype === "float16" ? (value & 0x7fff) > 0x7c00 : Number.isNaN(value);
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i]) || (isNotANumber(got[i]!) && isNotANumber(expected[i]!))) continue;
    expect({ what, i, got: got[i] }).toEqual({ what, i, got: expected[i] });
  }
}

function expectOracle(
  program: Program,
  dtype: Dtype,
  values: readonly ArrayLike<number>[],
  rowLength: number,
  options: RowRun & { readonly channels?: { count: number; stride: number; first: number } } = {},
): void {
  const arrays = values.map((each) => elementsOf(dtype, each));
  const expected = arrays.map((array) => array.slice());
  const sums =
    program.sums.length > 0 ? new ShardSums(sumsShape(program, [options.channels ?? null])) : undefined;
  evaluateRows(program, dtype, expected, rowLength, options.channels, sums);
  const { output } = runRowKernel(program, dtype, arrays, rowLength, options);
  expectSame(dtype, output, expected[program.target]!, `${program.key.slice(0, 60)} ${dtype} ${rowLength}`);
}

describe.each(CHAINS)("%s", (chain) => {
  const programs = { forward: fuse(parseChain(chain)), backward: backward(parseChain(chain)) };

  it.each(DTYPES)("gives the oracle's bits in %s, for rows of any length", (dtype) => {
    for (const program of Object.values(programs)) {
      for (const [seed, length] of LENGTHS.entries()) {
        const rows = length > 100 ? 2 : 5;
        const values = [numbers(rows * length, seed), numbers(rows * length, seed + 100)];
        expectOracle(program, dtype, values.slice(0, program.inputs), length);
      }
    }
  });

  it("gives the same bits where it stores nothing between the passes", () => {
    for (const program of Object.values(programs)) {
      for (const dtype of DTYPES) {
        const values = [numbers(3 * 37, 1), numbers(3 * 37, 2)].slice(0, program.inputs);
        expectOracle(program, dtype, values, 37, { long: true });
      }
    }
  });

  it("gives the same bits at addresses of any alignment", () => {
    for (const program of Object.values(programs)) {
      for (const dtype of DTYPES) {
        for (const shift of [1, 3, 8, 13]) {
          const values = [numbers(4 * 11, 3), numbers(4 * 11, 4)].slice(0, program.inputs);
          expectOracle(program, dtype, values, 11, { shift });
        }
      }
    }
  });

  it("gives the oracle's bits for rows with NaN, infinities and zeros", () => {
    for (const program of Object.values(programs)) {
      for (const dtype of DTYPES) {
        for (const length of [1, 3, 6, 13]) {
          for (const [i, special] of SPECIAL.entries()) {
            const x = numbers(4 * length, i);
            x[0] = special;
            x[2 * length - 1] = special;
            x.fill(special, 2 * length, 3 * length);
            const dy = numbers(4 * length, i + 50);
            dy[4 * length - 1] = special;
            expectOracle(program, dtype, [x, dy].slice(0, program.inputs), length);
          }
        }
      }
    }
  });
});

describe("sums of a row", () => {
  it("go to four lanes by the element's number, whatever the dtype", () => {
    const program = toProgram(e.rowSum(e.x));
    for (let length = 1; length < 40; length++) {
      const values = numbers(length, length).map((value) => value * 10 ** (8 * Math.sin(value)));
      const lanes = [0, 0, 0, 0];
      for (const [i, value] of values.entries()) lanes[i % 4]! += value;
      const sum = lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!);
      const { output } = runRowKernel(program, "float64", [values], length);
      expect([...output]).toEqual(new Array(length).fill(sum));
      expectOracle(program, "float64", [values], length);
    }
  });

  it("of an empty sum of zeros is +0", () => {
    const program = toProgram(e.rowSum(e.x));
    for (const length of [1, 3, 4, 9]) {
      const { output } = runRowKernel(program, "float32", [new Float32Array(length).fill(-0)], length);
      expect([...output]).toEqual(new Array(length).fill(0));
    }
  });
});

describe("the largest of a row", () => {
  it("is taken in float32 where x itself is compared, and is NaN where one is", () => {
    for (const build of [e.rowMax(e.x), e.rowMax(e.add(e.x, e.rowLength))]) {
      const program = toProgram(build);
      for (const dtype of DTYPES) {
        for (const length of [1, 2, 3, 4, 5, 16, 17, 33, 100]) {
          for (const at of [0, Math.floor(length / 2), length - 1]) {
            const values = numbers(length, length);
            expectOracle(program, dtype, [values], length);
            values[at] = Number.NaN;
            expectOracle(program, dtype, [values], length);
          }
        }
      }
    }
  });

  it("of -0 and +0 is +0", () => {
    const program = toProgram(e.rowMax(e.x));
    const { output } = runRowKernel(program, "float32", [Float32Array.of(-0, 0, -0, -0, -0)], 5);
    expect([...output]).toEqual([0, 0, 0, 0, 0]);
  });

  it("sends its gradient back, shared among equals", () => {
    const max = { op: { name: "m", params: [], expression: e.mul(e.rowMax(e.x), e.x) }, values: {} };
    const program = backward([max as never]);
    expectOracle(program, "float64", [Float64Array.of(1, 3, 3, 2), Float64Array.of(1, 2, 3, 4)], 4);
    const x = Float64Array.of(1, 3, 3, 2);
    const { output } = runRowKernel(program, "float64", [x, Float64Array.of(1, 2, 3, 4)], 4);
    // sum of dy * x = 1 + 6 + 9 + 8 = 24, half of it for each 3.
    expect([...output]).toEqual([3, 6 + 12, 9 + 12, 12]);
  });
});

describe("channel parameters", () => {
  it("are read from one table a row", () => {
    const values = [0.1, -2, 3, 0.7, 11];
    const program = fuse(parseChain(`prelu(alpha=[${values}]) | softmax`));
    for (const dtype of DTYPES) {
      const table = dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values);
      expectOracle(program, dtype, [numbers(15, 1)], 5, {
        tables: [table],
        channels: { count: 5, stride: 1, first: 0 },
      });
    }
  });
});

describe("terms of parameters' gradients", () => {
  it("are the oracle's, block by block", () => {
    const program = backward(parseChain("leaky_relu(0.3) | layer_norm | mul(2)"));
    for (const dtype of DTYPES) {
      for (const long of [false, true]) {
        for (const length of [1, 5, 1023, 1024, 1025, 2500]) {
          const arrays = [numbers(2 * length, 1), numbers(2 * length, 2)].map((each) =>
            elementsOf(dtype, each),
          );
          const { output, terms } = runRowKernel(program, dtype, arrays, length, { long });
          const sums = new ShardSums(sumsShape(program, [null]));
          const blocks: Float64Array[] = [];
          const spy = Object.assign(Object.create(sums) as ShardSums, {
            addBlock: (count: number) => blocks.push(sums.terms.slice()) && void count,
            endShard: () => {},
          });
          Object.defineProperty(spy, "terms", { get: () => sums.terms });
          const expected = arrays.map((array) => array.slice());
          evaluateRows(program, dtype, expected, length, undefined, spy);
          expectSame(dtype, output, expected[1]!, "dx");
          const perRow = Math.ceil(length / BLOCK);
          for (const [b, block] of blocks.entries()) {
            const first = Math.floor(b / perRow) * length + (b % perRow) * BLOCK;
            const count = Math.min(BLOCK, length - (b % perRow) * BLOCK);
            for (const [sum, all] of terms.entries()) {
              expectSame(
                "float64",
                all.subarray(first, first + count),
                block.subarray(sum * BLOCK, sum * BLOCK + count),
                "terms",
              );
            }
          }
        }
      }
    }
  });
});

describe("the plan", () => {
  it("stores the exponentials of softmax, and divides once a row", () => {
    const { passes } = rowPlan(fuse(parseChain("softmax")), "float32");
    expect(passes.map(({ reduces, stores }) => [reduces.length, stores.length])).toEqual([
      [1, 0],
      [1, 1],
      [0, 0],
    ]);
    expect(passes[2]!.before).toHaveLength(1);
    expect(passes[2]!.output).toMatchObject({ kind: "binary", fn: "mul" });
  });

  it("divides by the row's sum itself in float64", () => {
    const { passes } = rowPlan(fuse(parseChain("softmax")), "float64");
    expect(passes[2]!.output).toMatchObject({ kind: "binary", fn: "div" });
  });

  it("stores nothing that is quickly computed again", () => {
    const { passes } = rowPlan(fuse(parseChain("layer_norm")), "float32");
    expect(passes.flatMap(({ stores }) => stores)).toEqual([]);
  });
});

it("refuses more channel parameters than a function can have", () => {
  const chain = new Array(300).fill("prelu(alpha=[1, 2])").join(" | ");
  expect(() => compileRowKernel(fuse(parseChain(`${chain} | softmax`)), "float32")).toThrow(
    /300 per-channel parameters/,
  );
});
