/** @file Where a training stands: all that it needs to go on as if it had never stopped, as checkpoints hold it. */
import { UnsupportedError, UsageError } from "../errors.ts";
import { faultInCheckpoint } from "./checkpoint-fault.ts";
import { History, type HistoryData, type Score } from "./history.ts";
import { type Network, sizeOf, tensorsOf } from "./network.ts";
import { parseOptimizer } from "./optimizer-text.ts";
import type { Settings } from "./options.ts";
import type { Training } from "./trained.ts";

/** Sums over the steps of the epoch under way. */
export interface EpochSums {
  /** Of losses times weights. */
  loss: number;
  weight: number;
  correct: number;
  rows: number;
}

export interface Best {
  /** Of the rows held out. */
  readonly loss: number;
  /** Steps done then. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
}

/** What changes from step to step. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  sums: EpochSums;
  /** Of the rows held out, at the last end of an epoch. */
  validation: Score | undefined;
  best: Best | undefined;
  readonly history: History;
}

/** How many rows the data had. */
export interface RowCounts {
  readonly train: number;
  readonly validation: number;
}

/** What a checkpoint says. */
export interface Checkpoint {
  readonly settings: Settings;
  readonly rows: RowCounts;
  readonly state: TrainingState;
  /** The weights that are trained on, where the model's own are better ones. */
  readonly tensors: Map<string, Float32Array> | undefined;
  /** Of the optimiser, as the engine has it: `0.weight.mean`. */
  readonly optimizerState: Map<string, Float32Array>;
}

export const newSums = (): EpochSums => ({ loss: 0, weight: 0, correct: 0, rows: 0 });

export const newState = (): TrainingState => ({
  ...{ step: 0, sums: newSums(), validation: undefined, best: undefined },
  history: new History(),
});

/** The weights in a checkpoint, beside the arrays of the optimiser. */
const LAST = "last";

/** The same training gives the same bytes: nothing here is of the clock, or of how many threads there were. */
export function toTraining({ settings, rows, state, tensors, optimizerState }: Checkpoint): Training {
  const arrays = new Map<string, Float32Array>();
  for (const [name, values] of optimizerState) {
    const { tensor, array } = splitName(name);
    arrays.set(`${array}.${tensor}`, values);
  }
  for (const [name, values] of tensors ?? []) arrays.set(`${LAST}.${name}`, values);
  const { history, ...rest } = state;
  return { progress: { version: VERSION, settings, rows, ...rest, history: history.toJSON() }, arrays };
}

/**
 * @param network whose optimiser's arrays must all be there
 * @throws UsageError where it says nothing, or not what a training can go on from; UnsupportedError for another version
 */
export function fromTraining(training: Training | undefined, network?: Network): Checkpoint {
  if (!training) {
    throw new UsageError("The model says nothing of where its training stands", {
      remedy: "Only what sluice train has written goes on; or train it anew, from its weights.",
    });
  }
  const { progress, arrays } = training;
  if (progress.version !== VERSION) {
    throw new UnsupportedError(
      `The checkpoint's version is ${String(progress.version)}; only ${VERSION} is read`,
      { remedy: "Update Sluice, or begin a new training." },
    );
  }
  const fault = faultInCheckpoint(progress);
  if (fault !== undefined) throw damaged(`its ${fault} is not what a training writes`);
  const { settings, rows, step, sums, history, validation, best } = progress as unknown as Stored;
  const tensors = new Map<string, Float32Array>();
  const optimizerState = new Map<string, Float32Array>();
  for (const [name, values] of arrays) {
    const dot = name.indexOf(".");
    const [array, tensor] = [name.slice(0, dot), name.slice(dot + 1)];
    if (array === LAST) tensors.set(tensor, values);
    else optimizerState.set(`${tensor}.${array}`, values);
  }
  // A step began them.
  if (network && step > 0) requireState(network, settings, optimizerState);
  return {
    ...{ settings, rows, optimizerState },
    tensors: tensors.size > 0 ? tensors : undefined,
    state: {
      ...{ step, sums: { ...sums } },
      ...{ validation: withLoss(validation), best: withLoss(best) },
      history: new History(history),
    },
  };
}

const VERSION = 1;

const damaged = (what: string): UsageError =>
  new UsageError(`The model's checkpoint is damaged: ${what}`, {
    remedy: "Go on from another checkpoint, or begin a new training.",
  });

/** Without its arrays an optimiser would begin anew, in the middle of a training. */
function requireState(
  network: Network,
  { optimizer }: Settings,
  optimizerState: Checkpoint["optimizerState"],
): void {
  const { state: arrays } = parseOptimizer(optimizer);
  for (const { name, shape, learned } of tensorsOf(network)) {
    for (const array of learned ? arrays : []) {
      if (optimizerState.get(`${name}.${array}`)?.length === sizeOf(shape)) continue;
      throw damaged(`the optimiser's ${array} of ${name} is missing, or has another shape`);
    }
  }
}

/** The progress as JSON has it. */
interface Stored extends Omit<TrainingState, "history"> {
  readonly settings: Settings;
  readonly rows: RowCounts;
  readonly history: HistoryData;
}

/** JSON knows no NaN: it has null there. */
function withLoss<Scored extends { readonly loss: number | null }>(scored: Scored | null | undefined) {
  return scored ? { ...scored, loss: scored.loss ?? Number.NaN } : undefined;
}

function splitName(name: string): { readonly tensor: string; readonly array: string } {
  const dot = name.lastIndexOf(".");
  return { tensor: name.slice(0, dot), array: name.slice(dot + 1) };
}
