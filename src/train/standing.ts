/** @file Where a training stands: all that it needs to go on as if it had never stopped, as checkpoints hold it. */
import { UsageError } from "../errors.ts";
import { History, type HistoryData, type Score } from "./history.ts";
import { isSettings, type Settings } from "./options.ts";
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
export interface Standing {
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
  readonly standing: Standing;
  /** The weights that are trained on, where the model's own are better ones. */
  readonly tensors: Map<string, Float32Array> | undefined;
  /** Of the optimiser, as the engine has it: `0.weight.mean`. */
  readonly state: Map<string, Float32Array>;
}

export const newSums = (): EpochSums => ({ loss: 0, weight: 0, correct: 0, rows: 0 });

export const newStanding = (): Standing => ({
  ...{ step: 0, sums: newSums(), validation: undefined, best: undefined },
  history: new History(),
});

/** The weights in a checkpoint, beside the arrays of the optimiser. */
const LAST = "last";

/** The same training gives the same bytes: nothing here is of the clock, or of how many threads there were. */
export function toTraining({ settings, rows, standing, tensors, state }: Checkpoint): Training {
  const arrays = new Map<string, Float32Array>();
  for (const [name, values] of state) {
    const { tensor, array } = splitName(name);
    arrays.set(`${array}.${tensor}`, values);
  }
  for (const [name, values] of tensors ?? []) arrays.set(`${LAST}.${name}`, values);
  const { history, ...rest } = standing;
  return { progress: { version: 1, settings, rows, ...rest, history: history.toJSON() }, arrays };
}

/** @throws UsageError where it says nothing, or not what a training can go on from */
export function fromTraining(training: Training | undefined): Checkpoint {
  if (!training) {
    throw new UsageError("The model says nothing of where its training stands", {
      remedy: "Only what sluice train has written goes on; or train it anew, from its weights.",
    });
  }
  const { progress, arrays } = training;
  const { settings, rows, step, sums, history, validation, best } = progress as unknown as {
    readonly [Name in keyof Stored]: unknown;
  };
  if (!isSettings(settings) || !isCount(step) || !hasCounts(rows) || !isSums(sums)) {
    throw new UsageError("The model's checkpoint is from another version, or damaged", {
      remedy: "Begin a new training.",
    });
  }
  const tensors = new Map<string, Float32Array>();
  const state = new Map<string, Float32Array>();
  for (const [name, values] of arrays) {
    const dot = name.indexOf(".");
    const [array, tensor] = [name.slice(0, dot), name.slice(dot + 1)];
    if (array === LAST) tensors.set(tensor, values);
    else state.set(`${tensor}.${array}`, values);
  }
  return {
    ...{ settings, rows, state },
    tensors: tensors.size > 0 ? tensors : undefined,
    standing: {
      ...{ step, sums: { ...sums } },
      validation: (validation ?? undefined) as Score | undefined,
      best: (best ?? undefined) as Best | undefined,
      history: new History(history as HistoryData | undefined),
    },
  };
}

/** The progress as JSON has it. */
interface Stored extends Omit<Standing, "history"> {
  readonly version: number;
  readonly settings: Settings;
  readonly rows: RowCounts;
  readonly history: HistoryData;
}

function splitName(name: string): { readonly tensor: string; readonly array: string } {
  const dot = name.lastIndexOf(".");
  return { tensor: name.slice(0, dot), array: name.slice(dot + 1) };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function hasCounts(value: unknown): value is RowCounts {
  const { train, validation } = (value ?? {}) as { readonly [Name in keyof RowCounts]?: unknown };
  return isCount(train) && isCount(validation);
}

function isSums(value: unknown): value is EpochSums {
  const sums = (value ?? {}) as { readonly [name: string]: unknown };
  return ["loss", "weight", "correct", "rows"].every((name) => Number.isFinite(sums[name]));
}
