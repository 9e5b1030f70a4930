/** @file The learning rate of a network: one of three, found on rows and seeds that are not measured with later. */
import type { Model } from "../../../src/index.ts";
import { accuracyOf, type Digits, drawRows, PIXELS, type Rows, writeRows } from "./digits.ts";
import { mean } from "./statistics.ts";
import { trainOn } from "./training.ts";

/** From small to large. */
export const RATES = [1e-3, 3e-3, 1e-2];
/** A point of accuracy. */
export const POINT = 0.01;
const SEEDS = [1001, 1002];
const ROWS = 1000;

/**
 * The largest rate that is as accurate as the best, or almost.
 *
 * @param network a new one each time
 * @param tolerance how much less accurate it may be; where epochs are counted, a point keeps an activation from being slow
 *   because two rates happened to be as good
 */
export async function chooseRate(
  digits: Digits,
  network: () => Model,
  epochs: number,
  quick: boolean,
  tolerance = 0,
): Promise<number> {
  if (quick) return RATES[0]!;
  const scores: number[] = [];
  for (const rate of RATES) {
    const accuracies: number[] = [];
    for (const seed of SEEDS) {
      const [path, others] = pilotRows(digits, seed);
      const { model } = await trainOn(path, network(), { batch: 50, epochs }, rate, seed);
      accuracies.push(accuracyOf(model, others));
    }
    scores.push(mean(accuracies));
  }
  const best = Math.max(...scores);
  return RATES[scores.findLastIndex((score) => score >= best - tolerance)]!;
}

const pilots = new Map<number, readonly [path: string, others: Rows]>();

/** Rows to train on, and twice as many others to judge by. */
function pilotRows(digits: Digits, seed: number): readonly [path: string, others: Rows] {
  const known = pilots.get(seed);
  if (known) return known;
  const rows = drawRows(digits, 3 * ROWS, seed);
  const part = (from: number, to: number): Rows => ({
    images: rows.images.slice(from * PIXELS, to * PIXELS),
    labels: rows.labels.slice(from, to),
  });
  const made = [writeRows(`pilot-${seed}`, part(0, ROWS)), part(ROWS, 3 * ROWS)] as const;
  pilots.set(seed, made);
  return made;
}
