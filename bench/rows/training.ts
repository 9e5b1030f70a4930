/**
 * @file Training with Adam on cross entropy, from the Arrow file to the last step: against PyTorch and TensorFlow.js, and
 * against ourselves with one thread. All stay up and are asked in turn; nobody's start and imports are counted.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Bench, THREADS } from "../bench.ts";
import type { Outcome, Row } from "../outcome.ts";
import { Server } from "../server.ts";
import { ratios, spread } from "../statistics.ts";
import { writeDigitsFile, writeRowsFile } from "../training-files.ts";

const PEERS = join(import.meta.dirname, "../peers");
const ROUNDS = 5;
const WARM_UP = 1;
/** TensorFlow.js takes minutes for what others do in seconds. */
const ROUNDS_OF_SLOW = 2;

interface Work {
  readonly name: string;
  readonly file: string;
  readonly rows: number;
  /** Units of each layer, the features first. */
  readonly sizes: string;
  readonly batch: number;
  readonly epochs: number;
}

/** What a step of `sizes` multiplies and adds for one row, forward and backward; none for the first layer's dx. */
function operations(sizes: string): number {
  const units = sizes.split("-").map(Number);
  const products = units.slice(1).map((out, i) => 2 * units[i]! * out);
  return products.reduce((sum, each, i) => sum + each * (i === 0 ? 2 : 3), 0);
}

type Times = ReadonlyMap<string, readonly number[]>;

export const training: Row = {
  name: "training",
  async run(bench) {
    const { quick } = bench.options;
    const digits: Work = {
      ...{ name: "digits", file: bench.path("digits.arrow"), rows: 10_000 },
      ...{ sizes: "784-256-10", batch: 128, epochs: quick ? 1 : 5 },
    };
    const wide: Work = {
      ...{ name: "wide", file: bench.path("wide.arrow"), rows: quick ? 1024 : 8192 },
      ...{ sizes: "1024-1024-1024-100", batch: 512, epochs: quick ? 1 : 4 },
    };
    writeDigitsFile(digits.file);
    writeRowsFile(wide.file, { rows: wide.rows, width: 1024, classes: 100 });
    const servers = openServers(bench);
    try {
      return [
        ...againstPyTorch(digits, await measure(bench, digits, servers), "PyTorch, DataLoader", 1),
        ...againstPyTorch(wide, await measure(bench, wide, servers), "PyTorch, preloaded", 0.5),
      ];
    } finally {
      for (const server of servers.values()) server.close();
    }
  },
};

function openServers(bench: Bench): Map<string, Server> {
  const servers = new Map<string, Server>();
  for (const threads of [THREADS, 1]) {
    const argv = [process.execPath, join(PEERS, "training.mjs"), bench.build, String(threads)];
    servers.set(ours(threads), new Server(argv));
  }
  if (bench.python !== undefined) {
    for (const mode of ["DataLoader", "preloaded"]) {
      const argv = [bench.python, join(PEERS, "training_torch.py"), String(THREADS)];
      servers.set(`PyTorch, ${mode}`, new Server([...argv, mode === "preloaded" ? mode : "loader"]));
    }
  }
  if (existsSync(join(PEERS, "js/node_modules/@tensorflow/tfjs"))) {
    for (const backend of ["wasm", "cpu"]) {
      const argv = [process.execPath, join(PEERS, "js/training-tfjs.mjs"), backend];
      servers.set(`tfjs, ${backend}`, new Server(argv));
    }
  } else {
    bench.progress("without TensorFlow.js: npm ci --ignore-scripts in bench/peers/js installs it");
  }
  return servers;
}

const ours = (threads: number): string => `sluice, ${threads} thread${threads === 1 ? "" : "s"}`;

/** Seconds of every round. TensorFlow.js takes many times as long, so it does a part, and that is scaled up. */
async function measure(bench: Bench, work: Work, servers: ReadonlyMap<string, Server>): Promise<Times> {
  const times = new Map<string, number[]>();
  const slow = work.name === "wide" ? ["tfjs, cpu"] : [];
  for (let round = -WARM_UP; round < (bench.options.quick ? 1 : ROUNDS); round++) {
    for (const [name, server] of servers) {
      if (slow.includes(name) || (name.startsWith("tfjs") && round >= ROUNDS_OF_SLOW)) continue;
      const epochs = name.startsWith("tfjs") ? 1 : work.epochs;
      const seconds = await server.ask(`${work.file} ${work.sizes} ${work.batch} ${epochs}`);
      const whole = (seconds * work.epochs) / epochs;
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), whole]);
    }
    bench.progress(`${work.name}: round ${round + WARM_UP + 1}`);
  }
  return times;
}

function againstPyTorch(work: Work, times: Times, peer: string, least: number): Outcome[] {
  const own = times.get(ours(THREADS))!;
  const samples = (work.rows * work.epochs) / spread(own).median;
  const rate = (samples * operations(work.sizes)) / 1e9;
  const relative = (name: string): number | undefined => {
    const theirs = times.get(name);
    return theirs && ratios(theirs, own).median;
  };
  const text = (name: string): string => `${name} ${relative(name)!.toFixed(2)} x`;
  const others = [...times.keys()].filter((name) => name !== ours(THREADS)).map(text);
  const what = `${work.sizes}, batch ${work.batch}, Adam, ${work.epochs} epochs of ${work.rows.toLocaleString("en-US")} rows`;
  const bound = `${rate.toFixed(0)} GFLOP/s; how many times as fast we are: ${others.join("; ")}`;
  const scaling = relative(ours(1))!;
  const outcomes: Outcome[] = [
    {
      work: `train ${what}`,
      target: `at least ${least} x ${peer}`,
      measured: `${Math.round(samples).toLocaleString("en-US")} samples/s${relative(peer) === undefined ? "" : `, ${relative(peer)!.toFixed(2)} x`}`,
      met: relative(peer) === undefined ? undefined : relative(peer)! >= least,
      bound,
      runs: [],
    },
    {
      work: `the same, from 1 to ${THREADS} workers`,
      target: "at least 1.7 x",
      measured: `${scaling.toFixed(2)} x`,
      met: scaling >= 1.7,
      bound: `${THREADS} x`,
      runs: [],
    },
  ];
  const rivals = [...times.keys()].filter((name) => name.startsWith("tfjs"));
  if (rivals.length > 0) {
    outcomes.push({
      work: "the same, against TensorFlow.js",
      target: "at least 3 x",
      measured: rivals.map(text).join("; "),
      met: rivals.every((name) => relative(name)! >= 3),
      bound: "none",
      runs: [],
    });
  }
  return outcomes;
}
