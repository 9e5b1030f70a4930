/**
 * @file Writes what a training begins with and is fed, for other frameworks to train on the same: initial weights, and the
 * batches in their order.
 *
 * Usage: node batches.mjs DIST DATA LAYERS OPTIONS OUT, where OPTIONS is JSON: { label, task, seed, batch, steps, weight? }.
 * OUT gets, as float32 one behind the other: each tensor, by name; then of each step features, targets and row weights. What
 * they are is told on stdout as JSON.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, data, layers, options, out] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const [{ openDataset }, { initialise }, { buildNetwork, sizeOf, tensorsOf }, { parseLayers }] =
  await Promise.all([
    load("train/data/dataset.js"),
    load("train/initialise.js"),
    load("train/network.js"),
    load("train/layers-text.js"),
  ]);
const { batch, steps, ...columns } = JSON.parse(options);

const file = openSync(out, "w");
const write = (values) =>
  writeSync(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
const dataset = await openDataset(data, { ...columns, features: "x", memory: 2 ** 28 });
const network = buildNetwork(parseLayers(layers), dataset.featureShape);
const measured = layers.includes("standardize");
const { tensors } = initialise(network, columns.seed, measured ? await dataset.statistics() : undefined);
for (const values of tensors.values()) write(values);

const size = sizeOf(dataset.featureShape);
const targetSize = dataset.target.kind === "classes" ? 1 : dataset.target.size;
const rows = [];
for (let epoch = 0; rows.length < steps; epoch++) {
  const reader = dataset.open("train", epoch);
  while (rows.length < steps) {
    const target = {
      features: new Float32Array(batch * size),
      targets: new Float32Array(batch * targetSize),
      weights: new Float32Array(batch),
    };
    const count = await reader.fill(target, batch);
    if (count === 0) break;
    write(target.features.subarray(0, count * size));
    write(target.targets.subarray(0, count * targetSize));
    write(target.weights.subarray(0, count));
    rows.push(count);
  }
  await reader.close();
}
await dataset.close();
closeSync(file);
const shapes = tensorsOf(network).map(({ name, shape }) => [name, shape]);
process.stdout.write(JSON.stringify({ shapes, rows, featureShape: dataset.featureShape, targetSize }));
