/** @file jax-js on WebAssembly: each op compiled by its `jit`, from an array in its memory to a new one there. */
import * as jax from "@jax-js/jax";
import { makeInput, serve } from "./serve.mjs";

await jax.init("wasm");
jax.defaultDevice("wasm");
const { numpy: np, nn } = jax;

const ops = {
  exp: np.exp,
  sigmoid: nn.sigmoid,
  tanh: np.tanh,
  silu: nn.silu,
  log: np.log,
  softplus: nn.softplus,
  mish: nn.mish,
  elu: nn.elu,
  leaky_relu: nn.leakyRelu,
  gelu_tanh: (x) => nn.gelu(x, { approximate: true }),
  gelu: (x) => nn.gelu(x, { approximate: false }),
  softmax: (x) => nn.softmax(x),
};

await serve(async (op, elements) => {
  const values = np.array(makeInput(elements));
  const x = op === "softmax" ? values.reshape([elements / 1024, 1024]) : values;
  const compiled = jax.jit(ops[op]);
  const pass = async () => {
    const y = compiled(x.ref);
    await jax.blockUntilReady(y);
    y.dispose();
  };
  try {
    await pass();
  } catch {
    return undefined;
  }
  return pass;
});
