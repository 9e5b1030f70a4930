/** @file The few numbers that stand for many runs. */

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** Of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
  return { least: sorted[0]!, median, most: sorted.at(-1)! };
}

/** Value by value: what ran in the same round met the same machine. */
export function ratios(values: readonly number[], others: readonly number[]): Spread {
  return spread(values.map((value, round) => value / others[round]!));
}
