/** @file The tables of a run in Markdown, and their place in the document. */
import { readFileSync, writeFileSync } from "node:fs";
import { bytes, seconds } from "./format.ts";
import type { Machine } from "./machine.ts";
import type { Outcome } from "./outcome.ts";
import type { Runs } from "./rounds.ts";

export interface Circumstances {
  readonly machine: Machine;
  readonly date: string;
  readonly pairs: number;
  /** Whether the files were too small for the figures to mean anything. */
  readonly quick: boolean;
  /** Processes that wanted to run before the first row began. */
  readonly load: number;
  /** Share of the cores' time that the host gave to others. */
  readonly stolen: number | undefined;
  readonly directory: string;
}

/** Above this, something else was running, and the figures are worth little. */
export const MOST_LOAD = 0.5;

export function renderReport(outcomes: readonly Outcome[], circumstances: Circumstances): string {
  const parts = [describe(circumstances), summary(outcomes)];
  // What is timed within a process has no runs.
  if (outcomes.some(({ runs }) => runs.length > 0)) parts.push("All runs:", details(outcomes));
  return parts.join("\n\n");
}

export function summary(outcomes: readonly Outcome[]): string {
  return table(
    ["work", "must reach", "measured", "", "bound"],
    outcomes.map(({ work, target, measured, met, bound }) => [work, target, measured, mark(met), bound]),
  );
}

/** Puts the report between the marks of its table in the document; all else there stays. */
export function insertReport(path: string, name: string, report: string): void {
  const text = readFileSync(path, "utf8");
  const [begin, end] = ["begin", "end"].map((side) => `<!-- ${side}: npm run bench -- --only ${name} -->`);
  const [start, stop] = [text.indexOf(begin!), text.indexOf(end!)];
  if (start < 0 || stop < start) throw new Error(`${path} lacks the marks ${begin} and ${end}`);
  writeFileSync(path, `${text.slice(0, start + begin!.length)}\n\n${report}\n\n${text.slice(stop)}`);
}

function describe({ machine, date, pairs, quick, load, stolen, directory }: Circumstances): string {
  const { processor, cores, memoryBytes, system, node } = machine;
  const lines = [
    `${date}. ${processor}, ${cores} cores, ${bytes(memoryBytes)} memory, ${system}, Node ${node}, files on ${directory}.`,
    `Medians of ${pairs} interleaved rounds after one that warms up; ratios are medians round by round, with their range.`,
    `Load before the start: ${load.toFixed(2)}.${stolen === undefined ? "" : ` Time taken by other guests of the host: ${(stolen * 100).toFixed(1)} %.`}`,
  ];
  if (quick)
    lines.push("**A quick run shows that everything runs. Its files are too small to measure anything.**");
  if (load > MOST_LOAD)
    lines.push("**Something else was running on this machine: these figures are provisional.**");
  return lines.join("\n");
}

function details(outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap(({ work, runs, bytes: size }) =>
    runs.map((one, index) => [index === 0 ? work : "", ...detail(one, size)]),
  );
  return table(["work", "program", "wall time", "least to most", "CPU time", "rate", "peak memory"], rows);
}

function detail(runs: Runs, size: number | undefined): string[] {
  const { least, median, most } = runs.seconds;
  return [
    runs.name,
    seconds(median),
    `${seconds(least)} to ${seconds(most)}`,
    seconds(runs.cpuSeconds.median),
    size === undefined ? "" : `${(size / median / 1e9).toFixed(2)} GB/s`,
    bytes(Math.round(runs.peakBytes / 1024 ** 2) * 1024 ** 2),
  ];
}

function mark(met: boolean | undefined): string {
  if (met === undefined) return "not measured";
  return met ? "met" : "**missed**";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
