/**
 * @file What is wrong with a checkpoint that was read from a file, which may be damaged, or edited. Numbers that JSON does
 * not know are null there.
 */
import { SluiceError } from "../errors.ts";
import { parseLoss } from "./loss-text.ts";
import { parseOptimizer, parseRateSchedule } from "./optimizer-text.ts";
import { RANGES } from "./options.ts";

/** Where a value is wrong: a path as `settings.batch`, empty for the value itself; undefined where nothing is. */
type Check = (value: unknown) => string | undefined;

const is =
  (fits: (value: unknown) => boolean): Check =>
  (value) =>
    fits(value) ? undefined : "";

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const count = is(isCount);
const text = is((value) => typeof value === "string");
const number = is((value) => value === null || isNumber(value));
const inRange = (name: keyof typeof RANGES): Check =>
  is((value) => isNumber(value) && RANGES[name].fits(value));

const optional =
  (check: Check): Check =>
  (value) =>
    value === null || value === undefined ? undefined : check(value);

/** Of a text that `read` reads. */
const readableBy = (read: (text: string) => unknown): Check =>
  is((value) => {
    if (typeof value !== "string") return false;
    try {
      read(value);
      return true;
    } catch (error) {
      if (error instanceof SluiceError) return false;
      throw error;
    }
  });

const parts =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
    return firstFault(Object.entries(checks), value as Readonly<Record<string, unknown>>);
  };

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return "";
    return firstFault(
      value.map((_, i) => [String(i), check]),
      value as unknown as Readonly<Record<string, unknown>>,
    );
  };

function firstFault(
  checks: readonly (readonly [name: string, check: Check])[],
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, check] of checks) {
    const fault = check(values[name]);
    if (fault !== undefined) return fault === "" ? name : `${name}.${fault}`;
  }
  return undefined;
}

const isClassWeights = (value: unknown): boolean =>
  value === "balanced" || (typeof value === "object" && Object.values(value!).every(isNumber));

const settings = parts({
  layers: text,
  features: optional(listOf(text)),
  ...{ label: optional(text), weight: optional(text) },
  skipNulls: is((value) => typeof value === "boolean"),
  shuffle: optional(count),
  ...{ validation: inRange("validation"), seed: inRange("seed") },
  loss: readableBy(parseLoss),
  classWeights: optional(is(isClassWeights)),
  optimizer: readableBy(parseOptimizer),
  schedule: readableBy(parseRateSchedule),
  clip: optional(inRange("clip")),
  ...{ batch: inRange("batch"), epochs: inRange("epochs"), patience: optional(inRange("patience")) },
});

const score = parts({ loss: number, accuracy: optional(number) });

const curveNumbers = parts({
  width: is((value) => isCount(value) && value !== 0),
  steps: count,
  sums: listOf(number),
});
/** There is a sum for each point. */
const curve: Check = (value) => {
  const fault = curveNumbers(value);
  if (fault !== undefined) return fault;
  const { width, steps, sums } = value as { width: number; steps: number; sums: readonly unknown[] };
  return sums.length === Math.ceil(steps / width) ? undefined : "";
};

const layer = parts({
  index: count,
  ...{ gradientNorm: optional(number), dead: optional(number) },
  learned: optional(parts({ count, values: listOf(number) })),
});

const history = parts({
  ...{ loss: curve, accuracy: curve, gradientNorm: curve, rate: curve },
  epochs: listOf(parts({ epoch: count, step: count, training: score, validation: optional(score) })),
  layers: listOf(parts({ step: count, layers: listOf(layer) })),
});

const checkpoint = parts({
  settings,
  rows: parts({ train: count, validation: count }),
  step: count,
  sums: parts(Object.fromEntries(["loss", "weight", "correct", "rows"].map((name) => [name, is(isNumber)]))),
  validation: optional(score),
  best: optional(parts({ loss: number, step: count, epoch: count })),
  history,
});

/** The first part of a checkpoint that is not what a training writes, as `settings.batch`; undefined where all is. */
export const faultInCheckpoint = (progress: Readonly<Record<string, unknown>>): string | undefined =>
  checkpoint(progress);

/** The same of its settings alone. */
export const faultInSettings: Check = settings;
