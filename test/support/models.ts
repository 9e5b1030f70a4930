/** @file Models with random tensors, as if they had been trained. */
import { parseLayers } from "../../src/train/layers-text.ts";
import { Model } from "../../src/train/model.ts";
import { buildNetwork, sizeOf, tensorsOf } from "../../src/train/network.ts";
import type { Trained } from "../../src/train/trained.ts";
import { randomFrom } from "./random.ts";

/** A network with every kind of layer, for images of 6 x 6. */
export const EVERY_LAYER =
  "standardize | conv2d(3, 3, padding=1) | batch_norm | prelu(each) | max_pool(2) | conv2d(4, 2, bias=false) | " +
  "leaky_relu(0.1, learn) | avg_pool(2, stride=1, padding=1) | flatten | dense(6) | layer_norm | gelu | dropout(0.2) | " +
  "reshape(2, 3) | layer_norm(affine=false) | swish(1.5) | dense(4, bias=false)";
export const EVERY_LAYER_INPUT = [6, 6];

export function modelOf(layers: string, inputShape: readonly number[], about: Partial<Trained> = {}): Model {
  const network = buildNetwork(parseLayers(layers), inputShape);
  const random = randomFrom(layers.length);
  const tensors = new Map(
    tensorsOf(network).map(({ name, shape }) => {
      // Variances and deviations are above 0.
      const least = /running_var|deviation/.test(name) ? 0.5 : -0.5;
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => random() + least)] as const;
    }),
  );
  const untold = { features: [], target: undefined, loss: undefined };
  return new Model(
    network.layers.map(({ spec }) => spec),
    { network, tensors, ...untold, ...about },
  );
}

/** Numbers from -2 to 2. */
export function randomRows(rows: number, size: number, seed = 1): Float32Array {
  const random = randomFrom(seed);
  return Float32Array.from({ length: rows * size }, () => 4 * random() - 2);
}
