/** @file Layers and networks: shapes, names as in PyTorch, and errors that name the layer. */
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { bind } from "../../src/ops/bind.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import * as layers from "../../src/train/layers.ts";
import { activation, conv2d, dense, type LayerSpec } from "../../src/train/layers.ts";
import { buildNetwork, shapeText, sizeOf, tensorsOf } from "../../src/train/network.ts";

const relu = activation(catalog.relu);

/** `[28, 28] -> [10]; 0.weight [10, 784]; 0.bias [10]` */
function summary(specs: readonly LayerSpec[], inputShape: readonly number[]): string {
  const network = buildNetwork(specs, inputShape);
  const tensors = tensorsOf(network).map(({ name, shape }) => `; ${name} ${shapeText(shape)}`);
  return `${shapeText(inputShape)} -> ${shapeText(network.outputShape)}${tensors.join("")}`;
}

describe("shapes and names", () => {
  // As state_dict() of nn.Sequential has them, but for running counts, which PyTorch does without.
  it.each<[string, readonly LayerSpec[], readonly number[], string]>([
    [
      "all layers count for the names",
      [layers.flatten(), dense(256), relu, layers.dropout(0.1), dense(10, { bias: false })],
      [28, 28],
      "[28, 28] -> [10]; 1.weight [256, 784]; 1.bias [256]; 4.weight [10, 256]",
    ],
    ["dense flattens", [dense(10)], [28, 28], "[28, 28] -> [10]; 0.weight [10, 784]; 0.bias [10]"],
    [
      "norms",
      [layers.layerNorm(), layers.batchNorm()],
      [3, 8],
      "[3, 8] -> [3, 8]; 0.weight [8]; 0.bias [8]; " +
        "1.weight [3]; 1.bias [3]; 1.running_mean [3]; 1.running_var [3]",
    ],
    [
      "slopes",
      [
        layers.prelu(),
        layers.prelu({ each: true }),
        activation(catalog.leaky_relu, [{ param: "alpha", channels: "one" }]),
      ],
      [4, 6],
      "[4, 6] -> [4, 6]; 0.weight [1]; 1.weight [4]; 2.alpha [1]",
    ],
    ["statistics of the data", [layers.standardize()], [5], "[5] -> [5]; 0.mean [5]; 0.deviation [5]"],
    [
      "images of one channel need no reshape",
      [
        conv2d(16, [3, 5], { stride: [1, 2], padding: [1, 2] }),
        layers.maxPool(2),
        layers.avgPool(3, { stride: 2, padding: 1 }),
      ],
      [28, 28],
      "[28, 28] -> [16, 7, 4]; 0.weight [16, 1, 3, 5]; 0.bias [16]",
    ],
    [
      "reshape",
      [layers.reshape(3, 4, 4), conv2d(2, 4, { bias: false }), layers.flatten()],
      [48],
      "[48] -> [2]; 1.weight [2, 3, 4, 4]",
    ],
  ])("%s", (_, specs, inputShape, expected) => {
    expect(summary(specs, inputShape)).toBe(expected);
  });

  it("rows keep their elements from one layer to the next", () => {
    const specs = [conv2d(4, 3), layers.maxPool(2), dense(7), layers.reshape(7, 1), layers.layerNorm()];
    const network = buildNetwork(specs, [12, 10]);
    for (const [i, { inShape }] of network.layers.entries()) {
      const before = i === 0 ? network.inputShape : network.layers[i - 1]!.outShape;
      expect(sizeOf(inShape)).toBe(sizeOf(before));
    }
  });

  it("statistics are not learned, and slopes stay where they must", () => {
    const keep = [0, 1] as const;
    const slope = activation(catalog.leaky_relu, [{ param: "alpha", channels: "one", keep }]);
    const tensors = tensorsOf(buildNetwork([layers.standardize(), layers.batchNorm(), slope], [5]));
    const learned = tensors.filter((tensor) => tensor.learned).map(({ name }) => name);
    expect(learned).toEqual(["1.weight", "1.bias", "2.alpha"]);
    expect(tensors.find(({ name }) => name === "2.alpha")!.keep).toEqual(keep);
  });
});

describe("what does not fit", () => {
  it.each<[string, readonly LayerSpec[], readonly number[], RegExp]>([
    ["no layers", [], [5], /no layers/],
    ["no shape", [dense(2)], [], /cannot have the shape \[\]/],
    ["an axis of nothing", [dense(2)], [3, 0], /cannot have the shape \[3, 0\]/],
    ["flat rows for images", [relu, conv2d(3, 3)], [784], /^layer 1 \(conv2d\) .*\[784\]/],
    ["a kernel larger than the image", [layers.maxPool(5)], [1, 4, 9], /^layer 0 \(max_pool\) .*5 x 5/],
    ["another number of elements", [layers.reshape(2, 3)], [5], /^layer 0 \(reshape\) .*\[2, 3\].*\[5\]/],
    ["statistics of what is not the data", [relu, layers.standardize()], [5], /^layer 1 \(standardize\)/],
    [
      "slopes for other channels",
      [activation(bind(catalog.prelu, { alpha: [1, 2, 3] }))],
      [5],
      /alpha of prelu has 3 values.*5 channels/,
    ],
    [
      "channels on an axis that there is not",
      [activation(bind(catalog.prelu, { alpha: [1, 2], axis: 2 }))],
      [2],
      /axis 2 of the batch/,
    ],
  ])("%s", (_, specs, inputShape, message) => {
    const build = () => buildNetwork(specs, inputShape);
    expect(build).toThrow(UsageError);
    expect(build).toThrow(message);
  });

  it.each<[string, () => LayerSpec]>([
    ["units of dense", () => dense(0)],
    ["units of dense", () => dense(2.5)],
    ["rate of dropout", () => layers.dropout(1)],
    ["rate of dropout", () => layers.dropout(Number.NaN)],
    ["eps of layer_norm", () => layers.layerNorm({ eps: 0 })],
    ["momentum of batch_norm", () => layers.batchNorm({ momentum: 2 })],
    ["kernel of conv2d", () => conv2d(3, 0)],
    ["stride of conv2d", () => conv2d(3, 3, { stride: [1, 0] })],
    ["padding of conv2d", () => conv2d(3, 3, { padding: -1 })],
    ["padding of avg_pool", () => layers.avgPool(3, { padding: 2 })],
    ["each axis of reshape", () => layers.reshape(3, 0)],
    ["std of init", () => dense(3, { init: { std: -1 } })],
    ["beta of leaky_relu", () => activation(catalog.leaky_relu, [{ param: "beta", channels: "one" }])],
    ["alpha of leaky_relu", () => activation(catalog.leaky_relu, [{ param: "alpha", channels: "each" }])],
    ["axis of prelu", () => activation(catalog.prelu, [{ param: "axis", channels: "one" }])],
    [
      "alpha of leaky_relu",
      () => activation(catalog.leaky_relu, [{ param: "alpha", channels: "one", keep: [1, 0] }]),
    ],
  ])("refuses a %s", (what, make) => {
    expect(make).toThrow(UsageError);
    expect(make).toThrow(what);
  });
});
