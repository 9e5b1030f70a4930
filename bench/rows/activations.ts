/**
 * @file Each activation alone, float32, in memory, on one core: against every JavaScript library that has it, and against
 * PyTorch. All stay up and are asked in turn. The libraries make a new array of results each time; so do we.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Outcome, Row } from "../outcome.ts";
import { Server } from "../server.ts";
import { ratios, spread } from "../statistics.ts";

/** 4 MiB: larger than the second-level cache, small enough for the third. */
const ELEMENTS = 1024 * 1024;
const ROUNDS = 15;
const WARM_UP = 5;
/** Passes in one measurement. */
const REPEATS = 5;

/** Least G elements/s. */
const TARGETS: Readonly<Record<string, number>> = {
  ...{ sigmoid: 0.8, exp: 0.8, tanh: 0.8, silu: 0.8, gelu_tanh: 0.8 },
  ...{ gelu: 0.4, mish: 0.4, softplus: 0.4, log: 0.4, elu: 0.4, softmax: 0.5, leaky_relu: 0.8 },
};

const PEERS = join(import.meta.dirname, "../peers");
const JS_PEERS = { "tfjs-wasm": "tfjs.mjs", "onnxruntime-node": "onnx.mjs", "jax-js": "jax.mjs" };

export const activations: Row = {
  name: "activations",
  async run(bench) {
    const ours = new Server([process.execPath, join(PEERS, "activations.mjs"), bench.build]);
    const peers = openPeers(bench);
    try {
      const outcomes: Outcome[] = [];
      for (const op of Object.keys(TARGETS)) outcomes.push(await compare(bench, op, ours, peers));
      return outcomes;
    } finally {
      for (const server of [ours, ...peers.values()]) server.close();
    }
  },
};

/** Those that are installed. */
function openPeers(bench: Bench): Map<string, Server> {
  const peers = new Map<string, Server>();
  if (existsSync(join(PEERS, "js/node_modules"))) {
    for (const [name, file] of Object.entries(JS_PEERS)) {
      peers.set(name, new Server([process.execPath, join(PEERS, "js", file)]));
    }
  } else {
    bench.progress("without the JavaScript peers: npm ci --ignore-scripts in bench/peers/js installs them");
  }
  if (bench.python !== undefined) {
    for (const threads of ["1", "2"]) {
      const name = `PyTorch, ${threads} thread${threads === "1" ? "" : "s"}`;
      peers.set(name, new Server([bench.python, join(PEERS, "activations_torch.py"), threads]));
    }
  }
  return peers;
}

async function compare(
  bench: Bench,
  op: string,
  ours: Server,
  peers: ReadonlyMap<string, Server>,
): Promise<Outcome> {
  const elements = bench.options.quick ? ELEMENTS / 64 : ELEMENTS;
  const rounds = bench.options.quick ? 1 : ROUNDS;
  const times = new Map<string, number[]>();
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [name, server] of [["sluice", ours] as const, ...peers]) {
      const time = await server.ask(`${op} ${elements} ${REPEATS}`);
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), time]);
    }
  }
  const own = times.get("sluice")!;
  const rate = (milliseconds: readonly number[]): number => elements / spread(milliseconds).median / 1e6;
  const others = [...peers.keys()].map((name) => {
    const theirs = times.get(name)!;
    if (theirs.some(Number.isNaN)) return { name, text: `${name}: has none`, speed: undefined };
    const speed = ratios(theirs, own).median;
    return { name, text: `${name} ${rate(theirs).toFixed(2)} (${speed.toFixed(2)} x)`, speed };
  });
  const rivals = others.filter(({ name, speed }) => name in JS_PEERS && speed !== undefined);
  const target = TARGETS[op]!;
  const range = spread(own);
  bench.progress(`${op}: ${rate(own).toFixed(2)} G elements/s; ${others.map(({ text }) => text).join("; ")}`);
  return {
    work: `\`${op}\`, float32, 4 MiB in memory, one core`,
    target: `at least ${target} G elements/s, and ahead of every JavaScript library`,
    measured: `${rate(own).toFixed(2)} (${(elements / range.most / 1e6).toFixed(2)} to ${(elements / range.least / 1e6).toFixed(2)})`,
    met: rate(own) >= target && rivals.every(({ speed }) => speed! >= 1),
    bound: `others, and how many times as fast we are: ${others.map(({ text }) => text).join("; ")}`,
    runs: [],
  };
}
