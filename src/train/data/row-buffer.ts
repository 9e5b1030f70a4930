/** @file Rows in memory, as the network takes them: float32, one row behind the other. */
import type { BatchTarget } from "./dataset.ts";

/** How large a row is, and what is kept of it. */
export interface RowLayout {
  readonly features: number;
  readonly targets: number;
  readonly weighted: boolean;
  /** Whether some rows are not usable, and it is to be known which. */
  readonly gaps: boolean;
}

/** Bytes that a row takes in a buffer and in the list of rows to serve. */
export function bytesPerRow({ features, targets, weighted, gaps }: RowLayout): number {
  return 4 * (features + targets + (weighted ? 1 : 0)) + 4 + (gaps ? 1 : 0);
}

export class RowBuffer {
  readonly features: Float32Array;
  readonly targets: Float32Array;
  readonly weights: Float32Array | null;
  /** 1 for each row that is usable; `null` where all are. */
  readonly usable: Uint8Array | null;
  readonly #features: number;
  readonly #targets: number;

  constructor(rows: number, { features, targets, weighted, gaps }: RowLayout) {
    this.#features = features;
    this.#targets = targets;
    this.features = new Float32Array(rows * features);
    this.targets = new Float32Array(rows * targets);
    this.weights = weighted ? new Float32Array(rows) : null;
    this.usable = gaps ? new Uint8Array(rows) : null;
  }

  /** Copies rows `list[from]` to `list[from + count]` to the rows of `target` from `to` on. */
  copy(list: Uint32Array, from: number, count: number, target: BatchTarget, to: number): void {
    copyRows(this.features, this.#features, list, from, count, target.features, to);
    copyRows(this.targets, this.#targets, list, from, count, target.targets, to);
    if (this.weights) copyRows(this.weights, 1, list, from, count, target.weights, to);
    else target.weights.fill(1, to, to + count);
  }
}

/** From so many elements on, a copy of memory is faster than a loop. */
const LONG = 24;

function copyRows(
  source: Float32Array,
  size: number,
  list: Uint32Array,
  from: number,
  count: number,
  target: Float32Array,
  to: number,
): void {
  let at = to * size;
  for (let i = from; i < from + count; i++, at += size) {
    const start = list[i]! * size;
    if (size >= LONG) target.set(source.subarray(start, start + size), at);
    else for (let k = 0; k < size; k++) target[at + k] = source[start + k]!;
  }
}
