/** @file The one table of a run, and what it takes to read it. */
import { availableParallelism, cpus } from "node:os";
import type { HostTime } from "./host-time.ts";
import type { AutoOutcome, ChainOutcome, Rates } from "./outcome.ts";

export interface Findings {
  readonly adapter: string;
  readonly rates: Rates;
  readonly size: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly chains: readonly ChainOutcome[];
  /** Of a window of 8 MiB. */
  readonly host: HostTime;
  readonly auto: readonly AutoOutcome[];
  /** Why PyTorch was not measured; `undefined` where it was. */
  readonly withoutTorch: string | undefined;
}

export function renderReport(findings: Findings): string {
  const { adapter, rates, size, rounds, quick, chains, host, auto, withoutTorch } = findings;
  const bus = Math.min(rates.upload, rates.download);
  const rows = chains.map(({ ops, cpu, gpu, torch }) => [
    ops,
    gigabytes(cpu),
    gigabytes(gpu),
    `${(gpu / cpu).toFixed(2)} x`,
    `${Math.round((100 * gpu) / bus)} %`,
    torch ? `${gigabytes(torch.pageable)}, pinned ${gigabytes(torch.pinned)}` : "-",
  ]);
  const lines = [
    `${new Date().toISOString().slice(0, 10)}. ${adapter}; ${cpus()[0]?.model ?? "a processor"}, ${availableParallelism()} cores; Node ${process.version}.`,
    `\`sluice apply\`, a file of ${size / 2 ** 20} MiB of float32 from the page cache into a new file; medians of ${rounds} interleaved rounds. GB/s of elements, each read and written once.`,
    "",
    table(["chain", "CPU, GB/s", "GPU, GB/s", "GPU to CPU", "of the bus", "PyTorch CUDA, GB/s"], rows),
    "",
    `Bus: upload ${gigabytes(rates.upload)} GB/s, download ${gigabytes(rates.download)} GB/s; its share is that of the slower way. Kernels alone: ${gigabytes(rates.compute)} GB/s.`,
    // The difference of two profiles: of a short run noise, and even below 0.
    host.ours > 0
      ? `Host: a window of 8 MiB takes the main thread ${milliseconds(host.ours)} of our own, one copy each way among it, and ${milliseconds(host.others)} in gpu.js and Dawn.`
      : "Host: the runs were too short to tell what a window takes the main thread.",
    describeBreakEven(auto),
    withoutTorch === undefined
      ? "PyTorch: in memory, both transfers included, a kernel for each op; no file is read or written."
      : `PyTorch was not measured: ${withoutTorch}.`,
  ];
  if (quick) lines.push("**A quick run shows that everything runs. It measures nothing.**");
  return lines.join("\n");
}

/** Where `auto` changes its mind; intensity is counted per byte over the bus, four up and four down for an element. */
export function describeBreakEven(auto: readonly AutoOutcome[]): string {
  const first = auto.findIndex(({ device }) => device === "gpu");
  const intensity = (ops: number): string => `${ops / 8} operations per byte`;
  const last = auto.at(-1)!;
  if (first < 0) {
    return `Break-even: auto keeps the CPU for chains of up to ${last.ops} multiplications and additions (${intensity(last.ops)}; ${last.reason}).`;
  }
  const { ops, reason } = auto[first]!;
  const from = first === 0 ? "at once" : `above ${intensity(auto[first - 1]!.ops)}`;
  return `Break-even: auto takes the GPU ${from}, at ${intensity(ops)}: ${ops} multiplications and additions of an element (${reason}).`;
}

const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(1)} ms`;

export const gigabytes = (bytesPerSecond: number): string => (bytesPerSecond / 1e9).toPrecision(3);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
