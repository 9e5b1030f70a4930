/** @file Dropout: the same elements are dropped as on the CPU, for the hash of `random.ts` is integers, and these are exact. */
import { STREAM } from "../../engine/layers/dropout.ts";
import { SALT } from "../../engine/loops.ts";
import { type Layer, sizeOf } from "../../network.ts";
import { keyOf } from "../../random.ts";
import type { DeviceLayer, LayerContext } from "../layer.ts";

/** Functions keep integers, where variables of gpu.js would make floats of them. */
const FUNCTIONS = [
  "function spread(bits, by) { return bits ^ (bits >>> by); }",
  "function product(a, b) { return a * b; }",
  "function first(bits, factor) { return product(spread(bits, 16), factor); }",
  "function second(bits, factor) { return product(spread(bits, 13), factor); }",
  "function mixed(bits, a, b) { return spread(second(first(bits, a), b), 16); }",
];
const [FACTOR_A, FACTOR_B, SIGN] = [0x85ebca6b | 0, 0xc2b2ae35 | 0, 1 << 31];

export async function dropoutLayer({ gpu, seed }: LayerContext, layer: Layer): Promise<DeviceLayer> {
  const { index, spec, inShape } = layer;
  const size = sizeOf(inShape);
  const rate = spec.kind === "dropout" ? spec.rate : 0;
  // Comparisons are of signed integers: with the other sign bit they order unsigned ones.
  const limit = Math.round(rate * 2 ** 32) ^ SIGN;
  const source = {
    source: `function (x, key, salt, limit, sign, a, b) {
      const scaled = x[this.thread.x] * this.constants.scale;
      return (mixed(mixed(this.thread.x ^ key, a, b) + salt, a, b) ^ sign) < limit ? 0.0 : scaled;
    }`,
    functions: FUNCTIONS,
    constants: { scale: { float: 1 / (1 - rate) } },
    arguments: ["array", "integer", "integer", "integer", "integer", "integer", "integer"],
  } as const;
  const [forward, backward] = [await gpu.kernel(source), await gpu.kernel(source)];
  const numbersOf = (step: number): number[] => {
    const key = keyOf(seed, STREAM, index, step);
    return [key, Math.imul(key, SALT), limit, SIGN, FACTOR_A, FACTOR_B];
  };
  return {
    index,
    forward: async (x, { rows, step, training }) =>
      training ? forward.start([x, ...numbersOf(step)], rows * size) : x,
    backward: (_, dy, { rows, step }) => backward.start([dy, ...numbersOf(step)], rows * size),
    gradients: async () => [],
  };
}
