/** @file Inference on the calling thread: the outputs that the engine gives, for any number of rows. */
import { expect, it } from "vitest";
import { catalog } from "../../src/ops/catalog/index.ts";
import { forward, openInference } from "../../src/train/engine/inference.ts";
import * as layers from "../../src/train/layers.ts";
import { activation, dense } from "../../src/train/layers.ts";
import { buildNetwork } from "../../src/train/network.ts";
import { sharedArena } from "../../src/workers/pool.ts";
import { fill, makeEngine, randomRows, randomTensors } from "../support/engines.ts";
import { outputs } from "../support/network-reference.ts";

const specs = [
  ...[layers.standardize(), layers.conv2d(4, 3), layers.batchNorm(), activation(catalog.leaky_relu)],
  ...[layers.maxPool(2), layers.dropout(0.5), dense(20), layers.layerNorm(), layers.prelu({ each: true })],
  ...[dense(5), activation(catalog.softmax)],
];
const network = buildNetwork(specs, [9, 8]);
const tensors = randomTensors(network, 3);
const { features } = randomRows(network, 250);
const size = 72;

it("agrees with float64, and has the engine's bits", async () => {
  const found = forward(network, tensors, features);
  const doubles = new Map([...tensors].map(([name, values]) => [name, Float64Array.from(values)]));
  const expected = outputs(network, doubles, Float64Array.from(features), { training: false });
  expect(found.length).toBe(250 * 5);
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5);

  const { engine } = await makeEngine(specs, [9, 8], { batch: 64, tensors });
  fill(engine, 0, { ...randomRows(network, 64), features: features.subarray(0, 64 * size) });
  const [first] = await engine.evaluate([{ slot: 0, rows: 64 }]);
  expect(found.subarray(0, 64 * 5)).toEqual(first!.outputs.slice());
  await engine.close();
});

it("gives a row the same bits alone and among others", () => {
  const all = forward(network, tensors, features);
  for (const row of [0, 95, 96, 249]) {
    const alone = forward(network, tensors, features.subarray(row * size, (row + 1) * size));
    expect(alone).toEqual(all.subarray(row * 5, (row + 1) * 5));
  }
  expect(forward(network, tensors, new Float32Array(0))).toEqual(new Float32Array(0));
});

it("does not change the features, and takes rows as they are where no layer computes", () => {
  const before = features.slice();
  forward(network, tensors, features);
  expect(features).toEqual(before);
  const flat = buildNetwork([layers.flatten()], [9, 8]);
  expect(forward(flat, new Map(), features)).toEqual(features);
});

it("takes rows as often as they come, and gives its memory back", () => {
  const arena = sharedArena();
  const [probe, length] = [arena.allocate(64), 64];
  arena.free(probe, length);
  const inference = openInference(network, tensors, 7);
  const all = inference.run(features);
  expect(inference.run(features.subarray(0, 3 * size))).toEqual(all.subarray(0, 15));
  expect(all).toEqual(forward(network, tensors, features));
  inference.close();
  const again = arena.allocate(length);
  expect(again).toBe(probe);
  arena.free(again, length);
});
