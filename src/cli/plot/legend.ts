/** @file The legend of charts in the terminal. */
import type { Style } from "../style.ts";
import { displayWidth, truncate } from "../text.ts";
import { markOf, paintOf } from "./marks.ts";

const GAP = "   ";

/** The label, cut where it is longer than `width` cells. */
export const fitLabel = (label: string, width: number, { unicode }: Style): string =>
  truncate(label, width, unicode ? "…" : "...");

/** `● leaky_relu   ▲ elu`, in lines of at most `width` cells. */
export function renderLegend(labels: readonly string[], width: number, style: Style): string[] {
  const lines: string[] = [];
  for (const [i, label] of labels.entries()) {
    const entry = `${paintOf(i, style)(markOf(i, style))} ${fitLabel(label, width - 2, style)}`;
    const longer = `${lines.at(-1)}${GAP}${entry}`;
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(entry);
  }
  return lines;
}
