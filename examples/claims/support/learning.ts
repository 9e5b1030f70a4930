/** @file How soon a network learns rows of digits, and how well, over training sets of several seeds. */
import type { Model } from "../../../src/index.ts";
import { accuracyOf, type Digits, drawRows, type Rows, writeRows } from "./digits.ts";
import { type Figure, medianFigure } from "./statistics.ts";
import { type Budget, epochsTo, mapTwo, trainOn } from "./training.ts";

export interface Learning {
  readonly rate: number;
  /** Until the share of the training rows was right; one of each seed. */
  readonly epochs: readonly number[];
  /** The share of the rows held out that is right in the end; one of each seed. */
  readonly heldOut: readonly number[];
  readonly epochsFigure: Figure;
  readonly heldOutFigure: Figure;
}

/** How networks of one activation and depth learned so many rows. */
export interface Cell extends Learning {
  readonly activation: string;
  readonly depth: number;
  readonly rows: number;
}

/** The cell of another activation in the same place. */
export const cellOf = <Of extends Cell>(
  cells: readonly Of[],
  activation: string,
  { depth, rows }: Pick<Cell, "depth" | "rows">,
): Of => cells.find((cell) => cell.activation === activation && cell.depth === depth && cell.rows === rows)!;

/** The share of the training rows that counts as learned. */
const LEARNED = 0.9;

/** Files of so many rows of the pool, drawn by the seeds 0, 1, … */
export const trainingSets = (digits: Digits, rows: number, seeds: number): string[] =>
  Array.from({ length: seeds }, (_, seed) => writeRows(`${rows}-${seed}`, drawRows(digits, rows, seed)));

/** @param paths of training rows, by seed */
export async function learn(
  paths: readonly string[],
  network: () => Model,
  budget: Budget,
  rate: number,
  heldOut: Rows,
): Promise<Learning> {
  const runs = await mapTwo([...paths.entries()], async ([seed, path]) => {
    const { model, accuracies } = await trainOn(path, network(), budget, rate, seed);
    return { epochs: epochsTo(LEARNED, accuracies), right: accuracyOf(model, heldOut) };
  });
  const [epochs, right] = [runs.map((run) => run.epochs), runs.map((run) => run.right)];
  return {
    ...{ rate, epochs, heldOut: right },
    ...{ epochsFigure: medianFigure(epochs), heldOutFigure: medianFigure(right) },
  };
}
