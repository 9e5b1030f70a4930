/** @file Round numbers along an axis. */

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** A multiple that is off by a rounding error of the division still counts. */
const SLACK = 1e-9;

/**
 * Ticks at the multiples of 1, 2 or 5 times a power of ten that lie within [from, to]: as many as there may be.
 *
 * @param most ticks, at least 2
 */
export function ticksOf(from: number, to: number, most: number): Tick[] {
  const { step, first, last } = stepsOf(from, to, most);
  // Beyond 2^53 `first + 1` may be `first`: the count bounds the loop, and a number that comes twice is one tick.
  const values = new Set<number>();
  for (let count = 0; count <= last - first; count++) {
    const i = first + count;
    values.add(i === 0 ? 0 : Number((i * step).toPrecision(12)));
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + SLACK));
  const largest = Math.max(Math.abs(from), Math.abs(to));
  const plain = largest < 1e6 && decimals <= 6;
  return Array.from(values, (value) => ({
    value,
    label: plain ? value.toFixed(decimals) : value === 0 ? "0" : value.toExponential().replace("e+", "e"),
  }));
}

/** The least step whose multiples from `first` to `last` are not more than `most`. */
function stepsOf(from: number, to: number, most: number): { step: number; first: number; last: number } {
  for (let power = 10 ** Math.floor(Math.log10((to - from) / most)); ; power *= 10) {
    for (const factor of [1, 2, 5]) {
      const step = factor * power;
      const [first, last] = [Math.ceil(from / step - SLACK), Math.floor(to / step + SLACK)];
      if (last - first < most) return { step, first, last };
    }
  }
}
