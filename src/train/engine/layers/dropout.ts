/**
 * @file Dropout as PyTorch has it: what is not dropped is divided by 1 - rate while training, so that nothing is to be done
 * afterwards. Which elements are dropped follows from (seed, step, layer, element) alone, so backward asks again.
 */
import { type Layer, sizeOf } from "../../network.ts";
import { keyOf } from "../../random.ts";
import { type LayerContext, type LayerRunner, type Places, rowsAt, type Shard } from "../layer.ts";
import { SALT } from "../loops.ts";

/** Keeps the stream apart from others of the same seed. */
export const STREAM = 0xd409;

export class DropoutRunner implements LayerRunner {
  readonly scratchBytes = 0;
  readonly gradients = [];
  readonly updates = [];
  readonly #context: LayerContext;
  readonly #places: Places;
  readonly #rate: number;
  readonly #layer: number;
  readonly #size: number;

  constructor(context: LayerContext, { index, spec, inShape }: Layer, places: Places) {
    this.#context = context;
    this.#places = places;
    this.#rate = spec.kind === "dropout" ? spec.rate : 0;
    this.#layer = index;
    this.#size = sizeOf(inShape);
  }

  forward(shard: Shard): void {
    const [x, y] = [rowsAt(this.#places.x, this.#size, shard), rowsAt(this.#places.y, this.#size, shard)];
    if (shard.batch.training) this.#drop(y, x, shard);
    else if (x !== y) this.#context.tools.singles.copyWithin(y / 4, x / 4, x / 4 + shard.rows * this.#size);
  }

  backward(shard: Shard): void {
    if (this.#places.dy === undefined) return;
    const dy = rowsAt(this.#places.dy, this.#size, shard);
    this.#drop(dy, dy, shard);
  }

  #drop(to: number, from: number, { batch, first, rows }: Shard): void {
    const key = keyOf(this.#context.seed, STREAM, this.#layer, batch.step);
    const count = rows * this.#size;
    const threshold = Math.round(this.#rate * 2 ** 32);
    const scale = 1 / (1 - this.#rate);
    const { loops } = this.#context.tools;
    loops.drop(to, from, count, key, Math.imul(key, SALT), first * this.#size, threshold, scale);
  }
}
