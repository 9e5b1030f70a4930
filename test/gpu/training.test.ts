/**
 * Training on a GPU: the same losses, weights and gradients as on the CPU, to the precision of float32.
 * Needs a GPU.
 */
import { spawn } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { UnsupportedError, UsageError } from "../../src/errors.ts";
import { openGpuJs } from "../../src/gpu/gpu-js.ts";
import { bind } from "../../src/ops/bind.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import type { Engine, EngineOptions, StepResult } from "../../src/train/engine/engine.ts";
import { openEngine } from "../../src/train/engine/engine.ts";
import { openGpuEngine } from "../../src/train/gpu/engine.ts";
import * as layers from "../../src/train/layers.ts";
import { activation, dense, type LayerSpec } from "../../src/train/layers.ts";
import type { Loss } from "../../src/train/losses.ts";
import { Model, sequential } from "../../src/train/model.ts";
import { buildNetwork, type Network, sizeOf } from "../../src/train/network.ts";
import { openEngineOn } from "../../src/train/open-engine.ts";
import { type Optimizer, optimizer } from "../../src/train/optimizers.ts";
import { train } from "../../src/train/train.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { fill, type MadeRows, randomRows, randomTensors } from "../support/engines.ts";
import { watchBuffers } from "../support/gpu-kernel.ts";
import { pointsFile } from "../support/points.ts";

// Without a real GPU each step takes some 10 milliseconds.
vi.setConfig({ testTimeout: 120_000 });

const directory = temporaryDirectory();
const points = directory.write("points.arrow", pointsFile({ rows: 300 }));

const tanh = activation(catalog.tanh);
const CROSS_ENTROPY: Loss = { kind: "cross_entropy", smoothing: 0 };
const CLASSES = 3;

interface Case {
  readonly specs: readonly LayerSpec[];
  readonly input?: readonly number[];
  readonly loss?: Loss;
  readonly optimizer?: Optimizer;
  readonly clip?: number;
  readonly batch?: number;
  readonly weighted?: boolean;
}

interface Pair {
  readonly network: Network;
  readonly options: EngineOptions;
  readonly cpu: Engine;
  readonly gpu: Awaited<ReturnType<typeof openGpuEngine>>;
  /** Rows for a step. */
  data(step: number): MadeRows;
  close(): Promise<void>;
}

async function openBoth({
  specs,
  input = [16],
  loss = CROSS_ENTROPY,
  batch = 8,
  ...rest
}: Case): Promise<Pair> {
  const network = buildNetwork(specs, input);
  const isClasses = loss.kind === "cross_entropy";
  const options: EngineOptions = {
    ...{ network, tensors: randomTensors(network, 5), loss, batch, clip: rest.clip },
    optimizer: rest.optimizer ?? optimizer("sgd", { lr: 0.1, momentum: 0.9 }),
    ...{ workers: 0, memory: 2 ** 26, seed: 3, targetSize: isClasses ? 1 : sizeOf(network.outputShape) },
  };
  const [cpu, gpu] = [await openEngine(options), await openGpuEngine(options)];
  return {
    ...{ network, options, cpu, gpu },
    data(step) {
      const { weighted = false } = rest;
      return randomRows(network, batch, {
        ...(isClasses && { classes: CLASSES }),
        weighted,
        seed: 100 + step,
      });
    },
    close: async () => void (await Promise.all([cpu.close(), gpu.close()])),
  };
}

/** Trains so many steps, in groups, every tenth with fewer rows. */
async function run(engine: Engine, { options, data }: Pair, steps: number, first = 0): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const most = Math.min(engine.slots, 20);
  for (let step = first; step < first + steps; ) {
    const group = [];
    for (let slot = 0; slot < most && step < first + steps; slot++, step++) {
      fill(engine, slot, data(step));
      const rows = step % 10 === 9 ? Math.ceil(options.batch / 3) : options.batch;
      const scalars = options.optimizer.scalarsAt(step, options.optimizer.rate);
      group.push({ slot, input: { step, rows, scalars } });
    }
    results.push(...(await engine.train(group)));
  }
  return results;
}

/** The largest difference, in parts of the largest number. */
function difference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest;
}

describe("100 steps give the losses of the CPU to 1e-3", () => {
  const relu = activation(bind(catalog.leaky_relu, { alpha: 0.1 }));
  const small = [dense(12), tanh, dense(CLASSES)];
  const learned = activation(catalog.leaky_relu, [{ param: "alpha", channels: "one", keep: [0, 1] }]);
  it.each<[string, Case]>([
    ["SGD", { specs: small, optimizer: optimizer("sgd", { lr: 0.1 }) }],
    [
      "SGD with momentum, clipped",
      {
        specs: [dense(12), relu, dense(CLASSES)],
        optimizer: optimizer("sgd", { lr: 0.1, momentum: 0.9 }),
        clip: 0.5,
      },
    ],
    [
      "SGD with nesterov and decay",
      {
        specs: small,
        optimizer: optimizer("sgd", { lr: 0.05, momentum: 0.8, nesterov: 1, weight_decay: 0.01 }),
      },
    ],
    [
      "Adam, three layers",
      {
        specs: [dense(10), activation(catalog.gelu), dense(8), layers.prelu({ each: true }), dense(CLASSES)],
        optimizer: optimizer("adam", { lr: 0.01 }),
      },
    ],
    [
      "AdamW, a slope that is kept",
      { specs: [dense(9), learned, dense(CLASSES)], optimizer: optimizer("adamw", { lr: 0.01 }) },
    ],
    [
      "rmsprop with momentum",
      {
        specs: [dense(9), activation(catalog.silu), dense(CLASSES)],
        optimizer: optimizer("rmsprop", { lr: 1e-3, momentum: 0.5 }),
      },
    ],
    [
      "a small convolutional network",
      {
        specs: [
          layers.conv2d(4, 3),
          layers.batchNorm(),
          activation(catalog.relu),
          layers.maxPool(2),
          dense(CLASSES),
        ],
        ...{ input: [1, 6, 6], optimizer: optimizer("adam", { lr: 0.01 }) },
      },
    ],
    [
      "dropout and layer_norm",
      {
        specs: [
          layers.standardize(),
          dense(12),
          layers.layerNorm(),
          activation(catalog.mish),
          layers.dropout(0.3),
          dense(CLASSES),
        ],
        optimizer: optimizer("adam", { lr: 0.01 }),
      },
    ],
  ])("%s", async (_, made) => {
    const pair = await openBoth(made);
    const [expected, found] = [await run(pair.cpu, pair, 100), await run(pair.gpu, pair, 100)];
    expect(found).toHaveLength(100);
    for (const [i, { loss, gradientNorm, weight, step }] of expected.entries()) {
      expect(Math.abs(found[i]!.loss - loss), `step ${i}`).toBeLessThan(1e-3);
      expect(Math.abs(found[i]!.gradientNorm - gradientNorm)).toBeLessThan(1e-2 * (1 + gradientNorm));
      expect([found[i]!.weight, found[i]!.step]).toEqual([weight, step]);
    }
    const correct = (results: readonly StepResult[]): number =>
      results.reduce((sum, result) => sum + result.correct, 0);
    expect(Math.abs(correct(found) - correct(expected))).toBeLessThanOrEqual(2);
    // It learned something.
    expect(expected.at(-2)!.loss).not.toBe(expected[0]!.loss);
    await pair.close();
  });
});

/** With this optimiser, `momentum` is the gradient after the first step. */
const GRADIENT = optimizer("sgd", { lr: 0.5, momentum: 0.9 });

describe("the gradients of one step are those of the CPU to 1e-5", () => {
  const each = { specs: [dense(6), tanh, dense(CLASSES)] };
  const regression = { specs: [dense(7), activation(catalog.softplus), dense(4)], weighted: true };
  const op = (name: keyof typeof catalog, values = {}): LayerSpec => activation(bind(catalog[name], values));
  it.each<[string, Case]>([
    [
      "label smoothing, class weights, row weights",
      {
        ...each,
        loss: { ...CROSS_ENTROPY, smoothing: 0.2, classWeights: [1, 0.5, 3] } as Loss,
        weighted: true,
      },
    ],
    ["mse", { ...regression, loss: { kind: "mse" } }],
    ["mae", { ...regression, loss: { kind: "mae" } }],
    ["huber", { ...regression, loss: { kind: "huber", delta: 0.4 } }],
    ["bce_with_logits", { ...regression, loss: { kind: "bce_with_logits" } }],
    [
      "bce_with_logits with class weights",
      { ...regression, loss: { kind: "bce_with_logits", classWeights: [0.5, 2] } },
    ],
    [
      "products longer than a group of terms",
      { specs: [dense(70), tanh, dense(CLASSES)], input: [75], batch: 40 },
    ],
    [
      "no bias, rows of several axes, flatten and reshape",
      {
        specs: [
          layers.reshape(2, 8),
          layers.layerNorm(),
          layers.flatten(),
          dense(6, { bias: false }),
          tanh,
          dense(CLASSES),
        ],
      },
    ],
    [
      "a slope for each channel of rows of two axes",
      {
        specs: [
          dense(12),
          layers.reshape(3, 4),
          layers.prelu({ each: true }),
          layers.flatten(),
          dense(CLASSES),
        ],
      },
    ],
    [
      "fixed slopes for each channel",
      {
        specs: [dense(4), op("prelu", { alpha: [0.1, 0.2, 0.3, 0.4], axis: 1 }), dense(CLASSES)],
      },
    ],
    [
      "softmax and log_softmax inside",
      { specs: [dense(6), op("softmax"), dense(5), op("log_softmax"), dense(CLASSES)] },
    ],
    [
      "elu, hard_swish and softsign",
      { specs: [dense(6), op("elu"), dense(6), op("hard_swish"), dense(6), op("softsign"), dense(CLASSES)] },
    ],
    [
      "layers before the first one that learns",
      { specs: [layers.dropout(0.4), op("sigmoid"), dense(CLASSES)] },
    ],
    ["batch_norm of units", { specs: [dense(5, { bias: false }), layers.batchNorm(), tanh, dense(CLASSES)] }],
    [
      "conv2d with padding and batch_norm",
      {
        specs: [
          layers.conv2d(4, 3, { padding: 1, bias: false }),
          layers.batchNorm(),
          tanh,
          layers.flatten(),
          dense(CLASSES),
        ],
        ...{ input: [2, 6, 5], batch: 20 },
      },
    ],
    [
      "conv2d with strides, max_pool, a slope for each channel",
      {
        specs: [
          layers.conv2d(4, [3, 2], { stride: [2, 1], padding: [1, 0] }),
          layers.prelu({ each: true }),
          layers.maxPool(2),
          dense(CLASSES),
        ],
        input: [2, 9, 7],
      },
    ],
    [
      "max_pool whose windows overlap, conv2d behind it",
      {
        specs: [
          layers.conv2d(3, 3),
          layers.maxPool(3, { stride: 2, padding: 1 }),
          layers.conv2d(2, 2),
          dense(CLASSES),
        ],
        input: [1, 9, 9],
      },
    ],
    [
      "max_pool of equal ones",
      {
        specs: [
          layers.conv2d(3, 3),
          activation(catalog.relu),
          layers.maxPool(3, { stride: 2 }),
          dense(CLASSES),
        ],
        input: [1, 9, 9],
      },
    ],
    [
      "avg_pool with padding",
      {
        specs: [
          layers.conv2d(3, 2),
          tanh,
          layers.avgPool([3, 2], { stride: [2, 1], padding: 1 }),
          dense(CLASSES),
        ],
        input: [1, 7, 7],
      },
    ],
    ["a network that ends with an op", { specs: [dense(4), tanh], loss: { kind: "mse" } }],
  ])("%s", async (_, made) => {
    const pair = await openBoth({ ...made, optimizer: GRADIENT });
    const [[expected], [found]] = [await run(pair.cpu, pair, 1), await run(pair.gpu, pair, 1)];
    expect(found!.loss).toBeCloseTo(expected!.loss, 5);
    expect(found!.correct).toBe(expected!.correct);
    expect(found!.gradientNorm / expected!.gradientNorm).toBeCloseTo(1, 5);
    const [gradients, weights] = [await pair.gpu.state(), await pair.gpu.tensors()];
    for (const [name, values] of await pair.cpu.state()) {
      expect(difference(gradients.get(name)!, values), name).toBeLessThan(1e-5);
    }
    const tensors = await pair.cpu.tensors();
    expect([...weights.keys()]).toEqual([...tensors.keys()]);
    for (const [name, values] of tensors) {
      expect(difference(weights.get(name)!, values), name).toBeLessThan(1e-5);
    }
    await pair.close();
  });
});

it("evaluates as the CPU does: no dropout, outputs of every row, batches of any length", async () => {
  const specs = [dense(8), layers.batchNorm(), layers.dropout(0.5), dense(CLASSES)];
  const pair = await openBoth({ specs });
  for (const engine of [pair.cpu, pair.gpu]) await run(engine, pair, 3);
  const slots = Array.from({ length: 70 }, (_, i) => ({ slot: i, rows: i % 8 === 7 ? 3 : 8 }));
  for (const { slot } of slots) fill(pair.gpu, slot, pair.data(slot));
  const found = await pair.gpu.evaluate(slots);
  for (const [i, { rows }] of slots.entries()) {
    fill(pair.cpu, 0, pair.data(i));
    const [expected] = await pair.cpu.evaluate([{ slot: 0, rows }]);
    expect(found[i]!.loss).toBeCloseTo(expected!.loss, 5);
    expect([found[i]!.correct, found[i]!.weight]).toEqual([expected!.correct, expected!.weight]);
    expect(difference(found[i]!.outputs, expected!.outputs)).toBeLessThan(1e-5);
  }
  await pair.close();
});

it("rows of classes that count nothing do nothing, even where all rows of a batch are such", async () => {
  const network = buildNetwork([dense(2)], [3]);
  const tensors = randomTensors(network, 5);
  const gpu = await openGpuEngine({
    ...{ network, tensors, loss: { ...CROSS_ENTROPY, classWeights: [0, 1] }, optimizer: optimizer("sgd") },
    ...{ batch: 4, workers: 0, memory: 2 ** 26, seed: 3, targetSize: 1 },
  });
  fill(gpu, 0, { ...randomRows(network, 4), targets: new Float32Array(4) });
  const [result] = await gpu.train([{ slot: 0, input: { step: 0, rows: 4, scalars: [0.1] } }]);
  expect(result).toMatchObject({ loss: 0, weight: 0, gradientNorm: 0 });
  expect(result!.fault).toBeUndefined();
  expect(await gpu.tensors()).toEqual(new Map(tensors));
  await gpu.close();
});

it("drops the same elements as the CPU", async () => {
  const pair = await openBoth({ specs: [dense(16), layers.dropout(0.3)], loss: { kind: "mse" }, batch: 32 });
  for (const engine of [pair.cpu, pair.gpu]) await run(engine, pair, 3);
  const [onCpu, onGpu] = [await pair.cpu.tensors(), await pair.gpu.tensors()];
  for (const [name, values] of onCpu) expect(difference(onGpu.get(name)!, values)).toBeLessThan(1e-5);
  await pair.close();
});

it("goes on from weights and state as if it had never stopped, to the same bits", async () => {
  const specs = [dense(8), tanh, dense(CLASSES)];
  const pair = await openBoth({ specs, optimizer: optimizer("adam", { lr: 0.01 }) });
  const whole = await run(pair.gpu, pair, 30);
  await pair.gpu.restore();
  expect(await run(pair.gpu, pair, 10)).toEqual(whole.slice(0, 10));
  const [tensors, state] = [await pair.gpu.tensors(), await pair.gpu.state()];
  const other = await openGpuEngine({ ...pair.options, tensors, state });
  expect(await run(other, pair, 20, 10)).toEqual(whole.slice(10));
  await Promise.all([other.close(), pair.close()]);
});

it("looks at its layers as the CPU does", async () => {
  const specs = [dense(8), activation(catalog.relu), layers.prelu(), dense(CLASSES)];
  const pair = await openBoth({ specs });
  for (const engine of [pair.cpu, pair.gpu]) await run(engine, pair, 3);
  const [expected, found] = [await pair.cpu.inspect(), await pair.gpu.inspect()];
  expect(found.map((layer) => Object.keys(layer))).toEqual(expected.map((layer) => Object.keys(layer)));
  for (const [i, layer] of expected.entries()) {
    expect(found[i]).toMatchObject({ layer: layer.layer, name: layer.name });
    expect(found[i]!.dead).toBe(layer.dead);
    if (layer.gradientNorm) expect(found[i]!.gradientNorm! / layer.gradientNorm).toBeCloseTo(1, 4);
    if (layer.slopes) expect(difference(found[i]!.slopes!, layer.slopes)).toBeLessThan(1e-5);
  }
  await pair.close();
});

describe("a step that is not finite stops its group before the update", () => {
  it.each([
    ["a NaN feature: the loss, from the first layer on", "features", Number.NaN, { what: "loss", layer: 0 }],
    [
      "an infinite feature, which tanh makes finite: the gradient",
      "features",
      Number.POSITIVE_INFINITY,
      { what: "gradient", layer: 0 },
    ],
    ["a label that is none: the loss", "targets", 7, { what: "loss" }],
  ] as const)("%s", async (_, where, value, fault) => {
    const pair = await openBoth({ specs: [dense(8), tanh, dense(CLASSES)] });
    await run(pair.gpu, pair, 2);
    for (let slot = 0; slot < 4; slot++) fill(pair.gpu, slot, pair.data(slot));
    pair.gpu.target(1)[where][2] = value;
    const group = [2, 3, 4, 5].map((step, slot) => ({ slot, input: { step, rows: 8, scalars: [0.1, 1] } }));
    const results = await pair.gpu.train(group);
    expect(results.map(({ step }) => step)).toEqual([2, 3]);
    expect(results.map((result) => result.fault)).toEqual([undefined, fault]);
    const [tensors, state] = [await pair.gpu.tensors(), await pair.gpu.state()];
    // The same steps without those from the faulty one on.
    await pair.gpu.restore();
    await run(pair.gpu, pair, 2);
    await pair.gpu.train(group.slice(0, 1));
    expect(await pair.gpu.tensors()).toEqual(tensors);
    expect(await pair.gpu.state()).toEqual(state);
    await pair.close();
  });
});

it("no buffer is made after the first steps, and all are given back", async () => {
  const { queue } = await openGpuJs();
  const { made, live } = watchBuffers(queue.device);
  const small = await openBoth({ specs: [dense(6), layers.prelu(), dense(CLASSES)], input: [5], batch: 4 });
  const others = await openBoth({
    specs: [dense(4), layers.layerNorm(), layers.batchNorm(), layers.dropout(0.1), dense(CLASSES)],
    ...{ optimizer: optimizer("adam"), clip: 1 },
  });
  for (const pair of [small, others]) await run(pair.gpu, pair, 20);
  const before = [made(), live()];
  await run(small.gpu, small, 500, 20);
  await run(others.gpu, others, 20, 20);
  expect([made(), live()]).toEqual(before);
  await Promise.all([small.close(), others.close()]);
  expect(live()).toBe(0);
});

describe("refuses", () => {
  it("an op over rows with learned parameters, and says which layer and what to do", async () => {
    const learned = activation(catalog.l2_normalize, [{ param: "eps", channels: "one" }]);
    const error = await openBoth({ specs: [dense(4), learned, dense(CLASSES)] }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toBe(
      "layer 1 (l2_normalize) goes along rows, and cannot have learned parameters on a GPU",
    );
    expect((error as UnsupportedError).remedy).toContain("--device cpu");
  });

  it("batches of more rows than it was opened for", async () => {
    const pair = await openBoth({ specs: [dense(CLASSES)] });
    const step = { slot: 0, input: { step: 0, rows: 9, scalars: [0, 1] } };
    await expect(pair.gpu.train([step])).rejects.toThrow(UsageError);
    await pair.close();
  });
});

describe("auto", () => {
  const network = buildNetwork([dense(8), tanh, dense(CLASSES)], [16]);
  const options: EngineOptions = {
    ...{ network, tensors: randomTensors(network, 5), loss: CROSS_ENTROPY, batch: 8, optimizer: GRADIENT },
    ...{ workers: 0, memory: 2 ** 26, seed: 3, targetSize: 1 },
  };

  it("times both where it is told to, picks the faster one, and leaves the weights as they were", async () => {
    process.env.SLUICE_AUTO_AFTER = "0";
    try {
      const { engine, device, deviceReason } = await openEngineOn("auto", options, 10);
      const [, gpu, cpu] = /^GPU ([\d.]+) steps\/s, CPU ([\d.]+) steps\/s$/.exec(deviceReason!)!;
      expect(device).toBe(Number(gpu) > Number(cpu) ? "gpu" : "cpu");
      expect(new Map(await engine.tensors())).toEqual(options.tensors);
      for (const values of (await engine.state()).values())
        expect(values.every((value) => value === 0)).toBe(true);
      await engine.close();
    } finally {
      delete process.env.SLUICE_AUTO_AFTER;
    }
  });

  it.each([
    ["gpu", 20, 10],
    ["cpu", 10, 20],
  ] as const)(
    "takes the %s where that is faster, with the weights as they were",
    async (expected, onGpu, onCpu) => {
      process.env.SLUICE_AUTO_AFTER = "0";
      try {
        const opening = openEngineOn("auto", options, 10, async (engine) => {
          const steps = [0, 1].map((step) => ({ slot: 0, input: { step, rows: 8, scalars: [0.1, 1] } }));
          await engine.train(steps);
          return engine.path === "gpu" ? onGpu : onCpu;
        });
        const { engine, ...found } = await opening;
        expect(found).toEqual({
          device: expected,
          deviceReason: `GPU ${onGpu} steps/s, CPU ${onCpu} steps/s`,
        });
        expect(engine.path === "gpu").toBe(expected === "gpu");
        expect(new Map(await engine.tensors())).toEqual(options.tensors);
        for (const values of (await engine.state()).values())
          expect(values.every((value) => value === 0)).toBe(true);
        await engine.close();
      } finally {
        delete process.env.SLUICE_AUTO_AFTER;
      }
    },
  );

  it("trains on the CPU what a GPU cannot, and says why", async () => {
    process.env.SLUICE_AUTO_AFTER = "0";
    try {
      const learned = activation(catalog.l2_normalize, [{ param: "eps", channels: "one" }]);
      const other = buildNetwork([dense(4), learned, dense(CLASSES)], [16]);
      const made = { ...options, network: other, tensors: randomTensors(other, 5) };
      const { engine, ...found } = await openEngineOn("auto", made, 10);
      expect(found).toEqual({
        device: "cpu",
        deviceReason: "layer 1 (l2_normalize) goes along rows, and cannot have learned parameters on a GPU",
      });
      await engine.close();
    } finally {
      delete process.env.SLUICE_AUTO_AFTER;
    }
  });
});

describe("a whole training", () => {
  const LAYERS = "dense(12) | leaky_relu(0.1, learn) | dropout(0.2) | dense(3)";
  const OPTIONS = {
    features: "x",
    label: "centre",
    batch: 32,
    epochs: 4,
    validation: 0.2,
    seed: 3,
    workers: 1,
  };

  it("learns as on the CPU, and goes on after a stop", async () => {
    const optimizer = "adam(lr=0.01)";
    const results = [];
    for (const device of ["cpu", "gpu"] as const) {
      const model = sequential(LAYERS);
      results.push({ ...(await train(model, points, { ...OPTIONS, optimizer, device }).result), model });
    }
    const [cpu, gpu] = results;
    expect(gpu).toMatchObject({ device: "gpu", path: "gpu", steps: cpu!.steps, rows: cpu!.rows });
    expect(gpu!.deviceReason).toBeUndefined();
    expect(Math.abs(gpu!.training.loss - cpu!.training.loss)).toBeLessThan(1e-3);
    expect(Math.abs(gpu!.validation!.loss - cpu!.validation!.loss)).toBeLessThan(1e-3);
    const output = directory.path("gpu.safetensors");
    const half = sequential(LAYERS);
    await train(half, points, { ...OPTIONS, optimizer, device: "gpu", epochs: 2, output }).result;
    const resumed = await Model.load(output);
    const options = { device: "gpu", resume: true, epochs: 4, output, overwrite: true } as const;
    await train(resumed, points, options).result;
    for (const [name, values] of gpu!.model.tensors) expect(resumed.tensors.get(name)).toEqual(values);
  });

  it("whose GPU is lost says so, keeps the last checkpoint, and ends by itself", async () => {
    const output = directory.path("lost.safetensors");
    const [trainUrl, modelUrl, gpuUrl] = ["train/train.ts", "train/model.ts", "gpu/gpu-js.ts"].map((path) =>
      JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href),
    );
    const script = `
      const [{ train }, { sequential }, { openGpuJs }] = await Promise.all(
        [${trainUrl}, ${modelUrl}, ${gpuUrl}].map((url) => import(url)),
      );
      const options = ${JSON.stringify({ ...OPTIONS, epochs: 100_000, checkpointEvery: 10, device: "gpu", output })};
      const run = train(sequential(${JSON.stringify(LAYERS)}), ${JSON.stringify(points)}, options);
      let lost = false;
      run.result.catch(({ code, message }) => console.log(JSON.stringify({ code, message })));
      try {
        for await (const { step } of run) {
          if (step < 20 || lost) continue;
          lost = true;
          (await openGpuJs()).queue.device.destroy();
        }
      } catch {}
    `;
    const ending = await runScript(script);
    expect(ending).toMatchObject({ code: 0, signal: null, stderr: "" });
    const { code, message } = JSON.parse(ending.stdout);
    expect(code).toBe("ERR_GPU");
    expect(message).toMatch(/^The GPU was lost/);
    const model = await Model.load(output);
    expect(model.trained.training!.progress.step).toBeGreaterThanOrEqual(10);
    expect(model.predict(new Float32Array(6)).every(Number.isFinite)).toBe(true);
  });
});

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runScript(script: string): Promise<Ending> {
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk) => {
      texts[name] += chunk;
    });
  }
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, ...texts }));
  });
}
