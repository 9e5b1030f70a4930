/** @file Losses and their derivatives are PyTorch's, hold at the ends of the number range, and refuse what does not fit. */
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { type Loss, rowLoss } from "../../src/train/losses.ts";

/** The mean loss of rows, and its gradient by their outputs. */
function batchLoss(loss: Loss, outputs: readonly number[][], targets: readonly number[][]) {
  const made = rowLoss(loss, outputs[0]!.length, targets[0]!.length);
  const weights = targets.map((target) => made.weightOf({ of: Float64Array.from(target), at: 0 }));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const gradient: number[] = [];
  const values = outputs.map((output, row) => {
    const own = new Float64Array(output.length);
    const value = made.lossOf(
      { of: Float64Array.from(output), at: 0 },
      { of: Float64Array.from(targets[row]!), at: 0 },
      { of: own, at: 0 },
      1 / total,
    );
    gradient.push(...own);
    return value;
  });
  return { value: values.reduce((sum, value) => sum + value, 0) / total, gradient };
}

const OUTPUTS = [
  [1.5, -0.5, 0.25],
  [-2, 3, 0.5],
];
const VALUES = [
  [1, 0, 0.5],
  [-1, 3, 2],
];
const LABELS = [[2], [1]];
const SHARES = VALUES.map((row) => row.map((x) => 1 / (1 + Math.exp(-x))));

describe("PyTorch's values", () => {
  // torch.nn.functional in float64: the loss, then the gradient of the six outputs.
  it.each<[string, Loss, number[][], number, number[]]>([
    [
      "cross_entropy",
      { kind: "cross_entropy", smoothing: 0 },
      LABELS,
      0.843524555083556,
      [
        ...[0.35165698801088696, 0.047591598074587495, -0.39924858608547453],
        ...[0.0030941426364000193, -0.040788516617898285, 0.03769437398149834],
      ],
    ],
    [
      "cross_entropy(weight, label_smoothing=0.2)",
      { kind: "cross_entropy", smoothing: 0.2, classWeights: [1, 2, 0.5] },
      LABELS,
      0.6415657861638704,
      [
        ...[0.15150620725884936, -0.029220256975542334, -0.1222859502833071],
        ...[-0.022128590799946637, -0.01982315770625089, 0.04195174850619756],
      ],
    ],
    [
      "mse_loss",
      { kind: "mse" },
      VALUES,
      0.6354166666666666,
      [1 / 6, -1 / 6, -0.08333333333333333, -1 / 3, 0, -0.5],
    ],
    ["l1_loss", { kind: "mae" }, VALUES, 0.625, [1 / 6, -1 / 6, -1 / 6, -1 / 6, 0, -1 / 6]],
    [
      "huber_loss(delta=0.75)",
      { kind: "huber", delta: 0.75 },
      VALUES,
      0.265625,
      [0.08333333333333333, -0.08333333333333333, -0.041666666666666664, -0.125, 0, -0.125],
    ],
    [
      "binary_cross_entropy_with_logits",
      { kind: "bce_with_logits" },
      SHARES,
      0.5647635418961338,
      [
        ...[0.01441931626060646, -0.020409888533642433, -0.010047138386009421],
        ...[-0.02495641655797959, 0, -0.043056291129337954],
      ],
    ],
  ])("%s", (_, loss, targets, value, gradient) => {
    const found = batchLoss(loss, OUTPUTS, targets);
    expect(found.value).toBeCloseTo(value, 14);
    for (const [i, each] of found.gradient.entries()) expect(each).toBeCloseTo(gradient[i]!, 14);
  });
});

describe("at the ends of the range", () => {
  const crossEntropy: Loss = { kind: "cross_entropy", smoothing: 0 };

  it("cross_entropy of outputs of any size is finite", () => {
    expect(batchLoss(crossEntropy, [[3e38, -3e38]], [[0]])).toEqual({ value: 0, gradient: [0, 0] });
    expect(batchLoss(crossEntropy, [[3e38, -3e38]], [[1]])).toEqual({ value: 6e38, gradient: [1, -1] });
  });

  it("bce_with_logits of outputs of any size is finite", () => {
    const loss: Loss = { kind: "bce_with_logits" };
    expect(batchLoss(loss, [[3e38]], [[1]])).toEqual({ value: 0, gradient: [0] });
    expect(batchLoss(loss, [[-3e38]], [[1]])).toEqual({ value: 3e38, gradient: [-1] });
  });

  it("a class that there is not makes the loss NaN", () => {
    for (const label of [-1, 2, 0.5, Number.NaN]) {
      expect(batchLoss(crossEntropy, [[1, 2]], [[label]]).value).toBeNaN();
    }
  });
});

it("a row is correct where its largest output is that of its class, and each binary output on its side", () => {
  const run = (...numbers: number[]) => ({ of: Float64Array.from(numbers), at: 0 });
  const classes = rowLoss({ kind: "cross_entropy", smoothing: 0 }, 3, 1);
  expect(classes.isCorrect!(run(1, 5, 2), run(1))).toBe(true);
  expect(classes.isCorrect!(run(1, 5, 2), run(2))).toBe(false);
  const binary = rowLoss({ kind: "bce_with_logits" }, 2, 2);
  expect(binary.isCorrect!(run(0.1, -3), run(1, 0))).toBe(true);
  expect(binary.isCorrect!(run(0.1, 3), run(1, 0))).toBe(false);
  expect(rowLoss({ kind: "mse" }, 2, 2).isCorrect).toBeUndefined();
});

it.each<[string, Loss, number, number]>([
  ["as many targets as outputs", { kind: "mse" }, 3, 1],
  ["one class a row", { kind: "cross_entropy", smoothing: 0 }, 3, 3],
  ["a smoothing up to 1", { kind: "cross_entropy", smoothing: 1.5 }, 3, 1],
  ["a weight for each class", { kind: "cross_entropy", smoothing: 0, classWeights: [1, 2] }, 3, 1],
  ["weights from 0", { kind: "cross_entropy", smoothing: 0, classWeights: [1, -2] }, 2, 1],
  ["class weights only where there are classes", { kind: "mse", classWeights: [1] }, 1, 1],
  ["a delta above 0", { kind: "huber", delta: 0 }, 1, 1],
])("needs %s", (_, loss, outputs, targetSize) => {
  expect(() => rowLoss(loss, outputs, targetSize)).toThrow(UsageError);
});
