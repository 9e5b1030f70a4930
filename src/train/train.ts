/**
 * @file Trains a model on files of any size, on all cores.
 *
 * ```ts
 * const model = sequential("dense(256) | leaky_relu | dense(10)");
 * const run = train(model, "digits.arrow", { features: "image", label: "label", validation: 0.1 });
 * for await (const { epoch, loss, validation } of run) console.log(epoch, loss, validation?.accuracy);
 * await model.save("digits.safetensors", { overwrite: true });
 * ```
 */
import { availableParallelism } from "node:os";
import type { DeviceName } from "../device.ts";
import { AbortError } from "../errors.ts";
import { parseSize } from "../pipeline/size.ts";
import { checkSameRows, isClassification, lossFor, networkFor } from "./agreement.ts";
import type { Assessed } from "./assessment.ts";
import { type Checkpoint, fromTraining, newState, type RowCounts, toTraining } from "./checkpoint.ts";
import { type Dataset, openDataset } from "./data/dataset.ts";
import type { Engine, EngineOptions, LayerStatistics } from "./engine/engine.ts";
import { evaluate } from "./evaluate.ts";
import { checkOutputFile } from "./files/tensor-file.ts";
import type { History, Score } from "./history.ts";
import { initialise } from "./initialise.ts";
import { parseLoss } from "./loss-text.ts";
import type { Model } from "./model.ts";
import { type Network, sizeOf, type Tensors, tensorsOf } from "./network.ts";
import { openEngineOn } from "./open-engine.ts";
import { parseOptimizer, parseRateSchedule } from "./optimizer-text.ts";
import { type Settings, settingsOf, type TrainOptions } from "./options.ts";
import { RunLog } from "./run-log.ts";
import { Session, type SessionParts } from "./session.ts";
import { StepPlan } from "./step-plan.ts";
import { TrainingRun, type TrainProgress } from "./training-run.ts";

/** What a training came to. */
export interface TrainResult {
  /** Epochs and steps that are done, over all runs of the training. */
  readonly epochs: number;
  readonly steps: number;
  /** Of this run, and how many rows a second it took. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** `"stopped early"`: the loss on the rows held out did not fall any more. */
  readonly reason: "done" | "stopped early";
  /** Of the last epoch, over its steps. */
  readonly training: Score;
  /** Of the weights that are kept, over the rows held out. */
  readonly validation: Score | undefined;
  /** The epoch whose weights are kept. */
  readonly epoch: number;
  readonly rows: RowCounts & { readonly skipped: number };
  /** Numbers that are learned. */
  readonly parameters: number;
  /** What computed the steps. */
  readonly device: DeviceName;
  /** Why it is this one; `undefined` unless the device was `"auto"`. */
  readonly deviceReason: string | undefined;
  /** Which multiply-add computed it: the bits of a training are those of one. */
  readonly path: Engine["path"];
  readonly settings: Settings;
  /** What each layer with weights began with; none where they were there already. */
  readonly initial: readonly string[];
  readonly history: History;
  /** Of the layers, after the last step of this run. */
  readonly layers: readonly LayerStatistics[];
  /** Of the rows held out: which classes are mixed up, and the least certain rows. */
  readonly assessed: Assessed | undefined;
}

/** Inspections of the layers over a whole training, where nothing else is said. */
const INSPECTIONS = 100;
const DEFAULT_MEMORY = "256MiB";

/**
 * Trains `model`, in place, on the rows of files.
 *
 * A model that has weights begins with them, else with random ones by He or Xavier. The losses and weights of every step
 * are the same bits for any `workers`, any `memory`, and across a stop and `resume`, as long as `device` and `path` of the
 * result are the same.
 *
 * @param model of `sequential`, or of `Model.load`
 * @param source Arrow files, as paths or patterns (`"part-*.arrow"`), or two npy files: features and labels
 * @returns the training under way: iterate it for progress, await `result` for its end
 * @throws nothing itself; iterating and `result` throw UsageError, OpSyntaxError, errors of the data, MemoryError,
 *   WorkerError, GpuError, TrainingError for a loss or a gradient that is not finite, AbortError
 *
 * ```ts
 * const model = sequential("dense(32) | leaky_relu(0.1) | dense(10)");
 * const { steps } = await train(model, "digits.arrow", { validation: 0.2, epochs: 2 }).result;
 * await model.save("model.safetensors");
 * ```
 */
export function train(
  model: Model,
  source: string | readonly string[],
  options: TrainOptions = {},
): TrainingRun<TrainResult> {
  return new TrainingRun(async (tell) => {
    try {
      return await run(model, source, options, tell);
    } catch (error) {
      // Whatever it was that noticed.
      throw options.signal?.aborted && !(error instanceof AbortError)
        ? new AbortError(options.signal.reason)
        : error;
    }
  });
}

async function run(
  model: Model,
  source: string | readonly string[],
  options: TrainOptions,
  tell: Task["tell"],
): Promise<TrainResult> {
  options.signal?.throwIfAborted();
  const trained = model.isTrained ? model.trained : undefined;
  const checkpoint = options.resume ? fromTraining(trained?.training, trained?.network) : undefined;
  const settings = settingsOf(model, options, checkpoint?.settings);
  const { output, overwrite } = options;
  // Hours of computing must not end with a name that cannot be written.
  if (output !== undefined) await checkOutputFile(output, { overwrite });
  const dataset = await openData(model, source, settings, options);
  try {
    const { features, label = null } = dataset;
    const complete = { ...settings, features: features.length > 0 ? features : null, label };
    return await trainOn(dataset, { model, settings: complete, options, checkpoint, tell });
  } finally {
    await dataset.close();
  }
}

interface Task {
  readonly model: Model;
  readonly settings: Settings;
  readonly options: TrainOptions;
  /** Where it goes on from. */
  readonly checkpoint: Checkpoint | undefined;
  readonly tell: (progress: TrainProgress) => void;
}

async function trainOn(dataset: Dataset, task: Task): Promise<TrainResult> {
  const { model, settings, options, checkpoint, tell } = task;
  const { rows } = dataset;
  if (checkpoint) checkSameRows(rows, checkpoint.rows);
  const network = networkFor(model, dataset);
  const loss = lossFor(settings, dataset, network);
  const optimizer = parseOptimizer(settings.optimizer);
  const schedule = parseRateSchedule(settings.schedule);
  const { tensors, choices } = await initialTensors(network, dataset, task);
  const state = checkpoint?.state ?? newState();
  const automatic = Math.ceil((Math.ceil(rows.train / settings.batch) * settings.epochs) / INSPECTIONS);
  const inspectEvery = options.inspectEvery === "auto" ? automatic : (options.inspectEvery ?? 0);
  const plan = new StepPlan({
    ...{ rows: rows.train, batch: settings.batch, epochs: settings.epochs },
    stops: [inspectEvery, options.checkpointEvery ?? 0],
  });
  const rateAt = (step: number): number =>
    optimizer.rate * schedule.factorAt(step, plan.total, plan.perEpoch);
  const workers = options.workers ?? availableParallelism();
  const engineOptions: EngineOptions = {
    ...{ network, loss, optimizer, tensors, state: checkpoint?.optimizerState },
    ...{ clip: settings.clip ?? undefined, batch: settings.batch, seed: settings.seed, workers },
    memory: parseSize(options.memory ?? DEFAULT_MEMORY, "memory") - dataset.memory,
    targetSize: dataset.target.kind === "classes" ? 1 : dataset.target.size,
  };
  const parameters = tensorsOf(network)
    .filter(({ learned }) => learned)
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);

  const stepsLeft = plan.total - state.step;
  const { device, deviceReason, ...opened } = await openEngineOn(
    options.device ?? "auto",
    engineOptions,
    stepsLeft,
  );
  let { engine } = opened;
  let log: RunLog | undefined;
  try {
    log = openLog(options, checkpoint);
    log?.write([
      checkpoint
        ? { event: "resume", step: state.step, settings }
        : {
            event: "start",
            settings,
            rows,
            parameters,
            path: engine.path,
            device,
            workers,
            initial: choices,
          },
    ]);
    let overwrite = options.overwrite ?? false;
    const save: SessionParts["save"] = async (own, best) => {
      const training = toTraining({
        ...{ settings, rows, state },
        ...{ tensors: best && own, optimizerState: await engine.state() },
      });
      const { features, target } = dataset;
      model.set({ network, tensors: best ?? own, features, target, loss, training });
      if (options.output === undefined) return;
      await model.save(options.output, { overwrite });
      overwrite = true;
    };
    const scalarsAt = (step: number): readonly number[] => optimizer.scalarsAt(step, rateAt(step));
    const best = state.best && new Map(model.tensors);
    const parts = { options, settings, dataset, network, engine, plan, state, log, inspectEvery };
    const session = new Session({ ...parts, rateAt, scalarsAt, tell, save }, best);
    const first = state.step;
    await session.run();
    const { seconds } = session;

    let evaluation = session.best ? undefined : session.evaluation;
    if (!evaluation && rows.validation > 0) {
      if (session.best) {
        await engine.close();
        const best = { ...engineOptions, tensors: session.best, state: undefined };
        ({ engine } = await openEngineOn(device, best, 0));
      }
      const slots = { first: 0, count: engine.slots };
      evaluation = await evaluate(engine, {
        dataset,
        network,
        batch: settings.batch,
        slots,
        signal: options.signal,
      });
    }
    const last = state.history.epochs.at(-1);
    return {
      ...{ epochs: last?.epoch ?? 0, steps: state.step, seconds },
      samplesPerSecond: ((state.step - first) * rows.train) / plan.perEpoch / seconds,
      reason: session.isStopped ? "stopped early" : "done",
      training: last?.training ?? { loss: Number.NaN },
      validation: evaluation?.score,
      epoch: state.best?.epoch ?? last?.epoch ?? 0,
      ...{ rows, parameters, device, deviceReason, path: engine.path, settings, initial: choices },
      ...{ history: state.history, layers: session.layers, assessed: evaluation?.assessed },
    };
  } finally {
    log?.close();
    await engine.close();
  }
}

function openData(
  model: Model,
  source: string | readonly string[],
  { features, label, weight, skipNulls, shuffle, validation, seed, loss }: Settings,
  { memory, resume, signal }: TrainOptions,
): Promise<Dataset> {
  const target = resume ? model.target : undefined;
  return openDataset(source, {
    features: features && features.length > 0 ? features : undefined,
    ...{ label: label ?? undefined, weight: weight ?? undefined, skipNulls, shuffle: shuffle ?? undefined },
    ...{ validation, seed, signal, memory: parseSize(memory ?? DEFAULT_MEMORY, "memory") },
    task: isClassification(parseLoss(loss), model) ? "classes" : "values",
    classes: target?.kind === "classes" ? target.classes : undefined,
  });
}

async function initialTensors(
  network: Network,
  dataset: Dataset,
  { model, settings, checkpoint }: Task,
): Promise<{ readonly tensors: Tensors; readonly choices: readonly string[] }> {
  if (checkpoint?.tensors) return { tensors: checkpoint.tensors, choices: [] };
  if (model.isTrained) return { tensors: model.tensors, choices: [] };
  const measured = network.layers.some(({ spec }) => spec.kind === "standardize");
  return initialise(network, settings.seed, measured ? await dataset.statistics() : undefined);
}

function openLog(
  { log, overwrite = false }: TrainOptions,
  checkpoint: Checkpoint | undefined,
): RunLog | undefined {
  if (log === undefined) return undefined;
  return checkpoint ? RunLog.resume(log, checkpoint.state.step) : RunLog.create(log, overwrite);
}
