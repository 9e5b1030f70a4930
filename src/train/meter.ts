/** @file How fast a training is of late, and how long it takes to its end. */

/** Seconds that count as of late. */
const RECENT = 3;

export class Meter {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly rows: number }[];
  #rows = 0;

  /** @param now seconds */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
    this.#samples = [{ at: now(), rows: 0 }];
  }

  /** So many rows are done. */
  add(rows: number): void {
    this.#rows += rows;
    const at = this.#now();
    this.#samples.push({ at, rows: this.#rows });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= RECENT) this.#samples.shift();
  }

  /** Rows a second. */
  get rate(): number {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!];
    return last.at > first.at ? (last.rows - first.rows) / (last.at - first.at) : 0;
  }

  /** Seconds for so many rows; infinite before the first. */
  secondsFor(rows: number): number {
    return rows === 0 ? 0 : rows / this.rate;
  }
}
