/** @file The work of one op, cut for the processes that share it. */
import type { Dtype } from "../src/ops/dtype.ts";
import type { Row, Side } from "./rows.ts";

/** One op or derivative, one type, and which of its inputs. */
export interface Job {
  readonly ops: string;
  readonly side: Side;
  readonly dtype: Dtype;
  /** float32: blocks of 2^16 consecutive bit patterns, from block `first` on, each `step` after the one before. */
  readonly first: number;
  readonly step: number;
  /** How many of them; of other types, how many numbers. */
  readonly blocks: number;
}

const FLOAT32_BLOCKS = 2 ** 16;
const FLOAT16_NUMBERS = 2 ** 16;
/** Judged in quadruple precision, some microseconds each. */
export const FLOAT64_NUMBERS = 2 ** 17;

/**
 * What every process does of a row, in their order.
 *
 * @param thinning 1 for every float32; n for one block of n
 */
export function jobsOf({ ops }: Row, side: Side, processes: number, thinning: number): Job[][] {
  return Array.from({ length: processes }, (_, process) => {
    const step = processes * thinning;
    const blocks = Math.ceil((FLOAT32_BLOCKS - process) / step);
    const jobs: Job[] = [{ ops, side, dtype: "float32", first: process, step, blocks }];
    const whole = { ops, side, first: 0, step: 1 };
    if (process === 0) jobs.push({ ...whole, dtype: "float16", blocks: FLOAT16_NUMBERS });
    if (process === processes - 1) jobs.push({ ...whole, dtype: "float64", blocks: FLOAT64_NUMBERS });
    return jobs;
  });
}

/** As the judge reads it, and names it in its verdict. */
export function jobText({ ops, side, dtype, first, step, blocks }: Job): string {
  return `${side} ${dtype} ${first} ${step} ${blocks} ${ops}`;
}
