/** @file What a row has to say: one line of the table, and the runs behind it. */
import type { Runs } from "./rounds.ts";

export interface Outcome {
  readonly work: string;
  /** What must be reached, in words. */
  readonly target: string;
  /** What was reached, in the same words. */
  readonly measured: string;
  /** `undefined` where it could not be measured; `measured` says why. */
  readonly met: boolean | undefined;
  /** The best that could be reached on this machine, in the same words, and what it stands for. */
  readonly bound: string;
  /** The contestants, for the table of details. */
  readonly runs: readonly Runs[];
  /** Bytes that each contestant read, for its rate. */
  readonly bytes?: number;
}

export interface Row {
  /** For `--only`. */
  readonly name: string;
  run(bench: import("./bench.ts").Bench): Promise<readonly Outcome[]>;
}

/** Rows that are measured, and written into the document, together. */
export interface Table {
  /** For `--only`, and the document's marks. */
  readonly name: string;
  readonly rows: readonly Row[];
}
