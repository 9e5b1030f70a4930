/** @file Small engines for tests: made-up rows and tensors, on this thread. */
import { type Engine, type EngineOptions, openEngine } from "../../src/train/engine/engine.ts";
import type { WorkerEngine } from "../../src/train/engine/worker-engine.ts";
import type { LayerSpec } from "../../src/train/layers.ts";
import { buildNetwork, type Network, sizeOf, type Tensors, tensorsOf } from "../../src/train/network.ts";
import { optimizer } from "../../src/train/optimizers.ts";
import { randomFrom } from "./random.ts";

const MIB = 2 ** 20;

export interface Made {
  readonly engine: WorkerEngine;
  readonly network: Network;
  readonly tensors: Tensors;
}

/** Random values that suit every layer: weights around 0, variances and deviations around 1. */
export function randomTensors(network: Network, seed: number): Map<string, Float32Array> {
  const random = randomFrom(seed);
  return new Map(
    tensorsOf(network).map(({ name, shape }) => {
      const isScale = /running_var|deviation/.test(name) || (/weight/.test(name) && shape.length === 1);
      const spread = shape.length > 1 ? 1.5 / Math.sqrt(sizeOf(shape.slice(1))) : 0.5;
      const values = Float32Array.from({ length: sizeOf(shape) }, () =>
        isScale ? 0.5 + random() : spread * (2 * random() - 1),
      );
      return [name, values];
    }),
  );
}

/** An engine with random tensors, by default of SGD with momentum and without workers. */
export async function makeEngine(
  specs: readonly LayerSpec[],
  inputShape: readonly number[],
  options: Partial<EngineOptions> & Pick<EngineOptions, "batch">,
): Promise<Made> {
  const network = buildNetwork(specs, inputShape);
  const tensors = options.tensors ?? randomTensors(network, 7);
  const engine = await openEngine({
    ...{ loss: { kind: "mse" }, optimizer: optimizer("sgd", { lr: 1, momentum: 0.9 }) },
    ...{ workers: 0, memory: 64 * MIB, seed: 1, targetSize: sizeOf(network.outputShape) },
    ...options,
    network,
    tensors,
  });
  return { engine, network, tensors };
}

export interface MadeRows {
  readonly features: Float32Array;
  readonly targets: Float32Array;
  readonly weights: Float32Array;
}

/** Random rows: features from -2 to 2; targets as numbers around 0, or `classes` many classes; weights 1, or random. */
export function randomRows(
  network: Network,
  rows: number,
  options: { readonly classes?: number; readonly weighted?: boolean; readonly seed?: number } = {},
): MadeRows {
  const { classes, weighted = false, seed = 11 } = options;
  const random = randomFrom(seed);
  const features = Float32Array.from({ length: rows * sizeOf(network.inputShape) }, () => 4 * random() - 2);
  const targets = Float32Array.from({ length: rows * (classes ? 1 : sizeOf(network.outputShape)) }, () =>
    classes ? Math.floor(classes * random()) : 2 * random() - 1,
  );
  const weights = Float32Array.from({ length: rows }, () => (weighted ? 0.25 + random() : 1));
  return { features, targets, weights };
}

/** Puts rows into a slot. */
export function fill(engine: Engine, slot: number, { features, targets, weights }: MadeRows): void {
  const target = engine.target(slot);
  target.features.set(features);
  target.targets.set(targets);
  target.weights.set(weights);
}
