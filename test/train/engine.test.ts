/** @file The engine: the same bits for any number of workers, PyTorch's semantics beside the gradients, and what goes wrong. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryError, UsageError, WorkerError } from "../../src/errors.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import type { Engine, EngineOptions, StepResult } from "../../src/train/engine/engine.ts";
import * as layers from "../../src/train/layers.ts";
import { activation, dense, dropout, type LayerSpec } from "../../src/train/layers.ts";
import { buildNetwork } from "../../src/train/network.ts";
import { optimizer } from "../../src/train/optimizers.ts";
import { acquirePool, closePool } from "../../src/workers/pool.ts";
import { fill, makeEngine, randomRows, randomTensors } from "../support/engines.ts";
import { lossOf, outputs } from "../support/network-reference.ts";

const MIB = 2 ** 20;
const leaky = activation(catalog.leaky_relu);
const crossEntropy = { kind: "cross_entropy", smoothing: 0.1 } as const;

afterAll(closePool);

/** Workers that are up, so that the engine has no reason to do anything itself. */
async function readyPool(threads: number): Promise<() => void> {
  const pool = acquirePool(threads);
  while (!pool.ready && !pool.broken) await sleep(5);
  return () => pool.release();
}

interface Run {
  readonly results: readonly StepResult[];
  readonly tensors: Map<string, Float32Array>;
  readonly state: Map<string, Float32Array>;
}

/** Trains a few epochs of 103 rows in batches of 40. */
async function run(
  specs: readonly LayerSpec[],
  input: readonly number[],
  options: Partial<EngineOptions>,
  steps: readonly number[] = Array.from({ length: 9 }, (_, step) => step),
): Promise<Run> {
  const adam = optimizer("adam", { lr: 0.01 });
  const { engine, network } = await makeEngine(specs, input, {
    ...{ batch: 40, loss: crossEntropy, optimizer: adam, targetSize: 1, clip: 1, ...options },
  });
  const rows = randomRows(network, 103, { classes: 4, weighted: true });
  const size = rows.features.length / 103;
  const group = steps.map((step, i) => {
    const [slot, first] = [i % 2, 40 * (step % 3)];
    return {
      slot,
      first,
      input: { step, rows: Math.min(40, 103 - first), scalars: adam.scalarsAt(step, 0.01) },
    };
  });
  const results: StepResult[] = [];
  for (let i = 0; i < group.length; i += 2) {
    const some = group.slice(i, i + 2);
    for (const { slot, first, input } of some) {
      const end = first + input.rows;
      fill(engine, slot, {
        features: rows.features.subarray(first * size, end * size),
        targets: rows.targets.subarray(first, end),
        weights: rows.weights.subarray(first, end),
      });
    }
    results.push(...(await engine.train(some)));
  }
  const [tensors, state] = [engine.tensors(), engine.state()];
  await engine.close();
  return { results, tensors, state };
}

const images = [
  ...[
    layers.standardize(),
    layers.conv2d(5, 3, { padding: 1 }),
    layers.batchNorm(),
    leaky,
    layers.maxPool(2),
  ],
  ...[layers.conv2d(4, 2), layers.prelu({ each: true }), layers.avgPool(2, { padding: 1 }), dropout(0.2)],
  ...[dense(30), layers.layerNorm(), layers.batchNorm(), activation(catalog.gelu), dropout(0.5), dense(4)],
];

describe("the same bits", () => {
  it("for 0, 1, 2 and 3 workers", async () => {
    const expected = await run(images, [10, 9], {});
    for (const workers of [1, 2, 3]) {
      const release = await readyPool(workers);
      expect(await run(images, [10, 9], { workers })).toEqual(expected);
      release();
    }
  });

  it("for any memory", async () => {
    const made = await makeEngine(images, [10, 9], { batch: 40, loss: crossEntropy, targetSize: 1 });
    expect(made.engine.slots).toBeGreaterThan(1);
    await made.engine.close();
    const expected = await run(images, [10, 9], {});
    expect(await run(images, [10, 9], { memory: 1.25 * MIB })).toEqual(expected);
  });

  it("across a stop in the middle", async () => {
    const specs = [dense(12), dropout(0.3), leaky, dense(4)];
    const whole = await run(specs, [8], {});
    const first = await run(specs, [8], {}, [0, 1, 2, 3]);
    const second = await run(specs, [8], { tensors: first.tensors, state: first.state }, [4, 5, 6, 7, 8]);
    expect([...first.results, ...second.results]).toEqual(whole.results);
    expect(second.tensors).toEqual(whole.tensors);
    expect(second.state).toEqual(whole.state);
  });

  it("but not for another seed, where there is dropout", async () => {
    const specs = [dense(12), dropout(0.3), leaky, dense(4)];
    const [one, two] = [await run(specs, [8], { seed: 1 }), await run(specs, [8], { seed: 2 })];
    expect(one.results[0]!.loss).not.toBe(two.results[0]!.loss);
  });
});

/** One step of SGD with a rate of 0, on some rows. */
async function look(engine: Engine, rows: number, scalars: readonly number[] = [0, 1]): Promise<StepResult> {
  const [result] = await engine.train([{ slot: 0, input: { step: 0, rows, scalars } }]);
  return result!;
}

const doublesOf = (tensors: ReadonlyMap<string, Float32Array>): Map<string, Float64Array> =>
  new Map([...tensors].map(([name, values]) => [name, Float64Array.from(values)]));

describe("a step", () => {
  it("of a short batch counts its own rows alone", async () => {
    const { engine, network, tensors } = await makeEngine([dense(6), leaky, dense(3)], [5], { batch: 64 });
    fill(engine, 0, randomRows(network, 64, { seed: 3 }));
    await look(engine, 64);
    for (const rows of [1, 11, 12, 13, 63]) {
      const data = randomRows(network, rows, { seed: rows });
      fill(engine, 0, data);
      const y = outputs(network, doublesOf(tensors), Float64Array.from(data.features), { training: true });
      const expected = lossOf({ kind: "mse" }, y, {
        targets: Float64Array.from(data.targets),
        weights: Float64Array.from(data.weights),
      });
      const { loss, weight } = await look(engine, rows);
      expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-6);
      expect(weight).toBe(rows);
    }
    await engine.close();
  });

  it("counts the rows whose largest output is that of their class", async () => {
    const tensors = new Map([["0.weight", Float32Array.of(1, 0, 0, 1)]]);
    const { engine } = await makeEngine([dense(2, { bias: false })], [2], {
      ...{ batch: 4, loss: { kind: "cross_entropy", smoothing: 0 }, targetSize: 1, tensors },
    });
    fill(engine, 0, {
      features: Float32Array.of(1, 2, 3, 1, 0, 5, 2, 1),
      targets: Float32Array.of(1, 1, 1, 0),
      weights: Float32Array.of(1, 1, 1, 1),
    });
    expect((await look(engine, 4)).correct).toBe(3);
    await engine.close();
  });

  it("takes rows of weight 0 for nothing, also where they are all of a batch", async () => {
    const { engine, network } = await makeEngine([dense(3)], [2], { batch: 2 });
    const data = randomRows(network, 2);
    fill(engine, 0, { ...data, weights: Float32Array.of(1, 0) });
    const one = await look(engine, 2);
    expect((await look(engine, 1)).loss).toBe(one.loss);
    fill(engine, 0, { ...data, weights: Float32Array.of(0, 0) });
    expect(await look(engine, 2)).toMatchObject({ loss: 0, weight: 0, gradientNorm: 0 });
    await engine.close();
  });

  it("takes rows of classes of weight 0 for nothing, also where they are all of a batch", async () => {
    const loss = { ...crossEntropy, classWeights: [0, 1] };
    const { engine, network } = await makeEngine([dense(2)], [2], { batch: 2, loss, targetSize: 1 });
    fill(engine, 0, { ...randomRows(network, 2), targets: Float32Array.of(0, 0) });
    expect(await look(engine, 2)).toMatchObject({ loss: 0, weight: 0, gradientNorm: 0 });
    await engine.close();
  });

  it("scales a long gradient down to the norm of the clip, and leaves a short one", async () => {
    const specs = [dense(4), leaky, dense(2)];
    const plain = await makeEngine(specs, [3], { batch: 8 });
    const data = randomRows(plain.network, 8);
    fill(plain.engine, 0, data);
    const { gradientNorm } = await look(plain.engine, 8);
    const gradients = plain.engine.state();
    await plain.engine.close();
    for (const factor of [0.5, 2]) {
      const { engine } = await makeEngine(specs, [3], { batch: 8, clip: factor * gradientNorm });
      fill(engine, 0, data);
      expect((await look(engine, 8)).gradientNorm).toBe(gradientNorm);
      for (const [name, values] of engine.state()) {
        const expected = gradients.get(name)!.map((value) => value * Math.min(1, factor));
        for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
      }
      await engine.close();
    }
  });

  it("keeps learned slopes where they must stay", async () => {
    const slope = activation(catalog.leaky_relu, [{ param: "alpha", channels: "one", keep: [0, 1] }]);
    const slopes = [];
    for (const rate of [1000, -1000]) {
      const { engine, network } = await makeEngine([dense(6), slope, dense(2)], [4], { batch: 20 });
      fill(engine, 0, randomRows(network, 20));
      await look(engine, 20, [rate, 1]);
      slopes.push(engine.tensors().get("1.alpha")![0]!);
      await engine.close();
    }
    expect(slopes.sort()).toEqual([0, 1]);
  });
});

describe("batch_norm", () => {
  const specs = [dense(3, { bias: false }), layers.batchNorm({ momentum: 0.1 }), dense(2)];

  it("moves its running statistics as PyTorch does, with the unbiased variance", async () => {
    const { engine, network, tensors } = await makeEngine(specs, [4], { batch: 30 });
    const data = randomRows(network, 30);
    fill(engine, 0, data);
    await look(engine, 30);
    const after = engine.tensors();
    await engine.close();
    const first = buildNetwork(specs.slice(0, 1), [4]);
    const x = outputs(first, doublesOf(tensors), Float64Array.from(data.features), { training: true });
    for (let unit = 0; unit < 3; unit++) {
      const values = x.filter((_, i) => i % 3 === unit);
      const mean = values.reduce((sum, each) => sum + each, 0) / 30;
      const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 29;
      const [meanBefore, varBefore] = ["mean", "var"].map((what) => tensors.get(`1.running_${what}`)![unit]!);
      expect(after.get("1.running_mean")![unit]).toBeCloseTo(0.9 * meanBefore! + 0.1 * mean, 6);
      expect(after.get("1.running_var")![unit]).toBeCloseTo(0.9 * varBefore! + 0.1 * variance, 6);
    }
  });

  it("of one row gives the bias, and leaves running_var as it was", async () => {
    const { engine, network, tensors } = await makeEngine(specs, [4], { batch: 30 });
    fill(engine, 0, randomRows(network, 1));
    const { fault } = await look(engine, 1);
    expect(fault).toBeUndefined();
    expect(engine.tensors().get("1.running_var")).toEqual(tensors.get("1.running_var"));
    await engine.close();
  });
});

describe("evaluate", () => {
  it("uses the running statistics and no dropout, and changes nothing", async () => {
    const specs = [dense(6), layers.batchNorm(), leaky, dropout(0.5), dense(3)];
    const { engine, network, tensors } = await makeEngine(specs, [5], { batch: 16 });
    const data = [randomRows(network, 16, { seed: 1 }), randomRows(network, 9, { seed: 2, weighted: true })];
    for (const [slot, rows] of data.entries()) fill(engine, slot, rows);
    const results = await engine.evaluate([
      { slot: 0, rows: 16 },
      { slot: 1, rows: 9 },
    ]);
    for (const [slot, { features, targets, weights }] of data.entries()) {
      const y = outputs(network, doublesOf(tensors), Float64Array.from(features), { training: false });
      const rows = { targets: Float64Array.from(targets), weights: Float64Array.from(weights) };
      const { loss, outputs: found, weight } = results[slot]!;
      expect(Math.abs(loss / lossOf({ kind: "mse" }, y, rows) - 1)).toBeLessThan(1e-5);
      expect(weight).toBeCloseTo(
        weights.reduce((sum, each) => sum + each, 0),
        5,
      );
      expect(found.length).toBe(y.length);
      for (const [i, value] of y.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5);
    }
    expect(engine.tensors()).toEqual(tensors);
    await engine.close();
  });
});

describe("a number that is not finite", () => {
  const specs = [dense(4), leaky, layers.batchNorm(), dense(2)];

  it("in the loss stops before the update, with everything as it was, and names the layer", async () => {
    const { engine, network, tensors } = await makeEngine(specs, [3], { batch: 6 });
    const data = randomRows(network, 6);
    fill(engine, 0, data);
    fill(engine, 1, data);
    engine.target(0).features[7] = Number.NaN;
    const steps = [0, 1].map((slot) => ({ slot, input: { step: slot, rows: 6, scalars: [0.1, 1] } }));
    const results = await engine.train(steps);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ step: 0, fault: { what: "loss", layer: 0 } });
    expect(engine.tensors()).toEqual(tensors);
    expect([...engine.state().values()].every((values) => values.every((value) => value === 0))).toBe(true);
    expect(await engine.train(steps.slice(1))).toMatchObject([{ step: 1 }]);
    await engine.close();
  });

  it("in a gradient does, too", async () => {
    const tensors = new Map([
      ["0.weight", Float32Array.of(0)],
      ["1.weight", Float32Array.of(1e38)],
    ]);
    const specs = [dense(1, { bias: false }), dense(1, { bias: false })];
    const { engine, network } = await makeEngine(specs, [1], { batch: 1, tensors });
    fill(engine, 0, { ...randomRows(network, 1), features: Float32Array.of(1e10) });
    const { loss, fault } = await look(engine, 1, [0.1, 1]);
    expect(loss).toBeLessThan(1);
    expect(fault).toEqual({ what: "gradient", layer: 0 });
    expect(engine.tensors()).toEqual(tensors);
    await engine.close();
  });

  it("of a target, too: a class that there is not", async () => {
    const { engine, network } = await makeEngine(specs, [3], { batch: 6, loss: crossEntropy, targetSize: 1 });
    fill(engine, 0, randomRows(network, 6, { classes: 2 }));
    engine.target(0).targets[3] = 2;
    const { fault } = await look(engine, 6);
    expect(fault).toEqual({ what: "loss" });
    await engine.close();
  });

  it("stops the workers, too", async () => {
    const release = await readyPool(2);
    const { engine, network, tensors } = await makeEngine(specs, [3], { batch: 6, workers: 2 });
    fill(engine, 0, randomRows(network, 6));
    fill(engine, 1, randomRows(network, 6));
    engine.target(1).features[0] = Number.POSITIVE_INFINITY;
    const steps = [1, 0].map((slot) => ({ slot, input: { step: slot, rows: 6, scalars: [0.1, 1] } }));
    expect(await engine.train(steps)).toMatchObject([{ step: 1, fault: { what: "loss", layer: 0 } }]);
    expect(engine.tensors()).toEqual(tensors);
    await engine.close();
    release();
  });
});

describe("a worker that dies", () => {
  it("fails the training with a WorkerError; the next engine works", async () => {
    const workers: Worker[] = [];
    const remember = (worker: Worker): void => void workers.push(worker);
    process.on("worker", remember);
    await closePool();
    const release = await readyPool(2);
    process.off("worker", remember);
    const specs = [dense(400), leaky, dense(400), dense(10)];
    const { engine, network } = await makeEngine(specs, [300], { batch: 256, workers: 2 });
    fill(engine, 0, randomRows(network, 256));
    const steps = Array.from({ length: 500 }, (_, step) => ({
      slot: 0,
      input: { step, rows: 256, scalars: [0, 1] },
    }));
    const training = engine.train(steps);
    await sleep(30);
    await workers[0]!.terminate();
    await expect(training).rejects.toThrow(WorkerError);
    await expect(engine.train(steps.slice(0, 1))).rejects.toThrow(WorkerError);
    await engine.close();
    release();
    const again = await makeEngine(specs, [300], { batch: 256, workers: 2 });
    fill(again.engine, 0, randomRows(network, 256));
    expect((await look(again.engine, 256)).fault).toBeUndefined();
    await again.engine.close();
  });
});

describe("memory", () => {
  it("that is too little is an error that says how much it takes, and that much does", async () => {
    const specs = [dense(300), leaky, dense(10)];
    const open = (memory: number) => makeEngine(specs, [500], { batch: 100, memory });
    const error: unknown = await open(MIB).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MemoryError);
    const needed = Number(/Give (\d+)MiB/.exec((error as MemoryError).remedy!)![1]);
    expect(needed).toBeLessThan(16);
    const { engine } = await open(needed * MIB);
    expect(engine.slots).toBeLessThan(8);
    await engine.close();
  });

  it("is not asked for where a network could never fit", async () => {
    const open = makeEngine([dense(2 ** 40)], [1000], { batch: 8, tensors: new Map() });
    await expect(open).rejects.toThrow(MemoryError);
  });

  it("is given back", async () => {
    const { engine, network } = await makeEngine([dense(8)], [8], { batch: 8 });
    const { byteOffset } = engine.target(0).features;
    await engine.close();
    const again = await makeEngine([dense(8)], [8], { batch: 8, tensors: randomTensors(network, 1) });
    expect(again.engine.target(0).features.byteOffset).toBe(byteOffset);
    await again.engine.close();
  });
});

describe("what does not fit", () => {
  it("is refused before anything is computed", async () => {
    const nothing = makeEngine([leaky], [4], { batch: 4 });
    await expect(nothing).rejects.toThrow(UsageError);
    const missing = makeEngine([dense(2)], [4], { batch: 4, tensors: new Map() });
    await expect(missing).rejects.toThrow("0.weight");
    const targets = makeEngine([dense(2)], [4], { batch: 4, targetSize: 3 });
    await expect(targets).rejects.toThrow(UsageError);
    const { engine } = await makeEngine([dense(2)], [4], { batch: 4 });
    await expect(look(engine, 5)).rejects.toThrow(UsageError);
    await expect(look(engine, 0)).rejects.toThrow(UsageError);
    await engine.close();
  });
});

describe("inspect", () => {
  it("tells norms, dead units, slopes and histograms of each layer", async () => {
    const specs = [dense(5), activation(catalog.relu), dense(4), layers.prelu(), dense(2)];
    const network = buildNetwork(specs, [3]);
    const tensors = randomTensors(network, 4);
    // Two units of five get nothing but negative numbers.
    tensors.get("0.bias")!.set([-100, 100, -100, 100, 100]);
    const { engine } = await makeEngine(specs, [3], { batch: 10, tensors });
    fill(engine, 0, randomRows(network, 10));
    const { gradientNorm } = await look(engine, 10);
    const seen = engine.inspect();
    expect(seen.map(({ layer, name }) => `${layer} ${name}`)).toEqual([
      ...["0 dense", "1 relu", "2 dense", "3 prelu", "4 dense"],
    ]);
    expect(seen[1]!.dead).toBe(0.4);
    expect(seen[3]!.slopes).toEqual(tensors.get("3.weight"));
    expect(Math.hypot(...seen.map((each) => each.gradientNorm ?? 0))).toBeCloseTo(gradientNorm, 10);
    const { weights } = seen[0]!;
    expect(weights!.counts.reduce((sum, count) => sum + count, 0)).toBe(15);
    expect(weights!.least).toBe(Math.min(...tensors.get("0.weight")!));
    await engine.close();
  });
});
