/** @file The row-wise ops in plain JavaScript, in float64, written without a look at the catalog. */

const sum = (row: readonly number[]): number => row.reduce((total, value) => total + value, 0);
const largest = (row: readonly number[]): number =>
  row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);

/** What each op makes of one row. */
export const rowReference: Readonly<Record<string, (row: readonly number[]) => number[]>> = {
  softmax(row) {
    const top = largest(row);
    const powers = row.map((value) => Math.exp(value - top));
    const total = sum(powers);
    return powers.map((power) => power / total);
  },
  log_softmax(row) {
    const top = largest(row);
    const where = row.indexOf(top);
    // The largest one's exponential is 1.
    const others = sum(row.map((value, i) => (i === where ? 0 : Math.exp(value - top))));
    return row.map((value) => value - top - Math.log1p(others));
  },
  l2_normalize(row) {
    const length = Math.hypot(...row);
    return row.map((value) => value / Math.max(length, 1e-12));
  },
  layer_norm(row) {
    const mean = sum(row) / row.length;
    const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length;
    return row.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  },
};

/** Ops of one element that the tests put before and after. */
export const elementReference: Readonly<Record<string, (value: number) => number>> = {
  "mul(0.5)": (value) => 0.5 * value,
  "leaky_relu(0.1)": (value) => (value > 0 ? value : 0.1 * value),
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  square: (value) => value * value,
};

/** What a chain of such ops makes of one row. */
export function chainReference(chain: string, row: readonly number[]): number[] {
  return chain.split(" | ").reduce<number[]>(
    (values, op) => {
      const ofRow = rowReference[op];
      if (ofRow) return ofRow(values);
      return values.map(elementReference[op]!);
    },
    [...row],
  );
}
