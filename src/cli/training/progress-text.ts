/** @file What a training says of its progress in the terminal: a line that is drawn in place, and one for each epoch. */
import type { TrainProgress } from "../../train/training-run.ts";
import { renderBar } from "../progress-text.ts";
import type { Style } from "../style.ts";
import { displayWidth, padEnd, padStart } from "../text.ts";
import { formatClock, formatCount } from "../units.ts";

const GAP = 2;
/** Cells of the bar. */
const BAR = { least: 8, most: 36 };

/** One line of at most `width` cells. What does not fit goes, the least useful first. */
export function renderTraining(progress: TrainProgress, width: number, style: Style): string {
  const { epoch, epochs, step, steps, loss, accuracy, secondsLeft, samplesPerSecond } = progress;
  const percent = padStart(`${Math.floor((100 * step) / steps)}%`, 4);
  const told: (readonly [text: string, place: number])[] = [
    [`loss ${formatLoss(loss)}`, 2],
    [`${formatClock(secondsLeft)} left`, 5],
    [accuracy === undefined ? "" : `accuracy ${padStart(formatAccuracy(accuracy), 5)}`, 3],
    [`epoch ${padStart(String(epoch), String(epochs).length)}/${epochs}`, 0],
    [`${formatCount(samplesPerSecond)} samples/s`, 4],
  ];
  let room = width - BAR.least - GAP - percent.length;
  const shown = told.filter(([text]) => {
    const needed = displayWidth(text) + GAP;
    if (text === "" || needed > room) return false;
    room -= needed;
    return true;
  });
  const bar = renderBar(step / steps, Math.min(BAR.most, BAR.least + room), style);
  const parts: (readonly [text: string, place: number])[] = [
    ...shown,
    [`${bar}${" ".repeat(GAP)}${percent}`, 1],
  ];
  return parts
    .sort(([, a], [, b]) => a - b)
    .map(([text]) => text)
    .join(" ".repeat(GAP));
}

/** `epoch  3/10   loss 0.2134  accuracy 93.1%   held out: loss 0.1876  accuracy 94.5%   31,204 samples/s` */
export function renderEpoch(progress: TrainProgress, style: Style): string {
  const { epoch, epochs, loss, accuracy, validation, samplesPerSecond } = progress;
  const score = (each: { readonly loss: number; readonly accuracy?: number | undefined }): string => {
    const share =
      each.accuracy === undefined ? "" : `  accuracy ${padStart(formatAccuracy(each.accuracy), 6)}`;
    return `loss ${padEnd(formatLoss(each.loss), 6)}${share}`;
  };
  const parts = [
    style.bold(`epoch ${padStart(String(epoch), String(epochs).length)}/${epochs}`),
    score({ loss, accuracy }),
    ...(validation ? [`held out: ${score(validation)}`] : []),
    style.dim(`${formatCount(samplesPerSecond)} samples/s`),
  ];
  return `${parts.join("   ")}\n`;
}

/** Four digits behind the point, or as many as count: `0.1234`, `12.34`, `1.2e-5`. */
export function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  if (loss !== 0 && Math.abs(loss) < 0.001) return loss.toExponential(1).replace("e+", "e");
  return Math.abs(loss) >= 1e6 ? loss.toExponential(2).replace("e+", "e") : loss.toFixed(loss >= 10 ? 2 : 4);
}

/** `97.3%`. All right is 100%, and nothing else is. */
export function formatAccuracy(share: number): string {
  if (share === 1) return "100%";
  return `${Math.min(99.9, Math.round(1000 * share) / 10).toFixed(1)}%`;
}
