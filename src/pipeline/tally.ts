/** @file Counts what of the input a piece of work covers. */

export interface Tally {
  readonly inputBytes: number;
  readonly rows: number;
  readonly batches: number;
  readonly elements: number;
}

export class TallyCounter {
  inputBytes = 0;
  rows = 0;
  batches = 0;
  elements = 0;

  /** What was counted since the last call. */
  take(): Tally {
    const { inputBytes, rows, batches, elements } = this;
    this.inputBytes = this.rows = this.batches = this.elements = 0;
    return { inputBytes, rows, batches, elements };
  }
}
