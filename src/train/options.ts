/** @file What a training is told: options, and the settings that they come to. */
import { UsageError } from "../errors.ts";
import type { DeviceChoice } from "../pipeline/options.ts";
import { parseSize } from "../pipeline/size.ts";
import { layersText } from "./layers-text.ts";
import { type ClassWeights, checkedSmoothing, lossText, parseClassWeights, parseLoss } from "./loss-text.ts";
import type { Loss } from "./losses.ts";
import type { Model } from "./model.ts";
import { parseOptimizer, parseRateSchedule } from "./optimizer-text.ts";
import type { Optimizer } from "./optimizers.ts";
import type { RateSchedule } from "./rates.ts";

/** What `train` takes. */
export interface TrainOptions {
  /** One tensor column, or several columns of numbers. Default: the one tensor column. */
  readonly features?: string | readonly string[] | undefined;
  /** The column to learn. Default: the one other column that can be. */
  readonly label?: string | undefined;
  /** A column of row weights. */
  readonly weight?: string | undefined;
  /** Leave out rows with a null, and count them, instead of failing. */
  readonly skipNulls?: boolean | undefined;
  /** Bytes of rows that are shuffled among each other, as a number or as `"64MiB"` (the default). */
  readonly shuffle?: number | string | undefined;
  /** Share of the rows that are held out, from 0 (the default), below 1. */
  readonly validation?: number | undefined;
  /** A whole number, on which all that is random depends. Default: 0. */
  readonly seed?: number | undefined;
  /** `"cross_entropy"` (the default), `"mse"`, `"mae"`, `"huber(delta=1)"` or `"bce_with_logits"`. */
  readonly loss?: string | Loss | undefined;
  /** For cross entropy: the share of the target that all classes get alike. */
  readonly labelSmoothing?: number | undefined;
  /** What a row of each class counts. */
  readonly classWeights?: string | ClassWeights | undefined;
  /** Default: `"adam(lr=0.001)"`. */
  readonly optimizer?: string | Optimizer | undefined;
  /** Of the learning rate. Default: `"constant"`. */
  readonly schedule?: string | RateSchedule | undefined;
  /** Largest norm of the gradient; a longer one is scaled down to it. */
  readonly clip?: number | undefined;
  /** Rows of a step. Default: 128. */
  readonly batch?: number | undefined;
  /** Passes over the data. Default: 10. */
  readonly epochs?: number | undefined;
  /** Stop after so many epochs without a lower loss on the rows held out, and keep the best weights. */
  readonly patience?: number | undefined;
  /** Where the model is written: at the end, and at checkpoints on the way. */
  readonly output?: string | undefined;
  /** Steps from one checkpoint to the next. Default: at the end of an epoch, when 10 seconds have passed. */
  readonly checkpointEvery?: number | undefined;
  /** Replace an output or a log that exists. */
  readonly overwrite?: boolean | undefined;
  /** Go on where the training of the model stands. What is not given stays as it was. */
  readonly resume?: boolean | undefined;
  /** Where events are written, a line of JSON each. */
  readonly log?: string | undefined;
  /**
   * Steps from one look at the layers (gradients, dead units, slopes) to the next, for the history and the log. `"auto"`:
   * some 100 looks in all, as a report wants them. Default: 0, never, for each of them waits for the workers.
   */
  readonly inspectEvery?: number | "auto" | undefined;
  /**
   * Default: `"auto"`, which times a GPU where there is much to do, and trains on what is faster. `"gpu"` needs the packages
   * gpu.js and webgpu, and is refused with the reason where there is none, and for an op over rows whose parameters are learned.
   */
  readonly device?: DeviceChoice | undefined;
  /** Most threads that compute. Default: `os.availableParallelism()`. */
  readonly workers?: number | undefined;
  /** Bound on the memory of rows, activations and weights, in bytes or as `"256MiB"` (the default). */
  readonly memory?: number | string | undefined;
  /** Aborting it saves to `output`, and rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** What decides over the numbers, as plain JSON: it travels in checkpoints. */
export interface Settings {
  readonly layers: string;
  readonly features: readonly string[] | null;
  readonly label: string | null;
  readonly weight: string | null;
  readonly skipNulls: boolean;
  readonly shuffle: number | null;
  readonly validation: number;
  readonly seed: number;
  readonly loss: string;
  readonly classWeights: ClassWeights | null;
  readonly optimizer: string;
  readonly schedule: string;
  readonly clip: number | null;
  readonly batch: number;
  readonly epochs: number;
  readonly patience: number | null;
}

const DEVICES: readonly DeviceChoice[] = ["auto", "cpu", "gpu"];

/** What a training cannot change when it goes on: the layers, and where it stands in the order of rows. */
const FIXED = [
  "layers",
  "features",
  "label",
  "weight",
  "skipNulls",
  "shuffle",
  "validation",
  "seed",
  "loss",
  "batch",
] as const satisfies readonly (keyof Settings)[];

/**
 * Checks the options, and completes them with what `before` says, else with the defaults.
 *
 * @param before the settings of the training that goes on
 * @throws UsageError, OpSyntaxError
 */
export function settingsOf(model: Model, options: TrainOptions, before: Settings | undefined): Settings {
  const given = givenSettings(model, options);
  if (before) checkSame(given, before);
  const settings = { ...DEFAULTS, ...before, ...given };
  if (settings.patience !== null && settings.validation === 0) {
    throw new UsageError("patience is about rows held out, and none are", {
      remedy: "Hold some out, as with --validation 0.1 (in the API: validation: 0.1).",
    });
  }
  return settings;
}

const DEFAULTS: Omit<Settings, "layers"> = {
  ...{ features: null, label: null, weight: null, skipNulls: false, shuffle: null },
  ...{ validation: 0, seed: 0, loss: "cross_entropy", classWeights: null },
  ...{ optimizer: parseOptimizer("adam").text, schedule: parseRateSchedule("constant").text },
  ...{ clip: null, batch: 128, epochs: 10, patience: null },
};

function givenSettings(model: Model, options: TrainOptions): Partial<Settings> & { readonly layers: string } {
  const { features, label, weight, skipNulls, shuffle, optimizer, schedule } = options;
  const loss = lossOf(options);
  const classWeights = options.classWeights ?? loss?.classWeights;
  const text = (value: string | { readonly text: string }): string =>
    typeof value === "string" ? value : value.text;
  const all: { [Name in keyof Settings]: Settings[Name] | undefined } = {
    layers: layersText(model.layers),
    features: typeof features === "string" ? [features] : features,
    ...{ label, weight, skipNulls },
    shuffle: shuffle === undefined ? undefined : parseSize(shuffle, "shuffle"),
    validation: checked("validation", options.validation),
    seed: checked("seed", options.seed),
    loss: loss && lossText(loss),
    classWeights: typeof classWeights === "string" ? parseClassWeights(classWeights) : classWeights,
    optimizer: optimizer === undefined ? undefined : parseOptimizer(text(optimizer)).text,
    schedule: schedule === undefined ? undefined : parseRateSchedule(text(schedule)).text,
    clip: checked("clip", options.clip),
    batch: checked("batch", options.batch),
    epochs: checked("epochs", options.epochs),
    patience: checked("patience", options.patience),
  };
  checked("checkpointEvery", options.checkpointEvery);
  checked("workers", options.workers);
  if (options.device !== undefined && !DEVICES.includes(options.device)) {
    throw new UsageError(`device cannot be ${String(options.device)}`, {
      remedy: `Give one of ${DEVICES.join(", ")}.`,
    });
  }
  if (options.inspectEvery !== "auto") checked("inspectEvery", options.inspectEvery);
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Settings> & { layers: string };
}

function lossOf({ loss, labelSmoothing }: TrainOptions): Loss | undefined {
  const own = typeof loss === "string" ? parseLoss(loss) : loss;
  if (labelSmoothing === undefined) return own;
  const { kind, ...others } = own ?? { kind: "cross_entropy" };
  if (kind === "cross_entropy") return { ...others, kind, smoothing: checkedSmoothing(labelSmoothing) };
  throw new UsageError(`${kind} has no label smoothing`, { remedy: "It goes with cross_entropy." });
}

/** Which numbers an option may be. */
interface Range {
  readonly what: string;
  readonly fits: (value: number) => boolean;
}
const whole = (least: number): Range => ({
  what: `a whole number from ${least}`,
  fits: (value) => Number.isSafeInteger(value) && value >= least,
});

export const RANGES = {
  validation: { what: "a number from 0, below 1", fits: (value) => value >= 0 && value < 1 },
  seed: { what: "a whole number", fits: Number.isSafeInteger },
  clip: { what: "a number above 0", fits: (value) => value > 0 && Number.isFinite(value) },
  ...{ batch: whole(1), epochs: whole(1), patience: whole(1) },
  ...{ checkpointEvery: whole(1), workers: whole(1), inspectEvery: whole(0) },
} as const satisfies Readonly<Record<string, Range>>;

function checked(name: keyof typeof RANGES, value: number | undefined): number | undefined {
  const { what, fits } = RANGES[name];
  if (value === undefined || (typeof value === "number" && fits(value))) return value;
  throw new UsageError(`${name} cannot be ${String(value)}`, { remedy: `Give ${what}.` });
}

function checkSame(given: Partial<Settings>, before: Settings): void {
  for (const name of FIXED) {
    if (given[name] === undefined) continue;
    const [now, then] = [given[name], before[name]].map((value) => JSON.stringify(value));
    if (now === then) continue;
    throw new UsageError(`${name} was ${then} when this training began, and cannot be ${now} now`, {
      remedy: "Leave it out to go on as before, or begin a new training.",
    });
  }
  const names = [given.optimizer, before.optimizer].map((text) => text && parseOptimizer(text).name);
  if (names[0] !== undefined && names[0] !== names[1]) {
    throw new UsageError(
      `the optimiser was ${names[1]} when this training began, and cannot be ${names[0]} now`,
      {
        remedy: "Its settings may change, as the learning rate.",
      },
    );
  }
}
