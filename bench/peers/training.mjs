/**
 * @file Sluice, for bench/rows/training.ts: one line "PATH SIZES BATCH EPOCHS" in, the seconds of the whole run out.
 *
 * Usage: node training.mjs BUILD THREADS
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [build, threads] = process.argv.slice(2);
const { sequential, train } = await import(pathToFileURL(join(build, "index.js")).href);

for await (const line of createInterface({ input: process.stdin })) {
  const [path, sizes, batch, epochs] = line.split(" ");
  const layers = sizes
    .split("-")
    .slice(1)
    .map((size) => `dense(${size})`);
  const start = performance.now();
  await train(sequential(layers.join(" | leaky_relu(0.01) | ")), path, {
    ...{ features: "image", label: "label", optimizer: "adam(lr=1e-3)" },
    ...{ batch: Number(batch), epochs: Number(epochs), workers: Number(threads) },
    // Histograms of weights and gradients are for reports; nobody else makes them here.
    inspectEvery: 0,
  }).result;
  console.log((performance.now() - start) / 1000);
}
