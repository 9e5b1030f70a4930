/** @file TensorFlow.js on WebAssembly, one thread: the op alone, from a tensor in its memory to a new one there. */
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { makeInput, serve } from "./serve.mjs";

setWasmPaths(new URL("./node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
setThreadsCount(1);
await tf.setBackend("wasm");

const ops = {
  exp: tf.exp,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  log: tf.log,
  softplus: tf.softplus,
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  elu: tf.elu,
  leaky_relu: (x) => tf.leakyRelu(x, 0.01),
  gelu_tanh: (x) => {
    const u = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.mul(x, x)))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(u)));
  },
  gelu: (x) => tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.mul(Math.SQRT1_2, x)))),
  softmax: (x) => tf.softmax(x),
};

await serve(async (op, elements) => {
  const values = makeInput(elements);
  const x = op === "softmax" ? tf.tensor2d(values, [elements / 1024, 1024]) : tf.tensor1d(values);
  const pass = () => {
    tf.tidy(() => {
      ops[op](x);
    });
  };
  try {
    pass();
  } catch {
    // "Kernel 'Erf' not registered for backend 'wasm'"
    return undefined;
  }
  return pass;
});
