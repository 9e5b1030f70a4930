/** @file `sluice train <input>... -o <model>`. */
import { existsSync } from "node:fs";
import { isatty } from "node:tty";
import { AbortError, UsageError } from "../errors.ts";
import { statOutput } from "../pipeline/sink.ts";
import { Model, sequential } from "../train/model.ts";
import type { TrainOptions } from "../train/options.ts";
import { type TrainResult, train } from "../train/train.ts";
import type { TrainProgress } from "../train/training-run.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interrupt.ts";
import { LiveLine } from "./live-line.ts";
import type { Options } from "./options.ts";
import { print, toJson } from "./print.ts";
import { type Style, styleFor } from "./style.ts";
import { printable } from "./text.ts";
import { renderEpoch, renderTraining } from "./training/progress-text.ts";
import { renderNotes, renderSummary, toObject } from "./training/summary.ts";
import { formatCount } from "./units.ts";

export const run: Run = async (inputs, options) => {
  const outputs = outputsOf(options);
  await checkOutputs(outputs, options);
  const [json, quiet] = [options.has("json"), options.has("quiet")];
  const model = await modelOf(options);
  const settings = settingsOf(options, outputs);
  const terminal = !quiet && isatty(2);
  const style = styleFor(terminal);
  const live = terminal && process.env.TERM !== "dumb" && !options.has("no-progress");

  const result = await interruptible((signal) =>
    watch(model, inputs, { ...settings, signal }, live, style),
  ).catch(async (error) => {
    if (error instanceof AbortError && existsSync(outputs.model) && !quiet)
      await tellSaved(model, outputs.model, style);
    throw error;
  });
  const overwrite = options.has("overwrite");
  if (outputs.onnx !== undefined) await model.saveOnnx(outputs.onnx, { overwrite });
  if (outputs.report !== undefined)
    await writeReport(result, model, inputs, { ...outputs, report: outputs.report }, overwrite);
  if (json) {
    const { model: output, ...others } = outputs;
    await print(toJson({ command: "train", inputs, output, ...others, ...toObject(result) }));
  }
  if (!quiet) await print(renderNotes(result, style), "stderr");
  if (terminal) await print(renderSummary(result, outputs.model, style), "stderr");
  return EXIT.done;
};

/** Where things are written. */
interface Outputs {
  readonly model: string;
  readonly onnx: string | undefined;
  readonly report: string | undefined;
  readonly log: string | undefined;
}

function outputsOf(options: Options): Outputs {
  const model = options.text("output") ?? options.text("resume");
  if (model === undefined) {
    throw new UsageError("train needs a place for the model: -o FILE", {
      remedy: "As in -o model.safetensors.",
    });
  }
  if (model === "-") {
    throw new UsageError("a model is written to a file, not to stdout", {
      remedy: "As in -o model.safetensors.",
    });
  }
  const outputs = {
    model,
    onnx: options.text("onnx"),
    report: options.text("report"),
    log: options.text("log"),
  };
  const paths = Object.values(outputs).filter((path) => path !== undefined);
  const twice = paths.find((path, i) => paths.indexOf(path) < i);
  if (twice !== undefined) {
    throw new UsageError(`${JSON.stringify(twice)} is to be written twice`, {
      remedy: "Give each output a name of its own.",
    });
  }
  return outputs;
}

/** What cannot be written is told before hours are spent. `train` does so for the model, and begins the log. */
async function checkOutputs({ onnx, report }: Outputs, options: Options): Promise<void> {
  const { checkOutputFile } = await import("../train/files/tensor-file.ts");
  const overwrite = options.has("overwrite");
  if (onnx !== undefined) await checkOutputFile(onnx, { overwrite });
  if (report === undefined) return;
  const existing = await statOutput(report);
  // A pipe or a device is not begun twice.
  if (!existing || existing.isFile() || existing.isDirectory()) await checkOutputFile(report, { overwrite });
}

/** A training that goes on replaces its own checkpoint. */
const isOwnCheckpoint = (options: Options, model: string): boolean => options.text("resume") === model;

async function modelOf(options: Options): Promise<Model> {
  const [layers, resume] = [options.text("layers"), options.text("resume")];
  if (resume !== undefined) {
    const model = await Model.load(resume);
    if (layers === undefined) return model;
    // That they are the same is for the training to say.
    return new Model(sequential(layers).layers, model.trained);
  }
  if (layers !== undefined) return sequential(layers);
  throw new UsageError("train needs --layers", {
    remedy: "As in --layers 'dense(256) | leaky_relu | dense(10)'.",
  });
}

function settingsOf(options: Options, outputs: Outputs): TrainOptions {
  const resume = options.text("resume");
  return {
    features: options.all("features"),
    label: options.text("label"),
    weight: options.text("weight"),
    skipNulls: options.has("skip-nulls") || undefined,
    shuffle: options.text("shuffle"),
    validation: options.number("validation"),
    seed: options.number("seed"),
    loss: options.text("loss"),
    labelSmoothing: options.number("label-smoothing"),
    classWeights: options.text("class-weights"),
    optimizer: options.text("optimizer"),
    schedule: options.text("schedule"),
    clip: options.number("clip"),
    batch: options.positive("batch"),
    epochs: options.positive("epochs"),
    patience: options.positive("patience"),
    checkpointEvery: options.positive("checkpoint-every"),
    device: options.choice("device", ["auto", "cpu", "gpu"]),
    workers: options.positive("workers"),
    memory: options.text("memory"),
    resume: resume !== undefined,
    output: outputs.model,
    overwrite: options.has("overwrite") || isOwnCheckpoint(options, outputs.model),
    log: outputs.log,
    inspectEvery: outputs.report === undefined && outputs.log === undefined ? 0 : "auto",
  };
}

/** Trains, and shows how it goes where somebody watches. */
async function watch(
  model: Model,
  inputs: readonly string[],
  options: TrainOptions,
  live: boolean,
  style: Style,
): Promise<TrainResult> {
  const training = train(model, inputs, options);
  if (!live) return training.result;
  let latest: TrainProgress | undefined;
  const line = new LiveLine(process.stderr, (width) => latest && renderTraining(latest, width, style));
  try {
    for await (const progress of training) {
      latest = progress;
      if (progress.kind === "epoch") line.print(renderEpoch(progress, style));
    }
  } finally {
    line.close();
  }
  return training.result;
}

async function tellSaved(model: Model, path: string, style: Style): Promise<void> {
  if (!model.isTrained) return;
  const step = formatCount(Number(model.trained.training?.progress.step ?? 0));
  const prefix = style.yellow(style.bold("sluice:"));
  const text = `step ${step} is saved in ${printable(path)}; to go on: --resume ${printable(path)}`;
  await print(`${prefix} ${text}\n`, "stderr").catch(() => {});
}

async function writeReport(
  result: TrainResult,
  model: Model,
  inputs: readonly string[],
  { model: output, report }: Outputs & { readonly report: string },
  overwrite: boolean,
): Promise<void> {
  const [{ renderReport }, { reportOf }, { writePicture }] = await Promise.all([
    import("./training/report-page.ts"),
    import("./training/report.ts"),
    import("./plot/write.ts"),
  ]);
  await writePicture(report, overwrite, async () =>
    Buffer.from(renderReport(reportOf(result, model.network, { inputs, output }))),
  );
}
