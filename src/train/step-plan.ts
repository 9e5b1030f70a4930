/** @file The steps of a training: how many there are, and which of them are trained as one group. */

/** Steps of one epoch that follow one another without a stop. */
export interface StepGroup {
  /** From 0. */
  readonly epoch: number;
  /** The first step, counted over the whole training. */
  readonly first: number;
  readonly count: number;
}

export interface StepPlanOptions {
  /** Rows of an epoch. */
  readonly rows: number;
  readonly batch: number;
  readonly epochs: number;
  /** Multiples of these end a group; 0: they do not. */
  readonly stops: readonly number[];
}

export class StepPlan {
  /** Steps of an epoch; the last one may have fewer rows. */
  readonly perEpoch: number;
  /** Steps in all. */
  readonly total: number;
  readonly #rows: number;
  readonly #batch: number;
  readonly #stops: readonly number[];

  constructor({ rows, batch, epochs, stops }: StepPlanOptions) {
    this.perEpoch = Math.ceil(rows / batch);
    this.total = this.perEpoch * epochs;
    [this.#rows, this.#batch, this.#stops] = [rows, batch, stops.filter((stop) => stop > 0)];
  }

  /** The group that begins with a step, of at most `most` steps; undefined behind the last step. */
  group(first: number, most: number): StepGroup | undefined {
    if (first >= this.total) return undefined;
    const ends = [this.perEpoch, ...this.#stops].map((stop) => stop - (first % stop));
    return { epoch: Math.floor(first / this.perEpoch), first, count: Math.max(1, Math.min(most, ...ends)) };
  }

  /** Rows of a step. */
  rowsOf(step: number): number {
    return Math.min(this.#batch, this.#rows - this.rowsBefore(step));
  }

  /** Rows of the same epoch that come before a step. */
  rowsBefore(step: number): number {
    return (step % this.perEpoch) * this.#batch;
  }

  /** Whether an epoch ends with the last of so many steps. */
  endsEpoch(steps: number): boolean {
    return steps % this.perEpoch === 0;
  }
}
