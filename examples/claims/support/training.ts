/** @file Many small trainings on the digits: the networks, the activations, and two trainings at a time. */
import {
  type LayerInput,
  layers,
  leakyRelu,
  type Model,
  relu,
  sequential,
  sigmoid,
  tanh,
  train,
} from "../../../src/index.ts";
import { CLASSES, PIXELS, SIDE } from "./digits.ts";

export interface Activation {
  readonly name: string;
  readonly layer: () => LayerInput;
  /** Times the deviation of Xavier, in place of the initialisation that it has by default. */
  readonly gain?: number;
}

/** Each with the slopes and the initialisation that it has by default: Xavier for sigmoid and tanh, else He by slope. */
export const ACTIVATIONS: readonly Activation[] = [
  { name: "sigmoid", layer: () => sigmoid.with({}) },
  { name: "tanh", layer: () => tanh.with({}) },
  { name: "ReLU", layer: () => relu.with({}) },
  { name: "Leaky ReLU 0.01", layer: () => leakyRelu.with({ alpha: 0.01 }) },
  { name: "Leaky ReLU 0.2", layer: () => leakyRelu.with({ alpha: 0.2 }) },
  { name: "PReLU", layer: () => layers.prelu() },
];

/** Weights that make up for the slope of a sigmoid, 1/4 at most: the advice of Glorot, by Bengio 2012 (arXiv 1206.5533). */
export const LARGE_SIGMOID: Activation = {
  name: "sigmoid, 4 × Xavier",
  layer: () => sigmoid.with({}),
  gain: 4,
};

/** So many hidden layers of so many neurons, each with its activation, and ten outputs. */
export function denseNetwork(depth: number, width: number, { layer, gain }: Activation): Model {
  const hidden = Array.from({ length: depth }, (_, i) => {
    const inputs = i === 0 ? PIXELS : width;
    const init = gain === undefined ? {} : { init: { std: gain * Math.sqrt(2 / (inputs + width)) } };
    return [layers.dense(width, init), layer()];
  });
  return sequential(...hidden.flat(), layers.dense(CLASSES));
}

/** So many convolutions of so many 3 x 3 filters, the first one with stride 2, and ten outputs. */
export function convolutionalNetwork(depth: number, channels: number, { layer }: Activation): Model {
  const convolutions = Array.from({ length: depth }, (_, i) => [
    layers.conv2d(channels, 3, { stride: i === 0 ? 2 : 1, padding: 1 }),
    layer(),
  ]);
  return sequential(
    layers.reshape(1, SIDE, SIDE),
    ...convolutions.flat(),
    layers.flatten(),
    layers.dense(CLASSES),
  );
}

export interface Budget {
  readonly batch: number;
  readonly epochs: number;
}

export interface Trained {
  readonly model: Model;
  /** Of the rows in each epoch, the share that was right while it learned. */
  readonly accuracies: readonly number[];
}

/** One training with Adam. */
export async function trainOn(
  path: string,
  model: Model,
  { batch, epochs }: Budget,
  rate: number,
  seed: number,
): Promise<Trained> {
  const run = train(model, path, {
    ...{ features: "image", label: "label", batch, epochs, seed },
    ...{ optimizer: `adam(lr=${rate})`, inspectEvery: 0, workers: 1, memory: "64MiB" },
  });
  const { history } = await run.result;
  return { model, accuracies: history.epochs.map(({ training }) => training.accuracy ?? 0) };
}

/** The first epoch in which this share of the training rows was right; Infinity where none was. */
export function epochsTo(share: number, accuracies: readonly number[]): number {
  const found = accuracies.findIndex((accuracy) => accuracy >= share);
  return found < 0 ? Number.POSITIVE_INFINITY : found + 1;
}

/** Does work on each item, two at a time; the results are in the order of the items. */
export async function mapTwo<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const takeTurns = async (): Promise<void> => {
    while (next < items.length) {
      const own = next++;
      results[own] = await work(items[own]!);
    }
  };
  await Promise.all([takeTurns(), takeTurns()]);
  return results;
}
