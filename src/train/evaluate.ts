/** @file The rows held out, through the network as it is: loss, accuracy, and what there is to tell of single rows. */
import { type Assessed, Assessment } from "./assessment.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Engine } from "./engine/engine.ts";
import type { Score } from "./history.ts";
import type { Network } from "./network.ts";
import { sizeOf } from "./network.ts";

export interface Evaluation {
  readonly score: Score;
  readonly assessed: Assessed | undefined;
}

export interface EvaluationOptions {
  readonly dataset: Dataset;
  readonly network: Network;
  /** Rows of a slot. */
  readonly batch: number;
  /** Slots that are free, one behind the other. */
  readonly slots: { readonly first: number; readonly count: number };
  readonly signal: AbortSignal | undefined;
}

/** Goes over the rows held out, in their order; while some are computed, the next ones are read. */
export async function evaluate(engine: Engine, options: EvaluationOptions): Promise<Evaluation> {
  const { dataset, network, batch, slots, signal } = options;
  const assessment = Assessment.for(dataset.target, sizeOf(network.outputShape));
  const total = { loss: 0, weight: 0, correct: 0, rows: 0 };
  const half = Math.max(1, Math.floor(slots.count / 2));
  const reader = dataset.open("validation", 0);
  const fill = async (first: number): Promise<{ slot: number; rows: number }[]> => {
    const filled: { slot: number; rows: number }[] = [];
    for (let slot = first; slot < first + half; slot++) {
      const rows = await reader.fill(engine.target(slot), batch);
      if (rows > 0) filled.push({ slot, rows });
      if (rows < batch) break;
    }
    return filled;
  };
  let [next, at] = [fill(slots.first), 0];
  try {
    for (let filled = await next; filled.length > 0; filled = await next) {
      signal?.throwIfAborted();
      const computed = engine.evaluate(filled);
      at = slots.count > 1 ? half - at : 0;
      // With a single slot nothing can be read meanwhile.
      if (slots.count > 1) next = fill(slots.first + at);
      next.catch(() => {});
      for (const [i, { loss, weight, correct, outputs }] of (await computed).entries()) {
        const { slot, rows } = filled[i]!;
        total.loss += loss * weight;
        total.weight += weight;
        total.correct += correct;
        total.rows += rows;
        assessment?.add(engine.target(slot), outputs, rows);
      }
      if (slots.count === 1) next = fill(slots.first);
    }
  } finally {
    await next.catch(() => {});
    await reader.close();
  }
  return { score: scoreOf(total, dataset), assessed: assessment?.result() };
}

/** Means over rows. */
export function scoreOf(
  { loss, weight, correct, rows }: { loss: number; weight: number; correct: number; rows: number },
  { target }: Dataset,
): Score {
  const mean = weight > 0 ? loss / weight : Number.NaN;
  return target.kind === "classes" ? { loss: mean, accuracy: correct / rows } : { loss: mean };
}
