/** @file The gradients of the engine agree with finite differences of the same network in float64: each layer, op and loss. */
import { describe, expect, it } from "vitest";
import { bind } from "../../src/ops/bind.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import type { OpDefinition } from "../../src/ops/definition.ts";
import * as layers from "../../src/train/layers.ts";
import { activation, dense, type LayerSpec } from "../../src/train/layers.ts";
import type { Loss } from "../../src/train/losses.ts";
import { sizeOf } from "../../src/train/network.ts";
import { bitsAt, keyOf } from "../../src/train/random.ts";
import { fill, type MadeRows, makeEngine, randomRows } from "../support/engines.ts";
import { type Doubles, lossOf, type Mode, outputs } from "../support/network-reference.ts";
import { randomFrom } from "../support/random.ts";

/** Of the norm of a tensor's gradient. */
const TOLERANCE = 1e-5;
const STEP = 1e-6;
const MOST_DIRECTIONS = 6;

interface Case {
  readonly specs: readonly LayerSpec[];
  readonly input: readonly number[];
  readonly rows?: number;
  readonly loss?: Loss;
  readonly classes?: number;
  readonly weighted?: boolean;
  readonly mode?: Partial<Mode>;
}

/** Trains one step, and compares the loss and the gradient of every tensor. */
async function compare({ specs, input, rows = 29, loss = { kind: "mse" }, ...rest }: Case): Promise<void> {
  const { classes, weighted = false, mode } = rest;
  const made = await makeEngine(specs, input, { batch: rows, loss, ...(classes && { targetSize: 1 }) });
  const { engine, network, tensors } = made;
  const data = randomRows(network, rows, { ...(classes && { classes }), weighted });
  fill(engine, 0, data);
  const [result] = await engine.train([{ slot: 0, input: { step: 0, rows, scalars: [0, 1] } }]);
  const gradients = engine.state();
  await engine.close();
  const reference = referenceOf(data, tensors);
  const lossAt = (): number =>
    lossOf(
      loss,
      outputs(network, reference.tensors, reference.features, { training: true, ...mode }),
      reference,
    );
  expect(Math.abs(result!.loss - lossAt())).toBeLessThan(1e-5 * (1 + Math.abs(lossAt())));
  let squares = 0;
  for (const [name, values] of reference.tensors) {
    const gradient = gradients.get(`${name}.momentum`);
    if (!gradient) continue;
    const norm = Math.hypot(...gradient);
    squares += norm ** 2;
    const middle = values.slice();
    for (const direction of directions(values.length)) {
      const [above, below] = [STEP, -STEP].map((step) => {
        values.set(middle.map((value, i) => value + step * direction[i]!));
        return lossAt();
      }) as [number, number];
      values.set(middle);
      const slope = gradient.reduce((sum, each, i) => sum + each * direction[i]!, 0);
      const error = Math.abs((above - below) / (2 * STEP) - slope);
      // Differences of a loss around 1 are off by about 1e-10, whatever the gradient.
      expect(error, `a slope of ${name}, whose gradient has the norm ${norm}`).toBeLessThan(
        TOLERANCE * norm + 1e-9,
      );
    }
  }
  expect(Math.abs(result!.gradientNorm / Math.sqrt(squares) - 1)).toBeLessThan(TOLERANCE);
}

/** Each axis of few dimensions, random directions of many: an error of the gradient is seen in some of them. */
function directions(size: number): Float64Array[] {
  if (size <= MOST_DIRECTIONS) {
    return Array.from({ length: size }, (_, axis) => {
      return Float64Array.from({ length: size }, (_, i) => Number(i === axis));
    });
  }
  const random = randomFrom(size);
  return Array.from({ length: MOST_DIRECTIONS }, () => {
    const direction = Float64Array.from({ length: size }, () => 2 * random() - 1);
    const length = Math.hypot(...direction);
    return direction.map((each) => each / length);
  });
}

function referenceOf({ features, targets, weights }: MadeRows, tensors: ReadonlyMap<string, Float32Array>) {
  const doubles: Doubles = new Map([...tensors].map(([name, values]) => [name, Float64Array.from(values)]));
  return {
    features: Float64Array.from(features),
    targets: Float64Array.from(targets),
    weights: Float64Array.from(weights),
    tensors: doubles,
  };
}

const tanh = activation(catalog.tanh);
/** A bias before batch_norm has no gradient. */
const noBias = { bias: false };

describe("layers", () => {
  it.each<[string, Case]>([
    ["dense, with and without bias", { specs: [dense(6), tanh, dense(4, noBias)], input: [5] }],
    ["dense flattens rows", { specs: [dense(3)], input: [2, 3] }],
    ["prelu, one slope", { specs: [dense(7), layers.prelu(), dense(3)], input: [5] }],
    [
      "prelu, a slope for each unit",
      { specs: [dense(7), layers.prelu({ each: true }), dense(3)], input: [5] },
    ],
    [
      "prelu, a slope for each channel of images",
      { specs: [layers.conv2d(3, 3), layers.prelu({ each: true }), dense(2)], input: [1, 7, 8], rows: 14 },
    ],
    [
      "a learned slope of leaky_relu",
      {
        specs: [dense(7), activation(catalog.leaky_relu, [{ param: "alpha", channels: "one" }]), dense(2)],
        input: [4],
      },
    ],
    [
      "two learned parameters of one op",
      {
        specs: [
          dense(7),
          activation(bind(catalog.clamp, { lo: -0.5, hi: 0.75 }), [
            { param: "lo", channels: "one" },
            { param: "hi", channels: "one" },
          ]),
          dense(2),
        ],
        input: [4],
      },
    ],
    [
      "fixed values per channel",
      { specs: [dense(3), activation(bind(catalog.prelu, { alpha: [1, -2, 0.5] })), dense(2)], input: [4] },
    ],
    ["layer_norm", { specs: [dense(9), layers.layerNorm(), tanh, dense(2)], input: [5] }],
    [
      "layer_norm over the last axis of several",
      { specs: [layers.layerNorm(), tanh, dense(2)], input: [3, 5] },
    ],
    ["batch_norm of rows", { specs: [dense(6, noBias), layers.batchNorm(), tanh, dense(2)], input: [5] }],
    ["batch_norm first", { specs: [layers.batchNorm(), dense(2)], input: [5] }],
    [
      "batch_norm of images, twice",
      {
        specs: [
          ...[layers.conv2d(3, 3, noBias), layers.batchNorm(), tanh],
          ...[layers.conv2d(2, 2, noBias), layers.batchNorm(), tanh, dense(2)],
        ],
        input: [6, 6],
        rows: 26,
      },
    ],
    ["standardize", { specs: [layers.standardize(), dense(4), tanh, dense(2)], input: [5] }],
    [
      "conv2d",
      { specs: [layers.conv2d(3, [3, 2]), tanh, layers.conv2d(2, 2), dense(2)], input: [2, 6, 7], rows: 15 },
    ],
    [
      "conv2d with strides and padding, without bias",
      {
        specs: [
          layers.conv2d(3, 3, { stride: [2, 1], padding: [1, 2], bias: false }),
          tanh,
          layers.conv2d(2, [2, 3], { stride: [1, 3], padding: 1 }),
          dense(2),
        ],
        input: [2, 6, 7],
        rows: 15,
      },
    ],
    [
      "max_pool",
      { specs: [layers.conv2d(2, 2), layers.maxPool(2), tanh, dense(2)], input: [6, 9], rows: 15 },
    ],
    [
      "max_pool with overlap and padding",
      {
        specs: [layers.conv2d(2, 2), layers.maxPool(3, { stride: [2, 1], padding: 1 }), tanh, dense(2)],
        input: [6, 9],
        rows: 15,
      },
    ],
    [
      "avg_pool",
      { specs: [layers.conv2d(2, 2), layers.avgPool([2, 3]), tanh, dense(2)], input: [7, 11], rows: 15 },
    ],
    [
      "avg_pool with overlap and padding",
      {
        specs: [layers.conv2d(2, 2), layers.avgPool(3, { stride: 2, padding: 1 }), tanh, dense(2)],
        input: [6, 12],
        rows: 15,
      },
    ],
    [
      "reshape and flatten",
      {
        specs: [
          dense(12),
          layers.reshape(1, 3, 4),
          layers.conv2d(2, 2),
          layers.flatten(),
          layers.layerNorm(),
          dense(2),
        ],
        input: [5],
      },
    ],
    ["a row of one batch", { specs: [dense(4), tanh, dense(3)], input: [5], rows: 1 }],
  ])("%s", async (_, each) => compare(each));

  it("dropout, with the elements that its counter drops", async () => {
    const rate = 0.3;
    const size = 11;
    const drops = (layer: number, element: number): boolean =>
      bitsAt(keyOf(1, 0xd409, layer, 0), element) < Math.round(rate * 2 ** 32);
    const specs = [dense(size), layers.dropout(rate), tanh, layers.dropout(rate), dense(3)];
    await compare({ specs, input: [5], mode: { drops } });
    const dropped = Array.from({ length: 10_000 }, (_, i) => Number(drops(1, i)));
    expect(dropped.reduce((sum, each) => sum + each, 0) / dropped.length).toBeCloseTo(rate, 1);
  });
});

describe("every op of the catalog", () => {
  /** Values for parameters that have no default. */
  const VALUES: Readonly<Record<string, number>> = { threshold: 0.2, value: 0.1, c: 1.7, lo: -0.6, hi: 0.9 };
  /** Those that need numbers above 0. */
  const POSITIVE: ReadonlySet<string> = new Set(["log", "sqrt", "rsqrt", "pow", "reciprocal", "log1p"]);

  it.each(Object.values<OpDefinition>(catalog).map((op) => [op.name, op] as const))(
    "%s",
    async (name, op) => {
      const needed = op.params.filter((spec) => spec.default === undefined);
      const bound = bind(op, Object.fromEntries(needed.map((spec) => [spec.name, VALUES[spec.name]!])));
      const before = POSITIVE.has(name) ? [activation(catalog.softplus)] : [];
      await compare({ specs: [dense(8), ...before, activation(bound), dense(3)], input: [5] });
    },
  );
});

describe("losses", () => {
  const specs = [dense(6), tanh, dense(4)];
  it.each<[string, Omit<Case, "specs" | "input">]>([
    ["mse", { loss: { kind: "mse" } }],
    ["mae", { loss: { kind: "mae" } }],
    ["huber", { loss: { kind: "huber", delta: 0.4 } }],
    ["bce_with_logits", { loss: { kind: "bce_with_logits" } }],
    ["cross_entropy", { loss: { kind: "cross_entropy", smoothing: 0 }, classes: 4 }],
    ["cross_entropy, smoothed", { loss: { kind: "cross_entropy", smoothing: 0.2 }, classes: 4 }],
    [
      "cross_entropy, smoothed, with class weights",
      { loss: { kind: "cross_entropy", smoothing: 0.2, classWeights: [1, 0.5, 3, 0.1] }, classes: 4 },
    ],
  ])("%s, with and without row weights", async (_, each) => {
    await compare({ specs, input: [5], ...each });
    await compare({ specs, input: [5], ...each, weighted: true });
  });

  it("bce_with_logits of one output, with class weights", async () => {
    const loss: Loss = { kind: "bce_with_logits", classWeights: [1, 5] };
    await compare({ specs: [dense(4), tanh, dense(1)], input: [3], loss, classes: 2, weighted: true });
  });
});

it("large dense gradients, of many tiles, are the sums of products", async () => {
  const [inputs, units, rows] = [1100, 130, 203];
  const { engine, network, tensors } = await makeEngine([dense(units)], [inputs], { batch: rows + 20 });
  const data = randomRows(network, rows);
  fill(engine, 0, data);
  await engine.train([{ slot: 0, input: { step: 0, rows, scalars: [0, 1] } }]);
  const gradient = engine.state().get("0.weight.momentum")!;
  await engine.close();
  const { features, targets, tensors: doubles } = referenceOf(data, tensors);
  const y = outputs(network, doubles, features, { training: true });
  const [expected, error] = [new Float64Array(gradient.length), new Float64Array(gradient.length)];
  const dy = y.map((each, i) => (2 * (each - targets[i]!)) / (rows * sizeOf(network.outputShape)));
  for (let unit = 0; unit < units; unit++) {
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += dy[row * units + unit]! * features[row * inputs + i]!;
      expected[unit * inputs + i] = sum;
      error[unit * inputs + i] = sum - gradient[unit * inputs + i]!;
    }
  }
  const norm = (values: Float64Array): number =>
    Math.sqrt(values.reduce((sum, each) => sum + each * each, 0));
  expect(norm(error)).toBeLessThan(TOLERANCE * norm(expected));
});
