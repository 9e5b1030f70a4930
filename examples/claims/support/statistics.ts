/** @file Figures with their uncertainty. */

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** A middle, and an interval around it. */
export interface Figure {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** Linear between neighbours, as NumPy's default; `share` from 0 to 1. Infinities are values like others. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below === above ? below : below + (place - Math.floor(place)) * (above - below);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The median and the quartiles. */
export const quartiles = (values: readonly number[]): Figure => ({
  middle: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
});

/**
 * The median with an interval that holds the true one with a probability of 95 % or more, whatever the distribution: from
 * one order statistic to its mirror image. Of ten values these are the second and the ninth (97.9 %).
 */
export function medianFigure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  let [outside, term, rank] = [0, 2 ** -sorted.length, 0];
  // `rank` values at each end can be left out: P(fewer than `rank` + 1 of n lie below the median) <= 2.5 %.
  while (outside + term <= 0.025) {
    outside += term;
    term *= (sorted.length - rank) / (rank + 1);
    rank++;
  }
  const skipped = Math.max(0, rank - 1);
  return { middle: median(values), low: sorted[skipped]!, high: sorted.at(-1 - skipped)! };
}

/** The mean and its interval of two standard errors. */
export function meanFigure(values: readonly number[]): Figure {
  const middle = mean(values);
  const variance = sum(values.map((value) => (value - middle) ** 2)) / Math.max(1, values.length - 1);
  const error = Math.sqrt(variance / values.length);
  return { middle, low: middle - 2 * error, high: middle + 2 * error };
}

/** The share of `count` in `total` with Wilson's interval (1927), `z` standard errors wide to each side. */
export function shareFigure(count: number, total: number, z = 1.96): Figure {
  const share = count / total;
  const centre = share + z ** 2 / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  const scale = 1 + z ** 2 / total;
  // At the ends the interval closes exactly.
  const low = count === 0 ? 0 : (centre - half) / scale;
  const high = count === total ? 1 : (centre + half) / scale;
  return { middle: share, low, high };
}

/** How two lists compare, place by place: in how many the first is larger, smaller, the same. */
export function compare(
  first: readonly number[],
  second: readonly number[],
): { readonly more: number; readonly less: number; readonly median: number } {
  const differences = first.map((value, i) => (value === second[i] ? 0 : value - second[i]!));
  return {
    more: differences.filter((difference) => difference > 0).length,
    less: differences.filter((difference) => difference < 0).length,
    median: median(differences),
  };
}

/**
 * The sign test on two lists, place by place.
 *
 * @returns 1 where the first is larger, -1 where it is smaller, with p < 5 % of a chance as large; 0 where nobody can say
 */
export function signTest(first: readonly number[], second: readonly number[]): -1 | 0 | 1 {
  const { more, less } = compare(first, second);
  const total = more + less;
  let [tail, term] = [0, 2 ** -total];
  for (let i = 0; i <= Math.min(more, less); i++) {
    tail += term;
    term *= (total - i) / (i + 1);
  }
  if (total === 0 || 2 * tail >= 0.05) return 0;
  return more > less ? 1 : -1;
}
