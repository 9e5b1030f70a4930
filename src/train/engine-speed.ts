/** @file Steps on made-up rows, to see how fast an engine is. They change its weights. */
import { setImmediate } from "node:timers/promises";
import type { Engine, EngineOptions, StepInput } from "./engine/engine.ts";
import { keyOf, uniformAt } from "./random.ts";

/** Milliseconds for which steps are begun: first without counting, until workers are up, then to be counted. */
const TIMES = { warm: 200, counted: 200 };

/** Steps per second. */
export async function speedOf(
  engine: Engine,
  { batch, optimizer }: Pick<EngineOptions, "batch" | "optimizer">,
): Promise<number> {
  const key = keyOf(0, batch);
  // Of class 0, or 0: any loss takes it.
  for (let slot = 0; slot < engine.slots; slot++) {
    const { features } = engine.target(slot);
    for (let i = 0; i < features.length; i++) features[i] = 2 * uniformAt(key, i) - 1;
  }
  // Nothing is learned, so nothing goes wrong.
  const input: StepInput = { step: 0, rows: batch, scalars: optimizer.scalarsAt(0, 0) };
  let group = 1;
  const run = async (milliseconds: number): Promise<number> => {
    const start = performance.now();
    let done = 0;
    do {
      const begun = performance.now();
      await engine.train(Array.from({ length: group }, (_, slot) => ({ slot, input })));
      done += group;
      // A group takes a tenth of a second or so, as in training.
      const each = (performance.now() - begun) / group;
      group = Math.max(1, Math.min(engine.slots, Math.round(100 / each)));
      await setImmediate();
    } while (performance.now() - start < milliseconds);
    return (1000 * done) / (performance.now() - start);
  };
  await run(TIMES.warm);
  return run(TIMES.counted);
}
