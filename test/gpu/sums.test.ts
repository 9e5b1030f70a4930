/**
 * Gradients of parameters on the GPU: added there in part, and as near to the CPU's as additions in float32 allow.
 * Needs a GPU.
 */
import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import type { BoundOp } from "../../src/ops/definition.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { bind } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { ShardSums, sumsShape } from "../../src/ops/shards.ts";
import { firstDifference } from "../support/expressions.ts";
import { runOnGpu } from "../support/gpu-program.ts";
import { randomFrom } from "../support/random.ts";

const random = randomFrom(7);
const numbers = (length: number, size: number): Float32Array =>
  Float32Array.from({ length }, () => size * (random() - 0.5));

interface Place {
  readonly count: number;
  readonly stride: number;
  /** Index of the first element in the period of the channels. */
  readonly first: number;
}

/** The backward program's sums, and those of the sizes of their terms, which say how far off a sum may be. */
async function compare(chain: readonly BoundOp[], length: number, place?: Place): Promise<void> {
  const program = backward(chain);
  const inputs = [numbers(length, 4), numbers(length, 2)];
  const on = place && {
    channels: { count: place.count, stride: place.stride },
    channel: Math.floor(place.first / place.stride),
    within: place.first % place.stride,
  };
  const { output, sums } = await runOnGpu(program, inputs, on);

  const expected = new ShardSums(sumsShape(program, [place ?? null]));
  const copies = inputs.map((input) => input.slice());
  evaluate(program, "float32", copies, place, expected);
  for (const [i, values] of expected.values().entries()) {
    const share = length / values.length;
    // 31 additions and a few units of each term, whose size is below 4.
    const most = 40 * 2 ** -24 * 4 * Math.max(share, 1);
    const off = values.map((value, channel) => Math.abs(value - sums[i]![channel]!));
    expect(Math.max(...off)).toBeLessThan(most);
  }
  const straight = chain.every(({ op }) => op.name === "prelu" || op.name === "mul");
  if (straight) expect(firstDifference("float32", output, copies[1]!)).toBe(-1);
}

it.each([1, 63, 64, 65, 255, 256, 257, 70_001])("of %i elements", async (length) => {
  await compare(parseChain("leaky_relu(0.2) | mul(0.7) | add(0.1)"), length);
});

it.each([
  "swish(1.5)",
  "elu(0.7) | softplus(1.3, 20)",
  "clamp(-0.5, 0.5) | celu(1.3)",
  "sigmoid | pow(1.5) | softshrink(0.1)",
])("of %s", async (text) => {
  await compare(parseChain(text), 5000);
});

describe("per channel", () => {
  // Short and long strides, more channels than elements, runs longer than all elements.
  const shapes = [
    ...[
      [3, 1],
      [5, 7],
      [768, 1],
      [4, 31],
      [4, 32],
      [3, 49],
      [2, 256],
      [3, 1000],
    ],
    ...[
      [2, 100_000],
      [5000, 1],
      [7, 1_000_003],
      [2000, 1000],
      [2, 2 ** 29],
    ],
  ] as const;

  it.each(shapes)("%i channels of stride %i, from anywhere in a channel", async (count, stride) => {
    const alpha = Array.from({ length: count }, () => random() - 0.3);
    const chain = [bind(catalog.prelu, { alpha }), ...parseChain("mul(0.5)")];
    for (const length of [1, 65, 3001]) {
      const period = count * stride;
      for (const first of [0, period - 1, Math.floor(period / 3)])
        await compare(chain, length, { count, stride, first });
    }
  });

  it("forward, two ops of a chain have slopes of their own", async () => {
    const [count, stride, length, first] = [3, 2, 1000, 5];
    const chain = [
      bind(catalog.prelu, { alpha: [0.1, 0.2, 0.3] }),
      ...parseChain("mul(-1)"),
      bind(catalog.prelu, { alpha: [2, -3, 4] }),
    ];
    const x = numbers(length, 4);
    const expected = x.slice();
    evaluate(fuse(chain), "float32", expected, { count, stride, first });
    const { output } = await runOnGpu(fuse(chain), [x], {
      channels: { count, stride },
      channel: 2,
      within: 1,
    });
    expect(firstDifference("float32", output, expected)).toBe(-1);
  });
});
