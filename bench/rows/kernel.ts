/**
 * @file The kernel alone, one thread, in the arena: against the loop that anyone would write in C. Both sides stay up and
 * are asked in turn, so that neither start-up nor compilation counts.
 */
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { bytes } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { Server } from "../server.ts";
import { ratios, spread } from "../statistics.ts";

const LEAST = 0.9;
const KIB = 1024;
/**
 * One that lies in the second-level cache with room to spare, a chunk as a worker computes it, one that the third level
 * holds, and one that no cache holds.
 */
const SIZES = [256 * KIB, 512 * KIB, 2 * KIB * KIB, 256 * KIB * KIB];
const ROUNDS = 25;
/** Bytes of work in one measurement, at least. */
const WORK_BYTES = 64 * KIB * KIB;
const WARM_UP = 20;

export const kernel: Row = {
  name: "kernel",
  async run(bench) {
    const most = String(Math.max(...SIZES));
    const ours = new Server([
      process.execPath,
      join(import.meta.dirname, "../peers/kernel.mjs"),
      bench.build,
      most,
    ]);
    const native = new Server([bench.path("kernel"), most]);
    try {
      const outcomes: Outcome[] = [];
      for (const size of SIZES) outcomes.push(await compare(bench, size, ours, native));
      return outcomes;
    } finally {
      ours.close();
      native.close();
    }
  },
};

async function compare(bench: Bench, size: number, ours: Server, native: Server): Promise<Outcome> {
  const repeats = Math.max(1, WORK_BYTES / size);
  const task = `${size} ${repeats}`;
  const [wasm, c]: [number[], number[]] = [[], []];
  // The engine replaces its quick first code by optimised code while the warm-up runs.
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const [one, other] = [await ours.ask(task), await native.ask(task)];
    if (round < 0) continue;
    wasm.push(one);
    c.push(other);
  }
  // Speed, not time: what took twice as long is half as fast.
  const speed = ratios(c, wasm);
  const rate = (milliseconds: readonly number[]): string =>
    `${((2 * size) / spread(milliseconds).median / 1e6).toFixed(1)} GB/s`;
  bench.progress(`${bytes(size)}: ${rate(wasm)}, C ${rate(c)}`);
  return {
    work: `kernel alone, one thread, ${bytes(size)} in place`,
    target: `at least ${LEAST} x a native C loop`,
    measured: `${speed.median.toFixed(2)} x (${speed.least.toFixed(2)} to ${speed.most.toFixed(2)}), ${rate(wasm)} read and written`,
    met: speed.median >= LEAST,
    bound: `C: ${rate(c)}`,
    runs: [],
  };
}
