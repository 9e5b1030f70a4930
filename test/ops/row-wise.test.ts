/** @file softmax, log_softmax, l2_normalize and layer_norm: values, gradients, and what happens to unusual rows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { evaluateRows } from "../../src/ops/evaluate-rows.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { ShardSums, sumsShape } from "../../src/ops/shards.ts";
import { chainReference } from "../support/row-reference.ts";

const OPS = ["softmax", "log_softmax", "l2_normalize", "layer_norm"];
const CHAINS = [
  ...OPS,
  "mul(0.5) | softmax | log",
  "leaky_relu(0.1) | layer_norm | tanh",
  "sigmoid | l2_normalize | softmax",
  "layer_norm | square | log_softmax",
];

function forward<Array_ extends Float32Array | Float64Array>(
  chain: string,
  values: Array_,
  rowLength = values.length,
): Array_ {
  const result = values.slice() as Array_;
  const program = fuse(parseChain(chain));
  if (result instanceof Float32Array) evaluateRows(program, "float32", result, rowLength);
  else evaluateRows(program, "float64", result, rowLength);
  return result;
}

const row = (...values: number[]): Float32Array => Float32Array.from(values);

/** Units in the last place of float32 between a result and the truth. */
function ulps(got: number, truth: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(truth))));
  return Math.abs(got - truth) / 2 ** (exponent - 23);
}

describe("values", () => {
  it.each(["softmax", "log_softmax", "l2_normalize"])("%s is within 1 ulp of the truth in float32", (op) => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -90, max: 90 }), { minLength: 1, maxLength: 70 }),
        (x) => {
          const truth = chainReference(op, x.map(Math.fround));
          for (const [i, got] of forward(op, Float32Array.from(x)).entries()) {
            // 2^-126 is the least normal number: below, an ulp is as large as there.
            if (truth[i] !== 0) expect(ulps(got, truth[i]!)).toBeLessThan(1);
          }
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  it.each(CHAINS)("%s is what float64 arithmetic gives", (chain) => {
    const values = fc.array(fc.double({ noNaN: true, min: -20, max: 20 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(values, (x) => {
        const truth = chainReference(chain, x);
        for (const [i, got] of forward(chain, Float64Array.from(x)).entries()) {
          expect(Math.abs(got - truth[i]!)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(truth[i]!)));
        }
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it("log_softmax keeps what softmax loses, next to 1", () => {
    const [top] = forward("log_softmax", row(0, -40));
    expect(ulps(top!, -Math.exp(-40))).toBeLessThan(1);
    expect(forward("softmax | log", row(0, -40))[0]).toBeCloseTo(0, 12);
  });

  it("softmax of large numbers does not overflow, and of far ones becomes 0", () => {
    expect(forward("softmax", row(3e38, 3e38))).toEqual(row(0.5, 0.5));
    expect(forward("softmax", row(-3e38, 3e38))).toEqual(row(0, 1));
  });

  it("l2_normalize of large float32 does not overflow", () => {
    expect(forward("l2_normalize", row(3e38, 0, -3e38))).toEqual(row(Math.SQRT1_2, 0, -Math.SQRT1_2));
    expect(forward("l2_normalize", row(3e-30, 4e-30), 2)).toEqual(row(3e-18, 4e-18));
  });

  it("layer_norm takes the population's variance, and eps within the root", () => {
    const [a, b] = forward("layer_norm(eps=3)", Float64Array.of(-1, 1));
    expect([a, b]).toEqual([-0.5, 0.5]);
  });

  it("rows do not see each other", () => {
    const both = forward("softmax", row(1, 2, 3, NaN, 2, 3), 3);
    expect(both.subarray(0, 3)).toEqual(forward("softmax", row(1, 2, 3)));
    expect([...both.subarray(3)]).toEqual([NaN, NaN, NaN]);
  });
});

describe("unusual rows, as in PyTorch", () => {
  it("a NaN makes softmax, log_softmax, l2_normalize and layer_norm of its row NaN", () => {
    for (const op of OPS) expect([...forward(op, row(1, NaN, -2))]).toEqual([NaN, NaN, NaN]);
  });

  it("+infinity makes softmax, log_softmax and layer_norm of its row NaN", () => {
    for (const op of ["softmax", "log_softmax", "layer_norm"]) {
      expect([...forward(op, row(1, Infinity, -2))]).toEqual([NaN, NaN, NaN]);
    }
  });

  it("-infinity has probability 0, and a row of it alone is NaN", () => {
    expect(forward("softmax", row(-Infinity, 0, 0))).toEqual(row(0, 0.5, 0.5));
    expect(forward("log_softmax", row(-Infinity, 0))).toEqual(row(-Infinity, 0));
    for (const op of ["softmax", "log_softmax"]) {
      expect([...forward(op, row(-Infinity, -Infinity))]).toEqual([NaN, NaN]);
    }
  });

  it("an infinity makes l2_normalize NaN there and 0 elsewhere", () => {
    expect(forward("l2_normalize", row(1, Infinity, -2))).toEqual(row(0, NaN, -0));
  });

  it("a row of zeros stays one under l2_normalize", () => {
    expect(forward("l2_normalize", row(0, -0, 0))).toEqual(row(0, -0, 0));
  });

  it("one element is 1 for softmax, 0 for log_softmax and layer_norm, its sign for l2_normalize", () => {
    expect([...forward("softmax", row(-7, 3e38), 1)]).toEqual([1, 1]);
    expect([...forward("log_softmax", row(5), 1)].map(Math.abs)).toEqual([0]);
    expect([...forward("layer_norm", row(5, -2), 1)]).toEqual([0, 0]);
    expect([...forward("l2_normalize", row(5, -2), 1)]).toEqual([1, -1]);
  });

  it("no elements are no rows", () => {
    for (const op of OPS) expect(forward(op, row(), 5)).toEqual(row());
  });

  it("a length that is no whole number of rows is refused", () => {
    expect(() => forward("softmax", row(1, 2, 3), 2)).toThrow(/3 elements are no whole number of rows of 2/);
  });
});

describe("gradients", () => {
  function gradient(chain: string, x: Float64Array, dy: Float64Array): { dx: Float64Array; sums: number[] } {
    const program = backward(parseChain(chain));
    const sums = program.sums.length > 0 ? new ShardSums(sumsShape(program, [null])) : undefined;
    const dx = dy.slice();
    evaluateRows(program, "float64", [x.slice(), dx], x.length, undefined, sums);
    return { dx, sums: sums ? sums.values().map((values) => values[0]!) : [] };
  }

  const pair = fc
    .integer({ min: 1, max: 12 })
    .chain((length) => {
      const numbers = fc.array(fc.double({ noNaN: true, min: -3, max: 3 }), {
        minLength: length,
        maxLength: length,
      });
      return fc.tuple(numbers, numbers);
    })
    // Finite differences know nothing of kinks, ties, or rows whose numbers are nearly one.
    .filter(
      ([x]) =>
        x.every((value) => Math.abs(value) > 0.01) &&
        (x.length === 1 || Math.max(...x) - Math.min(...x) > 0.3),
    );

  it.each(CHAINS)("of %s agree with finite differences", (chain) => {
    fc.assert(
      fc.property(pair, ([values, weights]) => {
        const [x, dy] = [Float64Array.from(values), Float64Array.from(weights)];
        const loss = (at: readonly number[]): number =>
          chainReference(chain, at).reduce((total, y, i) => total + y * dy[i]!, 0);
        const { dx } = gradient(chain, x, dy);
        const h = 1e-5;
        for (const i of values.keys()) {
          const moved = (by: number): number[] => values.map((value, j) => (i === j ? value + by : value));
          const slope = (loss(moved(h)) - loss(moved(-h))) / (2 * h);
          expect(Math.abs(dx[i]! - slope)).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(slope)));
        }
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it("of parameters before and after rows agree with finite differences", () => {
    const x = Float64Array.of(-2, -1, 0.5, 3, -0.7);
    const dy = Float64Array.of(1, -2, 0.5, 4, 3);
    const loss = (alpha: number, eps: number, c: number): number => {
      const y = forward(`leaky_relu(${alpha}) | layer_norm(${eps}) | mul(${c})`, x);
      return y.reduce((total, value, i) => total + value * dy[i]!, 0);
    };
    const { sums } = gradient("leaky_relu(0.3) | layer_norm(0.2) | mul(2)", x, dy);
    const at = [0.3, 0.2, 2] as const;
    const h = 1e-6;
    for (const [i, got] of sums.entries()) {
      const moved = (by: number): number =>
        loss(...(at.map((value, j) => (i === j ? value + by : value)) as [number, number, number]));
      expect(got).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 6);
    }
    expect(sums).toHaveLength(3);
  });

  it("of softmax add up to 0 in a row, and are 0 for one element", () => {
    const { dx } = gradient("softmax", Float64Array.of(1, 2, 3), Float64Array.of(5, -1, 2));
    expect(dx[0]! + dx[1]! + dx[2]!).toBeCloseTo(0, 15);
    expect([...gradient("softmax", Float64Array.of(4), Float64Array.of(3)).dx].map(Math.abs)).toEqual([0]);
  });

  it("of l2_normalize below eps are those of a division by eps", () => {
    const { dx } = gradient("l2_normalize(eps=2)", Float64Array.of(0.5, -1, 0), Float64Array.of(1, 2, 3));
    expect([...dx]).toEqual([0.5, 1, 1.5]);
    expect([...gradient("l2_normalize", new Float64Array(2), Float64Array.of(1, 2)).dx]).toEqual([
      1e12, 2e12,
    ]);
  });

  it("of log_softmax reach tied maxima alike", () => {
    const { dx } = gradient("log_softmax", Float64Array.of(2, 2), Float64Array.of(1, 0));
    expect([...dx]).toEqual([0.5, -0.5]);
  });
});
