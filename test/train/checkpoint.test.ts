/** @file A checkpoint comes back as it was, and what is no checkpoint is told as such. */
import { expect, test } from "vitest";
import { UnsupportedError, UsageError } from "../../src/errors.ts";
import { type Checkpoint, fromTraining, toTraining } from "../../src/train/checkpoint.ts";
import { History } from "../../src/train/history.ts";
import { sequential } from "../../src/train/model.ts";
import { buildNetwork } from "../../src/train/network.ts";
import { settingsOf } from "../../src/train/options.ts";
import type { Training } from "../../src/train/trained.ts";

const model = sequential("dense(4) | prelu | dense(2)");
const settings = settingsOf(
  model,
  { classWeights: "a=2", features: "x", shuffle: "1MiB", validation: 0.1, patience: 2 },
  undefined,
);

function checkpoint(loss = 0.5): Checkpoint {
  const history = new History();
  history.addStep({ loss, accuracy: 0.5, gradientNorm: 1, rate: 0.1 });
  history.addLayers({ step: 1, layers: [{ index: 1, dead: 0, learned: { count: 1, values: [0.25] } }] });
  history.addEpoch({ epoch: 1, step: 1, training: { loss }, validation: { loss, accuracy: 1 } });
  const sums = { loss: 0, weight: 0, correct: 0, rows: 0 };
  const state = { step: 1, sums, validation: { loss, accuracy: 1 }, best: undefined, history };
  return {
    ...{ settings, rows: { train: 90, validation: 10 } },
    state: { ...state, best: { loss, step: 1, epoch: 1 } },
    tensors: new Map([["0.weight", Float32Array.of(1, 2)]]),
    optimizerState: new Map([["0.weight.mean", Float32Array.of(3, 4)]]),
  };
}

/** As it comes back from a file. */
const stored = (given = checkpoint()): Training => {
  const { progress, arrays } = toTraining(given);
  return { progress: JSON.parse(JSON.stringify(progress)), arrays };
};

test("a checkpoint comes back as it was", () => {
  const back = fromTraining(stored());
  expect(back).toEqual(checkpoint());
  expect(back.state.history.toJSON()).toEqual(checkpoint().state.history.toJSON());
});

test("numbers that JSON does not know come back as NaN, so that a training goes on as if it had not stopped", () => {
  const { state } = fromTraining(stored(checkpoint(Number.NaN)));
  expect(state.validation!.loss).toBeNaN();
  expect(state.best!.loss).toBeNaN();
  expect(state.history.loss.points()).toEqual([[1, Number.NaN]]);
});

test("a checkpoint of a later version is told as such", () => {
  const { progress, arrays } = stored();
  expect(() => fromTraining({ progress: { ...progress, version: 2 }, arrays })).toThrow(UnsupportedError);
  expect(() => fromTraining({ progress: { ...progress, version: 2 }, arrays })).toThrow(/version is 2/);
});

test("a checkpoint without all arrays of its optimiser is damaged", () => {
  const network = buildNetwork(sequential("dense(2, bias=false)").layers, [1]);
  const { progress, arrays } = stored();
  expect(() => fromTraining({ progress, arrays }, network)).toThrow(
    /optimiser's square of 0.weight is missing/,
  );
  const all = new Map(arrays).set("square.0.weight", new Float32Array(2));
  expect(fromTraining({ progress, arrays: all }, network).optimizerState.size).toBe(2);
  const short = new Map(all).set("mean.0.weight", new Float32Array(1));
  expect(() => fromTraining({ progress, arrays: short }, network)).toThrow(/has another shape/);
});

test("a model without a checkpoint is told as such", () => {
  expect(() => fromTraining(undefined)).toThrow(/nothing of where its training stands/);
});

/** What none of the parts can be, and what is said to be wrong. */
const DAMAGES: readonly (readonly [path: string, value: unknown, wrong?: string])[] = [
  ["settings", 3],
  ["settings.layers", null],
  ["settings.features", "x"],
  ["settings.features", [1], "settings.features.0"],
  ["settings.skipNulls", 0],
  ["settings.shuffle", -1],
  ["settings.validation", 1],
  ["settings.seed", 0.5],
  ["settings.loss", "magic"],
  ["settings.classWeights", "heavy"],
  ["settings.classWeights", { a: "2" }],
  ["settings.optimizer", "adam(lr=-1)"],
  ["settings.schedule", 7],
  ["settings.clip", 0],
  ["settings.batch", -1],
  ["settings.epochs", 1e300],
  ["settings.patience", "x"],
  ["rows.train", null],
  ["step", 1.5],
  ["sums.weight", "1"],
  ["validation", []],
  ["validation.accuracy", "high"],
  ["best.epoch", null],
  ["history", null],
  ["history.loss", null],
  ["history.loss.width", 0],
  ["history.rate.sums", [1, 2, 3], "history.rate"],
  ["history.accuracy.sums", "1"],
  ["history.epochs", { length: 1 }],
  ["history.epochs", [{ epoch: 1 }], "history.epochs.0.step"],
  ["history.layers", [{ step: 1, layers: [null] }], "history.layers.0.layers.0"],
];

for (const [path, value, wrong = path] of DAMAGES) {
  test(`${path} as ${JSON.stringify(value)} is no checkpoint`, () => {
    const { progress, arrays } = stored();
    const names = path.split(".");
    const last = names.pop()!;
    let owner: Record<string, unknown> = { ...progress };
    const damaged = { progress: names.length === 0 ? owner : progress, arrays };
    for (const name of names) owner = owner[name] as Record<string, unknown>;
    owner[last] = value;
    expect(() => fromTraining(damaged)).toThrow(UsageError);
    expect(() => fromTraining(damaged)).toThrow(`damaged: its ${wrong} is`);
  });
}
