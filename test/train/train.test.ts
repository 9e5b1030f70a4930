import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AbortError, IoError, OutputExistsError, TrainingError } from "../../src/errors.ts";
import { openDataset } from "../../src/train/data/dataset.ts";
import { type LayerInput, Model, sequential } from "../../src/train/model.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { type TrainResult, train } from "../../src/train/train.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { CENTRES, pointsFile } from "../support/points.ts";

const directory = temporaryDirectory();
const points = directory.write("points.arrow", pointsFile({ rows: 700 }));

/** Enough for everything to happen: epochs of 9 steps, of which the last has fewer rows. */
const LAYERS = "dense(16) | leaky_relu(0.1, learn) | dropout(0.2) | dense(3)";
const OPTIONS: TrainOptions = {
  ...{ features: "x", label: "centre", batch: 64, epochs: 4, validation: 0.2, seed: 3, workers: 1 },
};

interface Trained extends TrainResult {
  readonly model: Model;
}

async function trained(
  options: TrainOptions = {},
  layers: LayerInput = LAYERS,
  source = points,
): Promise<Trained> {
  const model = sequential(layers);
  const result = await train(model, source, { ...OPTIONS, ...options }).result;
  return { ...result, model };
}

/** Every weight, as bits. */
const bitsOf = ({ tensors }: Model): Record<string, number[]> =>
  Object.fromEntries(
    [...tensors].map(([name, values]) => [name, [...new Uint32Array(values.slice().buffer)]]),
  );

interface Line {
  readonly event: string;
  readonly step: number;
  readonly loss: number;
}
const linesOf = (path: string): Line[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const stepsOf = (path: string): Line[] => linesOf(path).filter(({ event }) => event === "step");

test("a classifier learns points around three centres", async () => {
  const { validation, training, history, rows, model, assessed, parameters } = await trained({
    epochs: 8,
    optimizer: "adam(lr=0.01)",
  });
  expect(validation!.accuracy).toBeGreaterThan(0.95);
  expect(training.accuracy).toBeGreaterThan(0.9);
  expect(rows).toEqual({ train: 560, validation: 140, skipped: 0 });
  expect(history.loss.points()).toHaveLength(8 * 9);
  expect(history.epochs.map(({ epoch, step }) => [epoch, step])).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, 9 * n]),
  );
  expect(model.target).toEqual({ kind: "classes", classes: [...CENTRES] });
  expect(assessed!.confusion.counts.flat().reduce((a, b) => a + b)).toBe(140);
  expect(assessed!.uncertain).toHaveLength(10);
  expect(parameters).toBe(6 * 16 + 16 + 1 + 16 * 3 + 3);
  // The classes are told apart by the model, too.
  const logits = model.predict(Float32Array.of(1, -0.5, -0.5, 1, -0.5, -0.5));
  expect(logits.indexOf(Math.max(...logits))).toBe(0);
});

test("a regression learns a sum", async () => {
  const options: TrainOptions = { label: "value", loss: "mse", epochs: 30, optimizer: "adam(lr=0.02)" };
  const { validation, assessed, model } = await trained(options, "dense(1)");
  expect(validation).toEqual({ loss: expect.any(Number) });
  expect(validation!.loss).toBeLessThan(1e-3);
  expect(assessed).toBeUndefined();
  expect(model.predict(Float32Array.of(0.25, 0.5, 0, 0, 0, 0))[0]).toBeCloseTo(0.75, 1);
});

test("two classes are told apart by one output", async () => {
  const options: TrainOptions = { label: "blue", loss: "bce_with_logits", optimizer: "adam(lr=0.05)" };
  const { validation, model, assessed } = await trained(options, "dense(1)");
  expect(validation!.accuracy).toBeGreaterThan(0.95);
  expect(model.target).toEqual({ kind: "classes", classes: [false, true] });
  expect(assessed!.confusion.classes).toEqual(["false", "true"]);
  await expect(trained({ ...options, label: "index" }, "dense(1)")).rejects.toThrow(
    /2 classes apart, but there are 3/,
  );
});

test.each([
  ["a convolution", "reshape(1, 2, 3) | conv2d(1, [2, 3]) | flatten"],
  ["a convolution behind a dense layer", "dense(16) | reshape(1, 4, 4) | conv2d(1, 4) | flatten"],
  ["a pool", "dense(4) | reshape(1, 2, 2) | avg_pool(2)"],
  ["a reshape", "dense(1) | reshape(1, 1, 1)"],
])("one output of %s is about two classes", async (_, layers) => {
  const { model, validation } = await trained({ label: "blue", loss: "bce_with_logits", epochs: 1 }, layers);
  expect(model.target!.kind).toBe("classes");
  expect(validation!.accuracy).toBeGreaterThan(0);
  const again = await train(model, points, { ...OPTIONS, label: "blue", loss: "bce_with_logits" }).result;
  expect(again.validation!.accuracy).toBeGreaterThan(0);
});

test("several outputs of a convolution are about values", async () => {
  const options: TrainOptions = { label: "value", loss: "bce_with_logits", epochs: 1 };
  const layers = "dense(1) | reshape(1, 1, 1) | conv2d(2, 1) | flatten";
  await expect(trained(options, layers)).rejects.toThrow("the network has 2 outputs, but there are 1 values");
});

test("losses and weights are the same bits for 1, 2 and 3 workers and for any memory", async () => {
  const log = (name: string): string => directory.path(`${name}.jsonl`);
  const one = await trained({ workers: 1, log: log("one") });
  const expected = stepsOf(log("one"));
  expect(expected).toHaveLength(36);
  for (const [name, options] of [
    ["two", { workers: 2, inspectEvery: "auto" }],
    ["three", { workers: 3, memory: "1GiB" }],
    ["small", { workers: 1, memory: "130MiB" }],
  ] as const) {
    const { model, validation } = await trained({ ...options, log: log(name) });
    expect(bitsOf(model)).toEqual(bitsOf(one.model));
    expect(validation).toEqual(one.validation);
    expect(stepsOf(log(name))).toEqual(expected);
  }
});

test("the layers are looked at only when that is asked for", async () => {
  const looksOf = ({ history, layers }: TrainResult): number[] => [history.layers.length, layers.length];
  expect(looksOf(await trained({ epochs: 1 }))).toEqual([0, 0]);
  expect(looksOf(await trained({ epochs: 1, inspectEvery: 4 }))).toEqual([2, 4]);
  expect(looksOf(await trained({ epochs: 1, inspectEvery: "auto" }))).toEqual([9, 4]);
});

test("class weights of a loss that is given as an object count, too", async () => {
  const classWeights = [1, 2, 0.5];
  const loss = { kind: "cross_entropy", smoothing: 0.1 } as const;
  const one = await trained({ epochs: 1, loss: { ...loss, classWeights } });
  const other = await trained({ epochs: 1, loss, classWeights });
  expect(bitsOf(one.model)).toEqual(bitsOf(other.model));
});

/** Settings that keep something from step to step, or are random. */
const RESUMED: readonly {
  readonly name: string;
  readonly options: TrainOptions;
  readonly layers?: string;
}[] = [
  { name: "dropout and adam", options: { inspectEvery: 10 } },
  {
    name: "momentum, clipping and a schedule",
    options: {
      optimizer: "sgd(lr=0.05, momentum=0.9, nesterov=1)",
      ...{ clip: 0.5, schedule: "cosine(warmup=5)" },
    },
  },
  {
    name: "patience, row weights and class weights",
    options: { patience: 9, weight: "weight", classWeights: "amber=2", optimizer: "adam(lr=0.2)" },
  },
  {
    name: "batch_norm and standardize",
    options: { optimizer: "rmsprop", labelSmoothing: 0.1 },
    layers: "standardize | dense(16) | batch_norm | prelu(each) | dense(3)",
  },
];

/** Stops a training after so many steps, or some more. */
async function stopped(model: Model, options: TrainOptions, steps: number): Promise<void> {
  const controller = new AbortController();
  const run = train(model, points, { ...OPTIONS, ...options, signal: controller.signal });
  const watching = (async () => {
    for await (const { step } of run) if (step >= steps) controller.abort();
  })();
  await expect(watching).rejects.toThrow(AbortError);
}

test.each(RESUMED)(
  "$name: a training that is stopped goes on as if it had not been",
  async ({ name, options, layers = LAYERS }) => {
    const { inspectEvery } = options;
    const path = (what: string): string => directory.path(`${name} ${what}`);
    const whole = await trained(
      { ...options, log: path("whole"), output: path("whole.safetensors") },
      layers,
    );
    for (const stop of [1, 5, 9, 20]) {
      const [output, log] = [path(`${stop}.safetensors`), path(`${stop}.jsonl`)];
      // A stop after each step: groups are as short as they can be.
      await stopped(sequential(layers), { ...options, output, log, checkpointEvery: 1 }, stop);
      const model = await Model.load(output);
      const { step } = model.trained.training!.progress as { step: number };
      expect(step).toBeGreaterThanOrEqual(stop);
      expect(step).toBeLessThan(36);
      const rest = await train(model, points, { resume: true, output, log, workers: 2 }).result.catch(
        (error) => error,
      );
      expect(rest).toBeInstanceOf(OutputExistsError);
      const { history, ...result } = await train(model, points, {
        resume: true,
        workers: stop === 5 ? 2 : 1,
        inspectEvery,
      }).result;
      expect(result).toMatchObject({ steps: 36, validation: whole.validation, training: whole.training });
      expect(bitsOf(model)).toEqual(bitsOf(whole.model));
      expect(JSON.stringify(history)).toBe(JSON.stringify(whole.history));
    }
  },
);

test("a training that is over goes on for longer where more epochs are asked for", async () => {
  const long = await trained({ epochs: 6 });
  const { model } = await trained({ epochs: 4 });
  expect((await train(model, points, { resume: true }).result).steps).toBe(36);
  const { steps, epochs } = await train(model, points, { resume: true, epochs: 6 }).result;
  expect([steps, epochs]).toEqual([54, 6]);
  expect(bitsOf(model)).toEqual(bitsOf(long.model));
});

test("what a training goes on with must be what it began with", async () => {
  const { model } = await trained({ epochs: 1 });
  const resume = (options: TrainOptions, source = points): Promise<unknown> =>
    train(model, source, { resume: true, ...options }).result;
  await expect(resume({ batch: 32 })).rejects.toThrow(/batch was 64/);
  await expect(resume({ label: "index" })).rejects.toThrow(/label was "centre"/);
  const shorter = directory.write("shorter.arrow", pointsFile({ rows: 500 }));
  await expect(resume({}, shorter)).rejects.toThrow(/400 rows to train on .* there were 560/);
  await expect(train(sequential(LAYERS), points, { resume: true }).result).rejects.toThrow(
    /says nothing of where/,
  );
});

test("a model that has weights begins with them", async () => {
  const { model, history } = await trained({ epochs: 3, optimizer: "adam(lr=0.01)" });
  const weights = bitsOf(model);
  const again = await train(model, points, { ...OPTIONS, epochs: 1 }).result;
  const first = (points: [number, number][]): number => points[0]![1];
  expect(first(again.history.loss.points())).toBeLessThan(0.6 * first(history.loss.points()));
  expect(again.initial).toEqual([]);
  expect(bitsOf(model)).not.toEqual(weights);
});

test("patience stops when the loss on the rows held out does not fall, and the best weights are kept", async () => {
  const output = directory.path("patient.safetensors");
  // Far too large a rate: it soon gets worse.
  const options: TrainOptions = { patience: 2, epochs: 40, optimizer: "adam(lr=0.3)", output };
  const { reason, epochs, epoch, history, validation, model } = await trained(options);
  const losses = history.epochs.map((each) => each.validation!.loss);
  const best = losses.indexOf(Math.min(...losses)) + 1;
  expect(reason).toBe("stopped early");
  expect([epochs, epoch]).toEqual([best + 2, best]);
  expect(validation!.loss).toBe(losses[best - 1]);
  // Those of a training that was as long as that.
  const short = await trained({ ...options, epochs: best, output: undefined });
  expect(bitsOf(model)).toEqual(bitsOf(short.model));
  // The file has the best weights, too, and goes on from the last ones.
  const loaded = await Model.load(output);
  expect(bitsOf(loaded)).toEqual(bitsOf(model));
  const longer = await train(loaded, points, { resume: true, patience: 3 }).result;
  const whole = await trained({ ...options, patience: 3, output: undefined });
  expect(longer.epochs).toBe(whole.epochs);
  expect(bitsOf(loaded)).toEqual(bitsOf(whole.model));
});

test("patience ends, too, where the loss on the rows held out is no number", async () => {
  const few = directory.write("few.arrow", pointsFile({ rows: 100 }));
  const held = { features: ["x"], label: "centre", validation: 0.01, seed: 1 };
  const data = await openDataset(few, { ...held, task: "classes", memory: 2 ** 24 });
  const classes = data.target.kind === "classes" ? data.target.classes : [];
  const [only, ...others] = classes.filter((_, i) => data.classRows!.validation[i] === 1);
  await data.close();
  expect(others).toEqual([]);
  // The one row that is held out counts nothing.
  const options: TrainOptions = { ...held, patience: 2, epochs: 9, classWeights: `${only}=0` };
  const { reason, epochs, validation, training } = await trained(options, LAYERS, few);
  expect(validation!.loss).toBeNaN();
  expect(training.loss).toBeGreaterThan(0);
  expect([reason, epochs]).toEqual(["stopped early", 2]);
});

test("an output that cannot be written is an error before any step", async () => {
  const output = directory.path("missing/model.safetensors");
  const steps: unknown[] = [];
  const run = train(sequential("dense(3)"), points, { ...OPTIONS, output });
  await expect(async () => {
    for await (const progress of run) steps.push(progress);
  }).rejects.toThrow(IoError);
  expect(steps).toEqual([]);
});

test("a loss that is not finite stops the training with the step, the layer and the advice; the last good weights are kept", async () => {
  const output = directory.path("exploded.safetensors");
  const log = directory.path("exploded.jsonl");
  const options: TrainOptions = { loss: "mse", label: "value", optimizer: "sgd(lr=1e6)", output, log };
  const model = sequential("dense(4) | relu | dense(1)");
  const error = await train(model, points, { ...OPTIONS, ...options }).result.catch((thrown) => thrown);
  expect(error).toBeInstanceOf(TrainingError);
  const { step, layer, message, remedy } = error as TrainingError;
  expect(message).toMatch(
    new RegExp(
      `^(The loss|A gradient) of step ${step + 1} is not finite.* in layer ${layer} \\((dense|relu)\\)`,
    ),
  );
  expect(remedy).toMatch(
    /^Lower the learning rate, which is 1000000 here, or clip .* The weights from before that step are in .*exploded/,
  );
  expect(stepsOf(log)).toHaveLength(step);
  const kept = await Model.load(output);
  expect([...kept.tensors.values()].every((values) => values.every(Number.isFinite))).toBe(true);
  expect(bitsOf(model)).toEqual(bitsOf(kept));
  expect(kept.trained.training!.progress).toMatchObject({ step });
});

test("features that are far too large are told of at the first step", async () => {
  const source = directory.write(
    "huge.arrow",
    pointsFile({ rows: 200, change: (x) => x.map((v) => v * 1e38) }),
  );
  const error = await trained({}, "dense(8) | square | dense(3)", source).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "ERR_TRAINING", step: 0 });
  expect((error as TrainingError).remedy).toMatch(
    /very large numbers in the features, and put standardize first/,
  );
});

test("checkpoints are written every so many steps, and at the end", async () => {
  const log = directory.path("checkpoints.jsonl");
  const output = directory.path("checkpoints.safetensors");
  await trained({ log, output, checkpointEvery: 10, epochs: 3 });
  const steps = linesOf(log).flatMap(({ event, step }) => (event === "checkpoint" ? [step] : []));
  expect(steps).toEqual([10, 20, 27]);
});

test("the same training gives the same file, byte for byte", async () => {
  const [first, second] = ["first", "second"].map((name) => directory.path(`${name}.safetensors`)) as [
    string,
    string,
  ];
  await trained({ output: first, workers: 1 });
  await trained({ output: second, workers: 2, checkpointEvery: 7 });
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
});

test("an output that exists is refused before anything is computed", async () => {
  const output = directory.write("taken.safetensors", "mine");
  await expect(trained({ output }, LAYERS, "no such file")).rejects.toThrow(OutputExistsError);
  await expect(trained({ log: output })).rejects.toThrow(OutputExistsError);
  expect(readFileSync(output, "utf8")).toBe("mine");
});

test("a training that is aborted before it begins does nothing", async () => {
  const output = directory.path("never.safetensors");
  const model = sequential(LAYERS);
  const run = train(model, points, { ...OPTIONS, output, signal: AbortSignal.abort() });
  await expect(run.result).rejects.toThrow(AbortError);
  expect(model.isTrained).toBe(false);
  expect(directory.names()).not.toContain("never.safetensors");
});

const MISFITS: readonly (readonly [says: RegExp, options: TrainOptions, layers: string])[] = [
  [/4 outputs, but there are 3 classes/, {}, "dense(4)"],
  [/3 outputs, but there are 1 values/, { loss: "mse", label: "value" }, LAYERS],
  [/no class "green"/, { classWeights: "green=2" }, LAYERS],
  [/2 class weights for 3 classes/, { classWeights: [1, 2] }, LAYERS],
  [
    /mse has no classes that could have weights/,
    { loss: "mse", label: "value", classWeights: "balanced" },
    "dense(1)",
  ],
  [/takes images of \[channels, height, width\]/, {}, "conv2d(3, 3) | dense(3)"],
  [/no such column for the label/, { label: "colour" }, LAYERS],
];

test.each(MISFITS)("%s: an error, before anything is computed", async (says, options, layers) => {
  await expect(trained(options, layers)).rejects.toThrow(says);
});

test("weights of classes and label smoothing change the loss as they should", async () => {
  const first = async (options: TrainOptions): Promise<number> =>
    (await trained({ ...options, epochs: 1 })).history.loss.points()[0]![1];
  const plain = await first({});
  // As many rows of each class count: balanced is 1 for each, within a few rows.
  expect(await first({ classWeights: [2, 2, 2] })).toBeCloseTo(plain, 12);
  expect(await first({ classWeights: "balanced" })).toBeCloseTo(plain, 1);
  expect(await first({ classWeights: "amber=9" })).not.toBe(plain);
  expect(await first({ labelSmoothing: 0.3 })).not.toBe(plain);
});
