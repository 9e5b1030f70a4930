/** @file `sluice doctor`: what this machine offers, one verdict a line. */

import { availableParallelism, cpus, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { GpuDescription } from "../gpu/doctor.ts";
import type { MultiplyAdd } from "../workers/multiply-add.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { print, toJson } from "./print.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, padEnd, printable, wrap } from "./text.ts";
import { formatDuration, formatRate, formatSize } from "./units.ts";

/** `ok`: as it should be. `note`: works, and could be better. `missing`: Sluice cannot work without it. */
export type Verdict = "ok" | "note" | "missing";

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly finding: string;
  readonly remedy?: string;
}

export const run: Run = async (_operands, options) => {
  const { describeGpu } = await import("../gpu/doctor.ts");
  // The GPU comes last: it is measured while nothing else is.
  const machine = await examine();
  const gpu = await describeGpu();
  const checks = [...machine, ...checkGpu(gpu)];
  const sound = checks.every(({ verdict }) => verdict !== "missing");
  const { stdout } = process;
  await print(
    options.has("json")
      ? toJson({ sound, checks: checks.map((check) => ({ remedy: null, ...check })), gpu })
      : renderChecks(checks, widthOf(stdout), styleFor(stdout.isTTY === true)),
  );
  // What failed to start may be waiting still.
  if (!sound) process.exit(EXIT.failed);
  return EXIT.done;
};

export function renderChecks(checks: readonly Check[], width: number, style: Style): string {
  const paint = { ok: style.green, note: style.yellow, missing: style.red };
  const measure = measureOf(width);
  const longest = Math.max(...checks.map(({ verdict }) => verdict.length));
  const table = renderTable(
    [{ title: "" }, { title: "", wrapAt: 24 }],
    checks.map(({ name, verdict, finding, remedy }) => [
      `${padEnd(paint[verdict](verdict), longest)}  ${name}`,
      printable(remedy === undefined ? finding : `${finding}. ${remedy}`),
    ]),
    { width: measure, style, titles: false, indent: 0 },
  );
  const sound = checks.every(({ verdict }) => verdict !== "missing");
  const conclusion = sound ? "Sluice works here." : "Sluice cannot work here: see what is missing above.";
  return `${table}\n${wrap(conclusion, measure).join("\n")}\n`;
}

/** Nothing needs a GPU, so none that is missing is worse than a note. */
export function checkGpu(gpu: GpuDescription): Check[] {
  if (!gpu.found) return [{ name: "GPU", verdict: "note", finding: gpu.why, remedy: gpu.remedy }];
  const { api, adapter, isSoftware, arrayBytes, rates } = gpu;
  const { upload, compute, download } = rates;
  const found = `${adapter}, through ${api === "webgpu" ? "WebGPU" : api}`;
  const software = "It shows that all works, and is slow: install the driver of a real GPU.";
  const standIn =
    "It stands in for WebGPU, which is faster and trains, too: npm install webgpu, and its driver.";
  const remedy = isSoftware ? software : api === "headless-gl" ? standIn : undefined;
  return [
    {
      name: "GPU",
      verdict: remedy ? "note" : "ok",
      finding: isSoftware ? `${found}, in software` : found,
      ...(remedy ? { remedy } : {}),
    },
    { name: "GPU limits", verdict: "ok", finding: `arrays of up to ${formatSize(arrayBytes)}` },
    {
      name: "GPU rates",
      verdict: "ok",
      finding:
        `upload ${formatRate(upload)}, download ${formatRate(download)}, ` +
        `${formatRate(compute)} through leaky_relu on it`,
    },
  ];
}

/** Every check of the machine, in the order in which one builds on the other. Starts a worker and measures for a moment. */
async function examine(): Promise<Check[]> {
  const { hasSimd, hasThreads } = await import("../workers/simd.ts");
  const { multiplyAdd } = await import("../workers/multiply-add.ts");
  const cores = availableParallelism();
  const usable = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const memory = Math.min(totalmem(), usable);
  const [simd, threads] = [hasSimd(), hasThreads()];
  const checks: Check[] = [
    checkNode(process.versions.node),
    {
      name: "Cores",
      verdict: cores > 1 ? "ok" : "note",
      finding: `${cores} usable${cpus()[0]?.model ? `, ${cpus()[0]!.model.trim()}` : ""}`,
      ...(cores > 1 ? {} : { remedy: "With one core, work is not spread." }),
    },
    {
      name: "Memory",
      verdict: memory >= 512 * 2 ** 20 ? "ok" : "note",
      finding: formatSize(memory),
      ...(memory >= 512 * 2 ** 20 ? {} : { remedy: "Give a smaller bound, such as --memory 32MiB." }),
    },
    {
      name: "WebAssembly SIMD",
      verdict: simd ? "ok" : "missing",
      finding: simd ? "yes, 128-bit" : "no",
      ...(simd ? {} : { remedy: "It takes a processor with SSE4.1 or Neon, and no flag that turns it off." }),
    },
    {
      name: "Shared memory",
      verdict: threads ? "ok" : "missing",
      finding: threads ? "yes, shared WebAssembly memory" : "no shared WebAssembly memory",
    },
  ];
  if (simd && threads) {
    checks.push(checkMultiplyAdd(multiplyAdd()));
    checks.push(await attempt("Worker threads", startWorker));
    checks.push(await attempt("Kernel rate", measureRate));
  }
  return checks;
}

function checkNode(version: string): Check {
  const recent = Number.parseInt(version, 10) >= 20;
  return {
    name: "Node",
    verdict: recent ? "ok" : "missing",
    finding: `${version} on ${process.platform} ${process.arch}`,
    ...(recent ? {} : { remedy: "Install Node 20 or newer." }),
  };
}

function checkMultiplyAdd(path: MultiplyAdd): Check {
  const finding =
    path === "relaxed"
      ? "fused, by relaxed SIMD: training takes it"
      : "a product and a sum: training is slower, and its last bits differ";
  return { name: "Multiply-add", verdict: "ok", finding };
}

async function attempt(name: string, measure: () => Promise<string>): Promise<Check> {
  try {
    return { name, verdict: "ok", finding: await measure() };
  } catch (error) {
    return { name, verdict: "missing", finding: error instanceof Error ? error.message : String(error) };
  }
}

/** Longer than any worker takes to start; one that cannot load its file never answers. */
const PATIENCE_MS = 10_000;

async function startWorker(): Promise<string> {
  const [{ acquirePool, closePool, sharedArena }, { Share }, { post }] = await Promise.all([
    import("../workers/pool.ts"),
    import("../workers/budget.ts"),
    import("../workers/posted.ts"),
  ]);
  const start = performance.now();
  const pool = acquirePool(1);
  const share = new Share(sharedArena());
  const nothing = { kernels: post([], share), address: 0, length: 0, ranges: new Float64Array(0) };
  const noFiles = { read: undefined, others: undefined, write: undefined };
  const answer = pool.run({ ...nothing, ...noFiles, workspace: undefined }).then(() => true);
  const timer = new AbortController();
  const answered = await Promise.race([answer, sleep(PATIENCE_MS, false, { signal: timer.signal })]);
  timer.abort();
  if (!answered) throw new Error(`no answer within ${formatDuration(PATIENCE_MS / 1000)}`);
  const seconds = (performance.now() - start) / 1000;
  share.free();
  pool.release();
  await closePool();
  return `the first answered after ${formatDuration(seconds)}`;
}

const MEASURED_BYTES = 64 * 2 ** 20;
const PASSES = 5;

/** Leaky ReLU in place, in this thread, over more memory than caches hold: the best of some passes. */
async function measureRate(): Promise<string> {
  const [{ sharedArena }, { prepareKernel }, { runKernels }, { parseChain }, { fuse }] = await Promise.all([
    import("../workers/pool.ts"),
    import("../workers/prepare.ts"),
    import("../workers/kernels.ts"),
    import("../ops/parse.ts"),
    import("../ops/fuse.ts"),
  ]);
  const arena = sharedArena();
  const address = arena.allocate(MEASURED_BYTES);
  const program = fuse(parseChain("leaky_relu"));
  const allocate = (bytes: number): number => arena.allocate(bytes);
  const kernel = prepareKernel(program, "float32", null, arena, allocate);
  let best = Number.POSITIVE_INFINITY;
  // The first pass pays for the memory's pages.
  for (let pass = 0; pass <= PASSES; pass++) {
    const start = performance.now();
    runKernels(arena.memory, [kernel], address, Float64Array.of(0, MEASURED_BYTES / 4, 0, 0, 0));
    if (pass > 0) best = Math.min(best, performance.now() - start);
  }
  arena.free(address, MEASURED_BYTES);
  const rate = formatSize((2 * MEASURED_BYTES * 1000) / best);
  return `${rate}/s read and written, by one thread: leaky_relu on float32 in place`;
}
