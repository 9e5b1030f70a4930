import { expect, test } from "vitest";
import { initialise } from "../../src/train/initialise.ts";
import { parseLayers } from "../../src/train/layers-text.ts";
import { buildNetwork } from "../../src/train/network.ts";

const begin = (layers: string, shape: readonly number[], seed = 1) =>
  initialise(buildNetwork(parseLayers(layers), shape), seed);

const deviationOf = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

/** The deviation that a weight of [300, 200] begins with, of the layer that stands before `behind`. */
function deviationBefore(behind: string, own = ""): number {
  const { tensors } = begin(`dense(300${own})${behind}`, [200]);
  return deviationOf(tensors.get("0.weight")!);
}

const CASES: readonly (readonly [behind: string, deviation: number])[] = [
  [" | relu", Math.sqrt(2 / 200)],
  [" | leaky_relu(0.5)", Math.sqrt(2 / 1.25 / 200)],
  [" | leaky_relu(0.5, learn)", Math.sqrt(2 / 1.25 / 200)],
  [" | prelu", Math.sqrt(2 / (1 + 0.25 ** 2) / 200)],
  [" | gelu", Math.sqrt(2 / 200)],
  [" | selu", Math.sqrt(1 / 200)],
  [" | tanh", Math.sqrt(2 / 500)],
  [" | sigmoid", Math.sqrt(2 / 500)],
  ["", Math.sqrt(1 / 200)],
  [" | batch_norm | dropout(0.1) | mul(2) | tanh", Math.sqrt(2 / 500)],
  [" | dense(10) | tanh", Math.sqrt(1 / 200)],
];

test.each(CASES)("a dense layer before %j has weights of that deviation", (behind, deviation) => {
  const error = 5 / Math.sqrt(2 * 300 * 200);
  expect(Math.abs(deviationBefore(behind) / deviation - 1)).toBeLessThan(error);
});

test("what the layer itself says goes before the activation", () => {
  expect(deviationBefore(" | tanh", ", init=he") / Math.sqrt(2 / 200)).toBeCloseTo(1, 1);
  expect(deviationBefore(" | relu", ", init=xavier") / Math.sqrt(2 / 500)).toBeCloseTo(1, 1);
  expect(deviationBefore(" | relu", ", init=0.25") / 0.25).toBeCloseTo(1, 1);
});

test("a convolution counts the places of its kernel", () => {
  const { tensors, choices } = begin("conv2d(64, [3, 5]) | relu", [16, 9, 9]);
  expect(deviationOf(tensors.get("0.weight")!) / Math.sqrt(2 / (16 * 15))).toBeCloseTo(1, 1);
  expect(choices).toEqual(["0 conv2d: He for slope 0, deviation 0.0913"]);
});

test("signals keep their size through twenty layers of leaky ReLU", () => {
  const { tensors } = begin(Array(20).fill("dense(256) | leaky_relu(0.2)").join(" | "), [256]);
  let signal = new Float64Array(256).map((_, i) => Math.SQRT2 * Math.sin(i));
  for (let layer = 0; layer < 40; layer += 2) {
    const weight = tensors.get(`${layer}.weight`)!;
    signal = signal.map((_, out) => {
      let sum = 0;
      for (let i = 0; i < 256; i++) sum += weight[out * 256 + i]! * signal[i]!;
      return sum > 0 ? sum : 0.2 * sum;
    });
  }
  const size = Math.sqrt(signal.reduce((sum, value) => sum + value ** 2, 0) / 256);
  // The logarithm of the size walks with a deviation of about 0.1 a layer.
  expect(Math.abs(Math.log(size))).toBeLessThan(1.5);
});

test("biases begin with 0, norms as the identity, slopes as written", () => {
  const { tensors, choices } = begin(
    "standardize | dense(3) | layer_norm | prelu([0.1, 0.2, 0.3]) | batch_norm | leaky_relu(0.05, learn) | dense(2)",
    [4],
  );
  const plain = Object.fromEntries([...tensors].map(([name, values]) => [name, [...values]]));
  const float = (...values: number[]): number[] => values.map(Math.fround);
  expect(plain).toMatchObject({
    ...{ "0.mean": [0, 0, 0, 0], "0.deviation": [1, 1, 1, 1] },
    "1.bias": [0, 0, 0],
    ...{ "2.weight": [1, 1, 1], "2.bias": [0, 0, 0] },
    "3.weight": float(0.1, 0.2, 0.3),
    ...{ "4.weight": [1, 1, 1], "4.running_mean": [0, 0, 0], "4.running_var": [1, 1, 1] },
    "5.alpha": float(0.05),
    "6.bias": [0, 0],
  });
  expect(choices).toEqual([
    "1 dense: He for slope 0.216, deviation 0.691",
    "6 dense: He for slope 1, as nothing follows, deviation 0.577",
  ]);
});

test("standardize begins with the statistics of the data", () => {
  const statistics = { mean: Float32Array.of(1, 2), deviation: Float32Array.of(3, 4) };
  const { tensors } = initialise(buildNetwork(parseLayers("standardize"), [2]), 1, statistics);
  expect([...tensors.values()]).toEqual([statistics.mean, statistics.deviation]);
});

test("the seed alone decides, and each tensor has numbers of its own", () => {
  const layers = "dense(8) | relu | dense(8)";
  expect(begin(layers, [8], 7)).toEqual(begin(layers, [8], 7));
  expect(begin(layers, [8], 7).tensors).not.toEqual(begin(layers, [8], 8).tensors);
  const { tensors } = begin("dense(8, init=1) | relu | dense(8, init=1)", [8]);
  expect(tensors.get("0.weight")).not.toEqual(tensors.get("2.weight"));
  const longer = begin(`${layers} | relu | dense(2)`, [8], 7).tensors;
  expect(longer.get("0.weight")).toEqual(begin(layers, [8], 7).tensors.get("0.weight"));
});
