/**
 * Ops along rows on the GPU: as near to float64 as a few roundings of float32 allow, for rows of any length.
 * Needs a GPU.
 */
import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { evaluateRows } from "../../src/ops/evaluate-rows.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { bind } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { ShardSums, sumsShape } from "../../src/ops/shards.ts";
import { runOnGpu } from "../support/gpu-program.ts";
import { randomFrom } from "../support/random.ts";

const random = randomFrom(19);
const numbers = (length: number, size: number): Float32Array =>
  Float32Array.from({ length }, () => size * (random() - 0.5));

interface Place {
  readonly count: number;
  readonly stride: number;
  readonly first: number;
}

/** In float64. */
function exactly(program: Program, inputs: readonly Float32Array[], rowLength: number, place?: Place) {
  const sums = new ShardSums(sumsShape(program, [place ?? null]));
  const wide = inputs.map((input) => Float64Array.from(input));
  evaluateRows(program, "float64", wide.length === 1 ? wide[0]! : wide, rowLength, place, sums);
  return { output: wide[program.target]!, sums: sums.values() };
}

/** The largest error of a row, as a share of its largest element. */
function worstShare(got: Float32Array, exact: Float64Array, rowLength: number): number {
  let worst = 0;
  for (let start = 0; start < exact.length; start += rowLength) {
    const row = exact.subarray(start, start + rowLength);
    const size = row.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -100);
    const error = row.reduce((most, value, i) => Math.max(most, Math.abs(value - got[start + i]!)), 0);
    worst = Math.max(worst, error / size);
  }
  return worst;
}

const OPS = ["softmax", "log_softmax", "l2_normalize", "layer_norm"];
/** Where parts of rows get longer, and about there. */
const LENGTHS = [2, 3, 32, 33, 768, 1024, 1025, 70_000];

describe.each(OPS)("%s", (text) => {
  const chain = parseChain(text);

  it.each(LENGTHS)("over rows of %i, and its gradient", async (rowLength) => {
    const rows = rowLength > 2000 ? 2 : rowLength > 500 ? 5 : 33;
    // Quarters: of two neighbours layer_norm takes the mean, and what is left of them must not be a rounding.
    const x = numbers(rows * rowLength, 8).map((value) => Math.round(4 * value) / 4);
    const dy = numbers(rows * rowLength, 2);
    const forward = await runOnGpu(fuse(chain), [x], { rowLength });
    expect(worstShare(forward.output, exactly(fuse(chain), [x], rowLength).output, rowLength)).toBeLessThan(
      2 ** -19,
    );
    const program = backward(chain);
    const { output, sums } = await runOnGpu(program, [x, dy], { rowLength });
    const exact = exactly(program, [x, dy], rowLength);
    // Of two numbers that are nearly equal, layer_norm's gradient is what roundings leave.
    if (rowLength > 3) expect(worstShare(output, exact.output, rowLength)).toBeLessThan(2 ** -19);
    for (const [i, [sum]] of exact.sums.entries()) expect(Math.abs(sums[i]![0]! - sum!)).toBeLessThan(1e-3);
  });

  it("over rows of one", async () => {
    const x = Float32Array.of(3, -2, 0, 1e-20);
    const { output } = await runOnGpu(fuse(chain), [x], { rowLength: 1 });
    const exact = exactly(fuse(chain), [x], 1).output;
    for (const [i, value] of output.entries()) expect(value).toBeCloseTo(exact[i]!, 6);
  });

  it("has NaN where the CPU has it", async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const x = Float32Array.of(
      1,
      nan,
      2,
      1,
      infinity,
      2,
      1,
      -infinity,
      2,
      -infinity,
      -infinity,
      -infinity,
      1,
      2,
      3,
    );
    const { output } = await runOnGpu(fuse(chain), [x], { rowLength: 3 });
    const exact = exactly(fuse(chain), [x], 3).output;
    expect([...output].map(Number.isNaN)).toEqual([...exact].map(Number.isNaN));
  });
});

it.each(["gelu | softmax", "layer_norm | tanh | softmax", "leaky_relu(0.1) | layer_norm(0.1) | log_softmax"])(
  "the chain %s, and its gradient",
  async (text) => {
    const chain = parseChain(text);
    const rowLength = 50;
    const inputs = [numbers(20 * rowLength, 6), numbers(20 * rowLength, 2)];
    for (const program of [fuse(chain), backward(chain)]) {
      const given = inputs.slice(0, program.inputs);
      const { output, sums } = await runOnGpu(program, given, { rowLength });
      const exact = exactly(program, given, rowLength);
      expect(worstShare(output, exact.output, rowLength)).toBeLessThan(2 ** -18);
      for (const [i, [sum]] of exact.sums.entries()) expect(Math.abs(sums[i]![0]! - sum!)).toBeLessThan(1e-3);
    }
  },
);

it("slopes per channel before a softmax, and their gradients", async () => {
  const alpha = [0.1, -0.4, 0.7, 2];
  const chain = [bind(catalog.prelu, { alpha }), ...parseChain("softmax")];
  const place = { count: 4, stride: 1, first: 0 };
  const inputs = [numbers(400, 4), numbers(400, 2)];
  const program = backward(chain);
  const { output, sums } = await runOnGpu(program, inputs, { rowLength: 4, channels: place });
  const exact = exactly(program, inputs, 4, place);
  expect(worstShare(output, exact.output, 4)).toBeLessThan(2 ** -17);
  for (const [channel, sum] of exact.sums[0]!.entries()) expect(sums[0]![channel]).toBeCloseTo(sum, 4);
});
