/** @file The end of the network: the loss of each row, and the gradient of its outputs. */
import { type Loss, type RowLoss, rowLoss } from "../losses.ts";
import type { LayerContext, Shard } from "./layer.ts";

const DOUBLE_BYTES = 8;
/** Of each shard: the sum of the losses, and the rows that are correct. */
const PARTS = 2;

/** Where a slot's rows, and what came of them, lie. */
export interface HeadPlaces {
  readonly outputs: number;
  readonly targets: number;
  readonly weights: number;
  /** Where the gradient goes; left out, none is made. */
  readonly gradients: number | undefined;
}

export class LossHead {
  readonly #loss: RowLoss;
  readonly #context: LayerContext;
  readonly #size: number;
  readonly #targetSize: number;
  readonly #partials: number;

  constructor(context: LayerContext, loss: Loss, size: number, targetSize: number) {
    this.#loss = rowLoss(loss, size, targetSize);
    this.#context = context;
    this.#size = size;
    this.#targetSize = targetSize;
    this.#partials = context.region.doubles(PARTS * context.shards);
  }

  /** What the rows of a batch count together. */
  totalWeight({ targets, weights }: HeadPlaces, rows: number): number {
    const { singles } = this.#context.tools;
    const target = { of: singles, at: targets / 4 };
    let total = 0;
    for (let row = 0; row < rows; row++, target.at += this.#targetSize) {
      total += singles[weights / 4 + row]! * this.#loss.weightOf(target);
    }
    return total;
  }

  /** @param total what all rows of the batch count together */
  run(
    { index, first, rows }: Shard,
    { outputs, targets, weights, gradients }: HeadPlaces,
    total: number,
  ): void {
    const { singles, doubles } = this.#context.tools;
    const output = { of: singles, at: outputs / 4 + first * this.#size };
    const target = { of: singles, at: targets / 4 + first * this.#targetSize };
    const gradient =
      gradients === undefined ? undefined : { of: singles, at: gradients / 4 + first * this.#size };
    let [loss, correct] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const weight = singles[weights / 4 + first + row]!;
      // Rows that count nothing do nothing, even where all rows are such, or all classes.
      const share = weight === 0 || total === 0 ? 0 : weight / total;
      const ofRow = this.#loss.lossOf(output, target, gradient, share);
      if (weight !== 0) loss += weight * ofRow;
      if (this.#loss.isCorrect?.(output, target)) correct++;
      output.at += this.#size;
      target.at += this.#targetSize;
      if (gradient) gradient.at += this.#size;
    }
    const at = this.#partials / DOUBLE_BYTES + PARTS * index;
    doubles[at] = loss;
    doubles[at + 1] = correct;
  }

  /** Of the whole batch, after all shards: the mean loss, and how many rows are correct. */
  combine(shards: number, total: number): { readonly loss: number; readonly correct: number } {
    const { doubles, loops } = this.#context.tools;
    const at = (shard: number): number => this.#partials + DOUBLE_BYTES * PARTS * shard;
    for (let width = 1; width < shards; width *= 2) {
      for (let i = 0; i + width < shards; i += 2 * width) loops.accumulate(at(i), at(i + width), PARTS);
    }
    const [sum, correct] = [doubles[at(0) / DOUBLE_BYTES]!, doubles[at(0) / DOUBLE_BYTES + 1]!];
    return { loss: total === 0 ? 0 * sum : sum / total, correct };
  }
}
