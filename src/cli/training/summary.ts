/** @file What a training says when it is done: to people in two lines, to scripts as JSON. */
import { basename } from "node:path";
import type { TrainResult } from "../../train/train.ts";
import { describeDevice } from "../device-text.ts";
import type { Style } from "../style.ts";
import { printable } from "../text.ts";
import { formatCount, formatDuration, plural } from "../units.ts";
import { formatAccuracy, formatLoss } from "./progress-text.ts";

/** `digits.safetensors: 97.3% of 2,000 rows held out right, loss 0.0912; 5 epochs, 315 steps in 3.20 s, …` */
export function renderSummary(result: TrainResult, output: string, style: Style): string {
  const { steps, epochs, seconds, samplesPerSecond } = result;
  const work = `${plural(epochs, "epoch")}, ${plural(steps, "step")} in ${formatDuration(seconds)}`;
  const line = `${scoreText(result)}; ${work}, ${formatCount(samplesPerSecond)} samples/s${deviceText(result)}`;
  return `${style.bold(printable(basename(output)))}: ${line}\n`;
}

/** What must not go unnoticed, whoever watches. */
export function renderNotes({ rows, reason, epoch }: TrainResult, style: Style): string {
  const notes = [
    ...(rows.skipped > 0 ? [`${plural(rows.skipped, "row")} with nulls left out`] : []),
    ...(reason === "stopped early"
      ? [`the loss on the rows held out did not fall any more: the weights are those of epoch ${epoch}`]
      : []),
  ];
  return notes.map((note) => `${style.yellow(style.bold("sluice:"))} ${note}\n`).join("");
}

/** Nothing for a CPU that nobody doubted. */
function deviceText({ device, deviceReason, seconds }: TrainResult): string {
  const [text] = device === "cpu" && seconds < 1 ? [] : describeDevice({ device, deviceReason });
  return text === undefined ? "" : `, ${text}`;
}

export function scoreText({ validation, training, rows }: TrainResult): string {
  if (!validation) return `loss ${formatLoss(training.loss)}`;
  const { loss, accuracy } = validation;
  const held = `${plural(rows.validation, "row")} held out`;
  if (accuracy === undefined) return `loss ${formatLoss(loss)} on ${held}`;
  return `${formatAccuracy(accuracy)} of ${held} right, loss ${formatLoss(loss)}`;
}

/** What `--json` prints beside what the command was given. */
export function toObject(result: TrainResult): object {
  const { history, layers: _, assessed, seconds, samplesPerSecond, ...told } = result;
  return {
    ...told,
    deviceReason: told.deviceReason ?? null,
    seconds: Number(seconds.toFixed(6)),
    samplesPerSecond: Math.round(samplesPerSecond),
    epochLosses: history.epochs.map(({ training, validation }) => ({
      training,
      validation: validation ?? null,
    })),
    confusion: assessed?.confusion ?? null,
  };
}
