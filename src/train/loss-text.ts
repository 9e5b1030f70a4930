/** @file Losses and class weights as text: `cross_entropy`, `huber(delta=2)`; `balanced`, `cat=2, dog=1`. */
import { OpSyntaxError, UsageError } from "../errors.ts";
import { formatNumber } from "../ops/formula.ts";
import { nearest } from "../ops/suggest.ts";
import { oneLine, parseCalls } from "./call-text.ts";
import type { Loss } from "./losses.ts";

type LossKind = Loss["kind"];

/** What other libraries call them, for errors. */
const ALIASES: Readonly<Record<LossKind, readonly string[]>> = {
  cross_entropy: ["CrossEntropyLoss", "softmax_cross_entropy", "categorical_crossentropy", "nll"],
  mse: ["MSELoss", "mean_squared_error", "l2"],
  mae: ["L1Loss", "mean_absolute_error", "l1"],
  huber: ["HuberLoss", "smooth_l1"],
  bce_with_logits: ["BCEWithLogitsLoss", "bce", "binary_cross_entropy", "binary_crossentropy"],
};

/**
 * Reads a loss.
 *
 * @throws OpSyntaxError that points at the character at fault
 */
export function parseLoss(text: string): Loss {
  const [call, second] = parseCalls(text);
  const fail = (problem: string, at: number, remedy?: string): never => {
    throw new OpSyntaxError(problem, oneLine(text), at, remedy === undefined ? {} : { remedy });
  };
  if (second) fail("there is one loss, not a chain", second.at);
  const { name, arguments: args, at } = call!;
  if (!Object.hasOwn(ALIASES, name)) {
    const known = Object.entries(ALIASES).map(([each, aliases]) => ({ name: each, aliases }));
    const meant = nearest(name, known);
    const remedy =
      meant === undefined ? `Known: ${Object.keys(ALIASES).join(", ")}.` : `Did you mean ${meant}?`;
    fail(`unknown loss ${JSON.stringify(name)}`, at, remedy);
  }
  const kind = name as LossKind;
  const setting = kind === "huber" ? "delta" : kind === "cross_entropy" ? "smoothing" : undefined;
  const [first, extra] = args;
  if (extra) fail(`${name} takes ${setting ? "one value" : "no values"}`, extra.at);
  if (first && (first.name ?? setting) !== setting) {
    fail(`${name} has no setting ${JSON.stringify(first.name)}`, first.at, setting && `It has ${setting}.`);
  }
  if (first && setting === undefined) fail(`${name} takes no values`, first.at);
  const value = first?.value ?? (kind === "huber" ? 1 : 0);
  if (typeof value !== "number") return fail(`${setting} of ${name} must be a number`, first!.at);
  if (kind === "huber") {
    if (!(value > 0 && Number.isFinite(value)))
      fail(`delta of huber cannot be ${value}`, first!.at, "Give a number above 0.");
    return { kind, delta: value };
  }
  if (kind === "cross_entropy") return { kind, smoothing: checkedSmoothing(value) };
  return { kind };
}

export function checkedSmoothing(smoothing: number): number {
  if (smoothing >= 0 && smoothing < 1) return smoothing;
  throw new UsageError(`the label smoothing cannot be ${smoothing}`, {
    remedy: "Give a number from 0, below 1: the share of the target that all classes get alike.",
  });
}

/** A loss as text that `parseLoss` reads back; class weights aside. */
export function lossText(loss: Loss): string {
  if (loss.kind === "huber") return `huber(delta=${formatNumber(loss.delta)})`;
  if (loss.kind === "cross_entropy" && loss.smoothing > 0) {
    return `cross_entropy(smoothing=${formatNumber(loss.smoothing)})`;
  }
  return loss.kind;
}

/** What a row of each class counts: by name, in the order of the classes, or so that all classes count the same together. */
export type ClassWeights = "balanced" | readonly number[] | Readonly<Record<string, number>>;

/**
 * Reads class weights: `balanced`; `1, 2, 0.5`, in the order of the classes; or `cat=2, dog=1`. A name with a comma or an
 * equals sign goes into JSON: `{"a, b": 2}`.
 *
 * @throws UsageError
 */
export function parseClassWeights(text: string): ClassWeights {
  const trimmed = text.trim();
  if (trimmed === "balanced") return "balanced";
  if (trimmed.startsWith("{")) return checkedRecord(parseJson(trimmed));
  const parts = trimmed.replace(/^\[|\]$/g, "").split(",");
  if (!trimmed.includes("=")) return parts.map((part) => weightOf(part, part));
  const pairs = parts.map((part): [string, number] => {
    const at = part.lastIndexOf("=");
    return [part.slice(0, Math.max(0, at)).trim(), weightOf(part.slice(at + 1), part)];
  });
  return Object.fromEntries(pairs);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongWeights(text);
  }
}

function checkedRecord(value: unknown): Record<string, number> {
  const entries = Object.entries(value as object);
  for (const [name, weight] of entries) weightOf(typeof weight === "number" ? String(weight) : "", name);
  return Object.fromEntries(entries);
}

function weightOf(text: string, part: string): number {
  const weight = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(weight) && weight >= 0) return weight;
  throw wrongWeights(part);
}

const wrongWeights = (part: string): UsageError =>
  new UsageError(`${JSON.stringify(part.trim())} is no class weight`, {
    remedy: 'Write balanced, numbers in the order of the classes ("1, 2"), or names ("cat=2, dog=1").',
  });

/**
 * The weight of each class.
 *
 * @param rows of each class, among those that are trained on
 * @throws UsageError where they do not fit the classes
 */
export function resolveClassWeights(
  weights: ClassWeights,
  classes: readonly (string | number | boolean)[],
  rows: readonly number[],
): readonly number[] {
  if (weights === "balanced") {
    const total = rows.reduce((sum, count) => sum + count, 0);
    const present = rows.filter((count) => count > 0).length;
    return rows.map((count) => (count === 0 ? 0 : total / (present * count)));
  }
  const found = isList(weights) ? inOrder(weights, classes) : byName(weights, classes);
  if (found.some((weight) => weight > 0)) return found;
  throw new UsageError("all class weights are 0, so no row counts", {
    remedy: "Give the classes that are to be learned a weight above 0.",
  });
}

function inOrder(weights: readonly number[], classes: readonly unknown[]): readonly number[] {
  if (weights.length === classes.length) return weights;
  throw new UsageError(`there are ${weights.length} class weights for ${classes.length} classes`, {
    remedy: `The classes are ${listed(classes)}.`,
  });
}

/** Classes without a weight of their own count 1. */
function byName(weights: Readonly<Record<string, number>>, classes: readonly unknown[]): readonly number[] {
  const names = classes.map(String);
  const unknown = Object.keys(weights).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no class ${JSON.stringify(unknown)} that could have a weight`, {
      remedy: `The classes are ${listed(classes)}.`,
    });
  }
  return names.map((name) => (Object.hasOwn(weights, name) ? weights[name]! : 1));
}

const isList = (weights: Exclude<ClassWeights, "balanced">): weights is readonly number[] =>
  Array.isArray(weights);

function listed(classes: readonly unknown[]): string {
  const shown = classes.slice(0, 20).map(String).join(", ");
  return classes.length > 20 ? `${shown}, and ${classes.length - 20} more` : shown;
}
