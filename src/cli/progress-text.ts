/** @file The text of the progress line, fitted to the width of the terminal. */
import type { Style } from "./style.ts";
import { displayWidth, padStart, truncate } from "./text.ts";
import { formatClock, formatCount, formatRate, formatSize, formatSizeOf } from "./units.ts";

export interface ProgressState {
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  readonly rows: number;
  /** Bytes a second of late; `undefined` until there is enough to tell. */
  readonly rate: number | undefined;
  readonly seconds: number;
  /** What computes, in words; the longest first. */
  readonly device: readonly string[];
}

const GAP = 2;
/** Cells: what the bar has at least, beside the device, before the op gets more, and at most. */
const BAR = { least: 8, some: 12, fair: 16, most: 42 };
const LABEL = { least: 8, most: 40 };

/** One line of at most `width` cells. What does not fit goes, the least useful first: op, sizes, rate, time left. */
export function renderProgress(label: string, state: ProgressState, width: number, style: Style): string {
  return state.totalBytes === undefined
    ? renderUnbounded(label, state, width, style)
    : renderBounded(label, state, state.totalBytes, width, style);
}

function renderBounded(
  label: string,
  state: ProgressState,
  total: number,
  width: number,
  style: Style,
): string {
  const done = Math.min(state.bytes, total);
  const share = total > 0 ? done / total : 1;
  const percent = padStart(`${Math.floor(share * 100)}%`, 4);
  // Of steady width each, so that the line stands still while its figures change.
  const sizes = padStart(formatSizeOf(done, total), formatSizeOf(total, total).length);
  const rate = padStart(formatRate(state.rate ?? Number.NaN), 10);
  const left = padStart(timeLeft(total - done, state.rate), 9);

  let room = width - BAR.least - GAP - percent.length;
  const fits = (cells: number): boolean => {
    if (cells + GAP > room) return false;
    room -= cells + GAP;
    return true;
  };
  const [hasLeft, hasRate, hasSizes] = [fits(left.length), fits(rate.length), fits(sizes.length)];
  const after: string[] = [
    percent,
    ...(hasSizes ? [sizes] : []),
    ...(hasRate ? [rate] : []),
    ...(hasLeft ? [left] : []),
  ];

  let name = "";
  const least = Math.min(LABEL.least, displayWidth(label));
  if (least > 0 && fits(least)) {
    const more = Math.max(Math.floor(room / 2), room - (BAR.fair - BAR.least));
    name = truncate(label, Math.min(LABEL.most, least + Math.max(0, more)), style.unicode ? "…" : "...");
    room -= displayWidth(name) - least;
  }
  const device = state.device.find((text) => displayWidth(text) + GAP <= room - (BAR.some - BAR.least));
  if (device !== undefined) {
    room -= displayWidth(device) + GAP;
    after.push(style.dim(device));
  }
  const bar = renderBar(share, Math.min(BAR.most, BAR.least + Math.max(0, room)), style);
  return [...(name ? [style.bold(name)] : []), bar, ...after].join("  ");
}

/** Empty where nobody can tell, or would wait. */
function timeLeft(bytes: number, rate: number | undefined): string {
  const seconds = rate ? bytes / rate : Number.POSITIVE_INFINITY;
  return seconds < 100 * 3600 ? `${formatClock(seconds)} left` : "";
}

function renderUnbounded(label: string, state: ProgressState, width: number, style: Style): string {
  const parts = [padStart(formatSize(state.bytes), 8)];
  let room = width - parts[0]!.length;
  const add = (text: string): void => {
    if (displayWidth(text) + GAP > room) return;
    room -= displayWidth(text) + GAP;
    parts.push(text);
  };
  add(padStart(formatRate(state.rate ?? Number.NaN), 10));
  add(padStart(formatClock(state.seconds), 5));
  add(`${formatCount(state.rows)} rows`);
  const device = state.device.find((text) => displayWidth(text) + GAP <= room);
  if (device !== undefined) add(device);
  const name = truncate(label, Math.min(LABEL.most, room - GAP), style.unicode ? "…" : "...");
  const worth = name !== "" && displayWidth(name) >= Math.min(LABEL.least, displayWidth(label));
  return [...(worth ? [style.bold(name)] : []), ...parts].join("  ");
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of `width` cells with its frame, filled to eighths of a cell. */
export function renderBar(share: number, width: number, style: Style): string {
  const cells = width - 2;
  if (!style.unicode) {
    const full = Math.floor(share * cells);
    return `[${"#".repeat(full)}${"-".repeat(cells - full)}]`;
  }
  const eighths = Math.floor(share * cells * 8);
  const filled = "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  const empty = " ".repeat(cells - displayWidth(filled));
  return `${style.dim("▕")}${style.cyan(filled)}${empty}${style.dim("▏")}`;
}
