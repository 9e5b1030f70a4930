/**
 * @file TensorFlow.js, for bench/rows/training.ts: one line "PATH SIZES BATCH EPOCHS" in, the seconds of the whole run out.
 *
 * Usage: node training-tfjs.mjs wasm|cpu
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { tableFromIPC } from "apache-arrow";

setWasmPaths(new URL("./node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
setThreadsCount(2);
await tf.setBackend(process.argv[2]);

/** Rows as one array, and their labels. */
function read(path) {
  const table = tableFromIPC(readFileSync(path));
  const images = table.getChild("image");
  const width = images.type.listSize;
  const x = new Float32Array(table.numRows * width);
  let at = 0;
  for (const { children } of images.data) {
    x.set(children[0].values, at);
    at += children[0].values.length;
  }
  return { x, y: Int32Array.from(table.getChild("label"), Number), width };
}

function train(path, sizes, batch, epochs) {
  const { x, y, width } = read(path);
  const weights = sizes.slice(1).map((out, i) => ({
    w: tf.variable(tf.randomNormal([sizes[i], out], 0, Math.sqrt(2 / sizes[i]))),
    b: tf.variable(tf.zeros([out])),
  }));
  const classes = sizes.at(-1);
  const optimizer = tf.train.adam(1e-3);
  const forward = (input) =>
    weights.reduce((a, { w, b }, i) => {
      const z = tf.add(tf.matMul(a, w), b);
      return i < weights.length - 1 ? tf.leakyRelu(z, 0.01) : z;
    }, input);
  const inputs = new Float32Array(batch * width);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = tf.util.createShuffledIndices(y.length);
    for (let start = 0; start < y.length; start += batch) {
      const rows = order.subarray(start, start + batch);
      rows.forEach((row, i) => {
        inputs.set(x.subarray(row * width, (row + 1) * width), i * width);
      });
      tf.tidy(() => {
        const features = tf.tensor2d(inputs.subarray(0, rows.length * width), [rows.length, width]);
        const labels = tf.oneHot(
          Array.from(rows, (row) => y[row]),
          classes,
        );
        const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, forward(features)), true);
        loss.dataSync();
      });
    }
  }
  for (const { w, b } of weights) tf.dispose([w, b]);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [path, sizes, batch, epochs] = line.split(" ");
  const start = performance.now();
  train(path, sizes.split("-").map(Number), Number(batch), Number(epochs));
  console.log((performance.now() - start) / 1000);
}
