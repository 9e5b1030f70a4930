/**
 * @file What `apply` and `grad` say when they are done: JSON for scripts; for people one line, the gradients of parameters,
 * and a note for a column left alone.
 */
import { basename } from "node:path";
import type { Gradients } from "../pipeline/grad-job.ts";
import type { TransformResult } from "../pipeline/options.ts";
import { describeDevice } from "./device-text.ts";
import { print, toJson } from "./print.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { renderTable } from "./table.ts";
import { displayWidth, printable, truncate } from "./text.ts";
import { formatDuration, formatRate, formatRoundCount, formatSize, plural } from "./units.ts";

export interface ResultOptions {
  /** Of the command. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly json: boolean;
  /** Whether somebody watches stderr. */
  readonly terminal: boolean;
}

/** What a pass gives; with gradients where it went backward. */
export type PassResult = Omit<TransformResult, "ops" | "columns" | "skipped"> &
  Partial<Pick<TransformResult, "skipped">> & {
    readonly gradients?: Gradients;
    /** What must not go unnoticed; JSON has it as numbers. */
    readonly notes?: readonly string[];
  };

export async function showResult(result: PassResult, options: ResultOptions): Promise<void> {
  const { name, inputs, output, json, terminal } = options;
  if (json) {
    const { notes: _, ...told } = result;
    const seconds = Number(result.seconds.toFixed(6));
    const bytesPerSecond = Math.round(result.bytesPerSecond);
    const input = inputs.length === 1 ? inputs[0] : inputs;
    await print(
      toJson({ command: name, input, output, ...told, seconds, bytesPerSecond }),
      output === "-" ? "stderr" : "stdout",
    );
    return;
  }
  const style = styleFor(process.stderr.isTTY === true);
  await print(renderNotes(result, style), "stderr");
  const width = widthOf(process.stderr);
  if (result.gradients) await print(renderGradients(result.gradients, width, style), "stderr");
  if (terminal) await print(renderSummary(result, output, width, style), "stderr");
}

/** Values of a per-channel gradient that are shown; `--json` has all. */
const MOST_VALUES = 8;

/** One line for each parameter. */
export function renderGradients(gradients: Gradients, width: number, style: Style): string {
  const rows = Object.entries(gradients).map(([name, value]): [string, string] => {
    const values = typeof value === "number" ? [value] : value;
    const shown = values.slice(0, MOST_VALUES).map(String);
    if (values.length > MOST_VALUES) shown.push(`and ${values.length - MOST_VALUES} more (--json has all)`);
    return [style.cyan(printable(name)), shown.join(", ")];
  });
  if (rows.length === 0) return "";
  return renderTable([{ title: "gradient of" }, { title: "", wrapAt: 30 }], rows, { width, style });
}

/** A column that looks like a tensor and was not computed must not go unnoticed. */
export function renderNotes(
  { skipped = [], notes = [] }: Pick<PassResult, "skipped" | "notes">,
  style: Style,
): string {
  const prefix = style.yellow(style.bold("sluice:"));
  const left = skipped.map(
    ({ column, reason }) => `column "${printable(column)}" passed through as it is: ${printable(reason)}`,
  );
  return [...left, ...notes].map((text) => `${prefix} ${text}\n`).join("");
}

/** `out.arrow: 10,000 rows, 7.84 million elements, 31.4 MiB in 0.41 s, 76.5 MiB/s`, or what of it fits in one line. */
export function renderSummary(result: PassResult, output: string, width: number, style: Style): string {
  const rate = formatRate(result.bytesPerSecond);
  const rows = result.rows > 0 ? [plural(result.rows, "row")] : [];
  const elements = [`${formatRoundCount(result.elements)} element${result.elements === 1 ? "" : "s"}`];
  const time = `${formatSize(result.bytes)} in ${formatDuration(result.seconds)}`;
  // Of what is over at once nobody asks why the CPU did it.
  const devices = result.seconds < 1 && result.device === "cpu" ? [] : describeDevice(result);
  const versions = [
    ...devices.map((device) => [...rows, ...elements, time, rate, device]),
    ...[[...rows, ...elements, time, rate], [...rows, time, rate], [time, rate], [time]],
  ].map((parts) => parts.filter(Boolean).join(", "));
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
