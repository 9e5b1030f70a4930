/**
 * @file Matrix products on one core, as training has them: beside the microkernel alone, which is the most that its loop of
 * multiply-adds gives on this machine, and beside PyTorch. All stay up and are asked in turn.
 */
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Outcome, Row } from "../outcome.ts";
import { Server } from "../server.ts";
import { ratios, spread } from "../statistics.ts";

const LEAST = 0.85;
/** With which multiply-add, what a product is, and its m, n and k; see `peers/matmul.mjs`. */
const PRODUCTS = [
  ["relaxed", "forward", "32 1024 1024"],
  ["relaxed", "forward", "128 1024 1024"],
  ["relaxed", "forward", "512 1024 1024"],
  ["relaxed", "forward", "128 256 784"],
  ["relaxed", "weights", "1024 1024 512"],
  ["relaxed", "weights", "256 784 128"],
  ["plain", "forward", "128 1024 1024"],
  ["plain", "weights", "1024 1024 512"],
] as const;
const ROUNDS = 15;
const WARM_UP = 5;
/** Operations of one measurement, at least: some 20 ms. */
const WORK = 1e9;
const TILE_REPEATS = 40_000;

const PEERS = join(import.meta.dirname, "../peers");

export const matmul: Row = {
  name: "matmul",
  async run(bench) {
    const ours = new Server([process.execPath, join(PEERS, "matmul.mjs"), bench.build]);
    const torch =
      bench.python === undefined ? undefined : new Server([bench.python, join(PEERS, "matmul_torch.py")]);
    try {
      const outcomes: Outcome[] = [];
      for (const product of PRODUCTS) outcomes.push(await measure(bench, product, ours, torch));
      return outcomes;
    } finally {
      ours.close();
      torch?.close();
    }
  },
};

async function measure(
  bench: Bench,
  [path, kind, shape]: (typeof PRODUCTS)[number],
  ours: Server,
  torch: Server | undefined,
): Promise<Outcome> {
  const [m, n, k] = shape.split(" ").map(Number) as [number, number, number];
  const work = bench.options.quick ? WORK / 20 : WORK;
  const repeats = Math.ceil(work / (2 * m * n * k));
  const tileRepeats = bench.options.quick ? TILE_REPEATS / 20 : TILE_REPEATS;
  const rates: { product: number[]; tile: number[]; torch: number[] } = { product: [], tile: [], torch: [] };
  for (let round = -WARM_UP; round < (bench.options.quick ? 1 : ROUNDS); round++) {
    const product = await ours.ask(`${path} ${kind} ${shape} ${repeats}`);
    const tile = await ours.ask(`${path} tile 0 0 0 ${tileRepeats}`);
    const native = await torch?.ask(`${kind} ${shape} ${repeats}`);
    if (round < 0) continue;
    rates.product.push(product);
    rates.tile.push(tile);
    if (native !== undefined) rates.torch.push(native);
  }
  const share = ratios(rates.product, rates.tile);
  const rate = (of: readonly number[]): string => `${spread(of).median.toFixed(1)} GFLOP/s`;
  const native =
    rates.torch.length === 0
      ? ""
      : `; PyTorch, one thread: ${rate(rates.torch)}, ${ratios(rates.product, rates.torch).median.toFixed(2)} x`;
  const name = `${kind} ${m} x ${n} x ${k}, ${path} multiply-add`;
  bench.progress(`${name}: ${rate(rates.product)} of ${rate(rates.tile)}${native}`);
  return {
    work: `matrix product, ${name}, one core`,
    target: `at least ${LEAST} x the microkernel alone`,
    measured: `${share.median.toFixed(2)} x (${share.least.toFixed(2)} to ${share.most.toFixed(2)}), ${rate(rates.product)}`,
    met: share.median >= LEAST,
    bound: `the microkernel in the first-level cache: ${rate(rates.tile)}${native}`,
    runs: [],
  };
}
