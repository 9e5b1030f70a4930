import { expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { faultInSettings } from "../../src/train/checkpoint-fault.ts";
import { sequential } from "../../src/train/model.ts";
import { settingsOf, type TrainOptions } from "../../src/train/options.ts";

const model = sequential("dense(4) | leaky_relu | dense(2)");
const settings = (options: TrainOptions = {}) => settingsOf(model, options, undefined);

test("what is not given has a default", () => {
  expect(settings()).toEqual({
    layers: "dense(4) | leaky_relu(alpha=0.01) | dense(2)",
    ...{ features: null, label: null, weight: null, skipNulls: false, shuffle: null },
    ...{ validation: 0, seed: 0, loss: "cross_entropy", classWeights: null },
    optimizer: "adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0)",
    schedule: "constant(warmup=0)",
    ...{ clip: null, batch: 128, epochs: 10, patience: null },
  });
});

test("settings survive JSON, and nothing else passes for them", () => {
  const given = settings({ classWeights: "a=2", labelSmoothing: 0.1, features: "x", shuffle: "1MiB" });
  expect(given).toMatchObject({ loss: "cross_entropy(smoothing=0.1)", features: ["x"], shuffle: 2 ** 20 });
  const stored: unknown = JSON.parse(JSON.stringify(given));
  expect(faultInSettings(stored)).toBeUndefined();
  expect(settingsOf(model, {}, stored as typeof given)).toEqual(given);
  expect(faultInSettings(3)).toBe("");
  expect(faultInSettings({ ...given, optimizer: "magic" })).toBe("optimizer");
  expect(faultInSettings({ ...given, batch: "many" })).toBe("batch");
});

const WRONG: readonly (readonly [options: TrainOptions, says: RegExp])[] = [
  [{ batch: 0 }, /batch cannot be 0/],
  [{ epochs: 1.5 }, /epochs cannot be 1.5/],
  [{ validation: 1 }, /validation cannot be 1/],
  [{ clip: -1 }, /clip cannot be -1/],
  [{ seed: 0.5 }, /seed cannot be 0.5/],
  [{ labelSmoothing: 2 }, /label smoothing cannot be 2/],
  [{ labelSmoothing: 0.1, loss: "mse" }, /mse has no label smoothing/],
  [{ patience: 3 }, /patience is about rows held out/],
  [{ optimizer: "adm" }, /unknown optimiser/],
  [{ schedule: "cosin" }, /unknown schedule/],
  [{ shuffle: "much" }, /shuffle is no size/],
  [{ workers: 0 }, /workers cannot be 0/],
];

test.each(WRONG)("%j is an error", (options, says) => {
  expect(() => settings(options)).toThrow(says);
});

test("a training that goes on keeps its settings, and may change what leaves its order as it is", () => {
  const before = settings({ batch: 32, seed: 7, optimizer: "sgd(lr=0.1)" });
  expect(settingsOf(model, { epochs: 20, optimizer: "sgd(lr=0.01)", clip: 1 }, before)).toEqual({
    ...before,
    ...{ epochs: 20, clip: 1 },
    optimizer: "sgd(lr=0.01, momentum=0, dampening=0, weight_decay=0, nesterov=0)",
  });
  expect(() => settingsOf(model, { batch: 64 }, before)).toThrow(/batch was 32 .* cannot be 64/);
  expect(() => settingsOf(model, { seed: 8 }, before)).toThrow(UsageError);
  expect(() => settingsOf(model, { optimizer: "adam" }, before)).toThrow(/optimiser was sgd/);
  expect(() => settingsOf(sequential("dense(2)"), {}, before)).toThrow(/layers was/);
});
