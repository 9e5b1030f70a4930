/** @file What `inspect` found, as text: a headline, the columns, the tensors, the statistics. */
import type { FieldSummary, Format } from "../formats/layout.ts";
import type { Inspection, TensorInspection } from "../pipeline/inspect.ts";
import type { Statistics } from "../pipeline/statistics.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, padEnd, printable, truncate, wrap } from "./text.ts";
import { formatCount, formatShare, formatSize, formatValue, plural } from "./units.ts";

const FORMATS: Readonly<Record<Format, string>> = {
  arrow: "Arrow IPC file",
  arrows: "Arrow IPC stream",
  npy: "npy array",
};

const LONGEST_METADATA = 200;

export function renderInspection(found: Inspection, input: string, width: number, style: Style): string {
  const name = input === "-" ? "stdin" : printable(input);
  const measure = measureOf(width);
  const npy = found.format === "npy";
  const shape = npy ? found.fields.map(({ type }) => type) : [];
  const facts = [FORMATS[found.format], ...shape, formatSize(found.bytes), ...rowsOf(found)].join(", ");
  const parts = [`${style.bold(name)}\n`, ...wrap(facts, measure - 2).map((line) => `  ${line}\n`)];
  const section = (title: string, text: string): void => {
    if (text !== "") parts.push(`\n${style.bold(title)}\n${text}`);
  };
  if (!npy) section(plural(found.fields.length, "column"), renderFields(found.fields, width, style));
  section(plural(found.tensors.length, "tensor"), renderTensors(found, width, style));
  const measured = found.tensors.filter(({ statistics }) => statistics !== undefined && statistics.count > 0);
  if (found.tensors.length === 0) {
    const floats = found.fields.some(({ type }) => FLOAT.test(type));
    const hint = floats
      ? "No tensor column. Name a float column to look at its values: -c NAME."
      : "No tensor column.";
    parts.push("\n", ...wrap(hint, measure).map((line) => `${line}\n`));
  }
  section("Statistics", renderStatistics(measured, width, style));
  if (measured.some(({ statistics, elements }) => statistics!.count < elements)) {
    const note = "From the first 64 MiB of each tensor; --statistics all reads every element.";
    parts.push(...wrap(note, measure - 2).map((line) => `  ${style.dim(line)}\n`));
  }
  section("Metadata", renderMetadata(found.metadata, width, style));
  return parts.join("");
}

function rowsOf({ format, rows, batches }: Inspection): string[] {
  if (format === "npy") return [];
  const { count, minRows, maxRows } = batches;
  const each =
    count < 2
      ? ""
      : minRows === maxRows
        ? ` of ${formatCount(minRows)}`
        : ` of ${formatCount(minRows)} to ${formatCount(maxRows)}`;
  return [`${plural(rows, "row")} in ${plural(count, "batch")}${each}`];
}

function renderFields(fields: readonly FieldSummary[], width: number, style: Style): string {
  return renderTable(
    [{ title: "name" }, { title: "type" }, { title: "", wrapAt: 20 }],
    fields.map(({ name, type, nullable, role, reason }) => [
      style.cyan(printable(name)),
      printable(type) + (nullable ? "" : " not null"),
      role === "skipped"
        ? style.yellow(`skipped: ${printable(reason ?? "")}`)
        : style.dim(FLOAT.test(type) ? "float" : role === "plain" ? "" : "tensor"),
    ]),
    { width, style },
  );
}

/** Not computed unless it is named; the help of `inspect` says so. */
const FLOAT = /^float(16|32|64)$/;

function renderTensors({ format, tensors }: Inspection, width: number, style: Style): string {
  return renderTable(
    [
      { title: "name" },
      { title: "dtype" },
      { title: format === "npy" ? "shape" : "shape of a row" },
      { title: "elements", align: "right" },
      { title: "size", align: "right" },
    ],
    tensors.map(({ name, dtype, shape, elements, bytes }) => [
      style.cyan(labelOf(name)),
      dtype,
      shapeOf(shape),
      formatCount(elements),
      formatSize(bytes),
    ]),
    { width, style },
  );
}

/** `28 x 28`; a length that varies is `?`; no axes at all is one number. */
const shapeOf = (shape: readonly (number | null)[]): string =>
  shape.length === 0 ? "scalar" : shape.map((length) => (length === null ? "?" : String(length))).join(" x ");

/** The array of an npy file has no name. */
const labelOf = (name: string): string => (name === "" ? "array" : printable(name));

function renderStatistics(tensors: readonly TensorInspection[], width: number, style: Style): string {
  const columns = [
    { title: "name" },
    ...["min", "mean", "max", "negative", "zero", "NaN", "infinite"].map(
      (title) => ({ title, align: "right" }) as const,
    ),
  ];
  const rows = tensors.map(({ name, statistics }) => {
    const { count, nan, infinite, zero, negative, min, mean, max } = statistics as Statistics;
    const bad = (part: number): string => (part > 0 ? style.yellow(formatShare(part, count)) : "0%");
    return [
      style.cyan(labelOf(name)),
      ...[min, mean, max].map((value) => (value === undefined ? "-" : formatValue(value))),
      formatShare(negative, count),
      formatShare(zero, count),
      bad(nan),
      bad(infinite),
    ];
  });
  return renderTable(columns, rows, { width, style });
}

function renderMetadata(metadata: Readonly<Record<string, string>>, width: number, style: Style): string {
  const entries = Object.entries(metadata);
  const longest = Math.min(30, Math.max(0, ...entries.map(([key]) => key.length)));
  return entries
    .map(([key, value]) => {
      const shown = truncate(
        printable(value),
        Math.min(LONGEST_METADATA, Math.max(12, width - longest - 4)),
        style.unicode ? "…" : "...",
      );
      return `  ${style.cyan(padEnd(printable(key), longest))}  ${shown}\n`;
    })
    .join("");
}
