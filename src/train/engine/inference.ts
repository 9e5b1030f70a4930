/**
 * @file A network that only computes its outputs, on this thread, at once: running statistics, no dropout, nothing learned.
 *
 * The outputs of a row have the same bits in any batch, and as `Engine.evaluate` gives them.
 */

import { Share } from "../../workers/budget.ts";
import { sharedArena } from "../../workers/pool.ts";
import { checkEngine } from "../../workers/simd.ts";
import { type Network, sizeOf, type Tensors } from "../network.ts";
import type { EnginePlan } from "./jobs.ts";
import { Runner } from "./runner.ts";
import { type Codes, newCodes, Tools } from "./tools.ts";

/** Rows that are computed together where there are many: their activations stay in the caches. */
const BATCH = 96;

/** What was compiled for a network, as long as the network is there. */
const compiled = new WeakMap<Network, Codes>();

/**
 * The outputs of some rows.
 *
 * @param rows of as many elements as the network's input, one behind the other
 * @returns as many rows of the network's output
 * @throws MemoryError where the arena has no room for the network
 */
export function forward(network: Network, tensors: Tensors, rows: Float32Array): Float32Array {
  const count = rows.length / sizeOf(network.inputShape);
  if (count === 0) return new Float32Array(0);
  const inference = openInference(network, tensors, Math.min(BATCH, count));
  try {
    return inference.run(rows);
  } finally {
    inference.close();
  }
}

/** A network that is ready for rows, as many times as they come. */
export interface Inference {
  /** The outputs of any number of rows. */
  run(rows: Float32Array): Float32Array;
  /** Gives its memory back. */
  close(): void;
}

/** @param batch rows that are computed together */
export function openInference(network: Network, tensors: Tensors, batch = BATCH): Inference {
  checkEngine();
  const { memory } = sharedArena();
  const codes = compiled.get(network) ?? newCodes();
  compiled.set(network, codes);
  const tools = new Tools(memory, codes);
  const plan: EnginePlan = { base: 0, network, codes, batch, slots: 1, threads: 1, seed: 0 };
  const share = new Share(sharedArena());
  const base = share.allocate(new Runner(tools, plan).bytes);
  const runner = new Runner(tools, { ...plan, base });
  runner.load(tensors, () => undefined);
  const [inputs, outputs] = [sizeOf(network.inputShape), sizeOf(network.outputShape)];
  const { features } = runner.target(0);
  return {
    run(rows) {
      const count = rows.length / inputs;
      const results = new Float32Array(count * outputs);
      for (let first = 0; first < count; first += batch) {
        const some = Math.min(batch, count - first);
        features.set(rows.subarray(first * inputs, (first + some) * inputs));
        runner.phases.reset();
        const steps = [{ slot: 0, rows: some, step: 0, weight: some }];
        runner.work(0, { kind: "evaluate", steps, first: 0, count: 1 });
        results.set(runner.outputsOf(0, some), first * outputs);
      }
      return results;
    },
    close: () => share.free(),
  };
}
