/** @file What the report page is to show, from the result of a training. */
import { basename } from "node:path";
import { nameOf } from "../../train/layers.ts";
import type { Network } from "../../train/network.ts";
import type { TrainResult } from "../../train/train.ts";
import { formatCount, formatDuration } from "../units.ts";
import { formatAccuracy, formatLoss } from "./progress-text.ts";
import type { Report } from "./report-page.ts";

/** @param inputs as on the command line */
export function reportOf(
  result: TrainResult,
  network: Network,
  { inputs, output }: { readonly inputs: readonly string[]; readonly output: string },
): Report {
  const { settings, history, layers, assessed, rows } = result;
  return {
    title: basename(output),
    subtitle: settings.layers,
    facts: factsOf(result),
    history,
    layers: network.layers.map(({ index, spec }) => `${index} ${nameOf(spec)}`),
    statistics: layers,
    assessed,
    featureShape: network.inputShape,
    settings: [
      ["input", inputs.join(", ")],
      ["output", output],
      [
        "rows",
        `${formatCount(rows.train)} to train on, ${formatCount(rows.validation)} held out, ${formatCount(rows.skipped)} left out`,
      ],
      ...Object.entries(settings).map(([name, value]): [string, string] => [wordsOf(name), textOf(value)]),
      ["device", result.deviceReason ? `${result.device} (${result.deviceReason})` : result.device],
      ["multiply-add", MULTIPLY_ADD[result.path]],
      ...(result.initial.length > 0 ? [["weights began", result.initial.join("; ")] as const] : []),
      ["ended", result.reason],
    ],
  };
}

const MULTIPLY_ADD: Readonly<Record<TrainResult["path"], string>> = {
  relaxed: "relaxed SIMD (one rounding)",
  plain: "SIMD (two roundings)",
  gpu: "the GPU's",
};

function factsOf(result: TrainResult): [string, string][] {
  const { validation, training, steps, samplesPerSecond, seconds, parameters, epochs } = result;
  const [score, where] = validation ? [validation, ", held out"] : [training, ""];
  return [
    ...(score.accuracy === undefined
      ? []
      : [[`accuracy${where}`, formatAccuracy(score.accuracy)] as [string, string]]),
    [`loss${where}`, formatLoss(score.loss)],
    ["epochs", formatCount(epochs)],
    ["steps", formatCount(steps)],
    ["samples/s", formatCount(samplesPerSecond)],
    ["time", formatDuration(seconds)],
    ["parameters", formatCount(parameters)],
  ];
}

/** `skipNulls` as people read it: `skip nulls`. */
const wordsOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function textOf(value: unknown): string {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
