/** @file What `apply` says when it is done: JSON for scripts, one line for people, a note for a column left alone. */
import { basename } from "node:path";
import type { TransformResult } from "../pipeline/options.ts";
import { print, toJson } from "./streams.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { displayWidth, printable, truncate } from "./text.ts";
import { formatDuration, formatRate, formatRoundCount, formatSize, plural } from "./units.ts";

export interface ResultOptions {
  readonly input: string;
  readonly output: string;
  readonly json: boolean;
  /** Whether somebody watches stderr. */
  readonly terminal: boolean;
}

export async function showResult(result: TransformResult, options: ResultOptions): Promise<void> {
  const { input, output, json, terminal } = options;
  if (json) {
    const seconds = Number(result.seconds.toFixed(6));
    const bytesPerSecond = Math.round(result.bytesPerSecond);
    await print(
      toJson({ command: "apply", input, output, ...result, seconds, bytesPerSecond }),
      output === "-" ? "stderr" : "stdout",
    );
    return;
  }
  const style = styleFor(process.stderr.isTTY === true);
  await print(renderNotes(result, style), "stderr");
  if (terminal) await print(renderSummary(result, output, widthOf(process.stderr), style), "stderr");
}

/** A column that looks like a tensor and was not computed must not go unnoticed. */
export function renderNotes(result: TransformResult, style: Style): string {
  return result.skipped
    .map(({ column, reason }) => {
      const prefix = style.yellow(style.bold("sluice:"));
      return `${prefix} column "${printable(column)}" passed through as it is: ${printable(reason)}\n`;
    })
    .join("");
}

/** `out.arrow: 10,000 rows, 7.84 million elements, 31.4 MiB in 0.41 s, 76.5 MiB/s`, or what of it fits in one line. */
export function renderSummary(result: TransformResult, output: string, width: number, style: Style): string {
  const rate = formatRate(result.bytesPerSecond);
  const rows = result.rows > 0 ? [plural(result.rows, "row")] : [];
  const elements = [`${formatRoundCount(result.elements)} element${result.elements === 1 ? "" : "s"}`];
  const time = `${formatSize(result.bytes)} in ${formatDuration(result.seconds)}`;
  const versions = [[...rows, ...elements, time, rate], [...rows, time, rate], [time, rate], [time]].map(
    (parts) => parts.filter(Boolean).join(", "),
  );
  const path = printable(output === "-" ? "stdout" : output);
  const names = path === "stdout" ? [path] : [path, basename(path)];
  // The whole path is worth less than the figures.
  for (const text of versions) {
    for (const name of names) {
      if (displayWidth(name) + 2 + text.length < width) return `${style.bold(name)}: ${text}\n`;
    }
  }
  const room = Math.max(8, width - time.length - 3);
  return `${style.bold(truncate(names.at(-1)!, room, style.unicode ? "…" : "..."))}: ${time}\n`;
}
