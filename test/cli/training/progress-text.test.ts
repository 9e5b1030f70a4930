import fc from "fast-check";
import { expect, test } from "vitest";
import { styleFor } from "../../../src/cli/style.ts";
import { displayWidth } from "../../../src/cli/text.ts";
import {
  formatAccuracy,
  formatLoss,
  renderEpoch,
  renderTraining,
} from "../../../src/cli/training/progress-text.ts";
import type { TrainProgress } from "../../../src/train/training-run.ts";

const plain = styleFor(false, { LANG: "C.UTF-8" });
const progress: TrainProgress = {
  ...{ kind: "steps", epoch: 3, epochs: 10, step: 157, steps: 630, loss: 0.21344, accuracy: 0.9312 },
  ...{
    rate: 1e-3,
    validation: { loss: 0.18761, accuracy: 0.9449 },
    samplesPerSecond: 31_204,
    secondsLeft: 12,
  },
};

test("the line tells the epoch, the loss, the accuracy, the speed and the time left, as far as there is room", () => {
  expect([100, 80, 60, 40, 20].map((width) => renderTraining(progress, width, plain))).toEqual([
    "epoch  3/10  ▕█████▏               ▏   24%  loss 0.2134  accuracy 93.1%  31,204 samples/s  0:12 left",
    "epoch  3/10  ▕████▋              ▏   24%  loss 0.2134  accuracy 93.1%  0:12 left",
    "▕██▉         ▏   24%  loss 0.2134  accuracy 93.1%  0:12 left",
    "▕█▉      ▏   24%  loss 0.2134  0:12 left",
    "▕██▉         ▏   24%",
  ]);
});

test("it fits any width, whatever the figures", () => {
  const figures = fc.record({
    ...{ loss: fc.double(), samplesPerSecond: fc.double({ min: 0, max: 1e12 }) },
    secondsLeft: fc.double({ min: 0, max: 1e9, noNaN: true }),
    accuracy: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  });
  fc.assert(
    fc.property(figures, fc.integer({ min: 20, max: 200 }), (given, width) => {
      expect(displayWidth(renderTraining({ ...progress, ...given }, width, plain))).toBeLessThanOrEqual(
        width,
      );
    }),
  );
});

test("each epoch leaves a line, whose figures stand below each other", () => {
  expect(renderEpoch({ ...progress, kind: "epoch" }, plain)).toBe(
    "epoch  3/10   loss 0.2134  accuracy  93.1%   held out: loss 0.1876  accuracy  94.5%   31,204 samples/s\n",
  );
  expect(renderEpoch({ ...progress, accuracy: undefined, validation: undefined, epoch: 10 }, plain)).toBe(
    "epoch 10/10   loss 0.2134   31,204 samples/s\n",
  );
});

test("losses and accuracies are short, and do not lie", () => {
  expect([0, 0.12345, 12.345, 1e-5, 2e7, Number.NaN].map(formatLoss)).toEqual([
    ...["0.0000", "0.1235", "12.35", "1.0e-5", "2.00e7", "NaN"],
  ]);
  expect([0, 0.5, 0.99996, 1].map(formatAccuracy)).toEqual(["0.0%", "50.0%", "99.9%", "100%"]);
});
