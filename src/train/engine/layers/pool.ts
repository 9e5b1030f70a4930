/**
 * @file Pooling. `max_pool` takes the first of equal ones and any NaN, padding being below all numbers, as PyTorch
 * (aten/src/ATen/native/cpu/MaxPoolKernel.cpp); `avg_pool` counts padding as zeros (`count_include_pad`).
 */
import type { Pool } from "../../layers.ts";
import { type Layer, sizeOf } from "../../network.ts";
import { type LayerContext, type LayerRunner, type Places, rowsAt, type Shard } from "../layer.ts";
import { Padding } from "../padding.ts";
import { compilePoolLoops, type PoolLoops } from "../pool-loops.ts";
import { argumentsOf } from "../unfold.ts";

const FLOAT_BYTES = 4;

export class PoolRunner implements LayerRunner {
  readonly scratchBytes: number;
  readonly gradients = [];
  readonly updates = [];
  readonly #places: Places;
  readonly #inSize: number;
  readonly #outSize: number;
  readonly #padding: Padding;
  readonly #loops: PoolLoops;
  readonly #windows: readonly number[];
  /** Of `max_pool`: where in its image each output comes from; of `avg_pool`, what part of it each element of a window is. */
  readonly #origins: number | undefined;
  readonly #share: number;

  constructor({ tools, region, batch }: LayerContext, { spec, inShape, outShape }: Layer, places: Places) {
    const { kind, kernel, stride, padding } = spec as Pool;
    const [channels, ...plane] = outShape as [number, number, number];
    this.#places = places;
    this.#inSize = sizeOf(inShape);
    this.#outSize = sizeOf(outShape);
    this.#padding = new Padding(tools, inShape, padding);
    this.#loops = tools.instance<PoolLoops>("pool", compilePoolLoops);
    this.#windows = argumentsOf({ channels, plane: this.#padding.plane, kernel, stride, places: plane });
    this.#origins = kind === "max_pool" ? region.floats(batch * this.#outSize) : undefined;
    this.#share = 1 / (kernel[0] * kernel[1]);
    this.scratchBytes = this.#padding.bytes;
  }

  forward(shard: Shard): void {
    const fill = this.#origins === undefined ? 0 : Number.NEGATIVE_INFINITY;
    for (let row = 0; row < shard.rows; row++) {
      const image = this.#padding.frame(this.#image(this.#places.x, shard, row), shard.scratch, fill);
      const to = this.#output(this.#places.y, shard, row);
      if (this.#origins === undefined) this.#loops.mean(to, image, this.#share, ...this.#windows);
      else this.#loops.largest(to, image, this.#output(this.#origins, shard, row), ...this.#windows);
    }
  }

  backward(shard: Shard): void {
    if (this.#places.dx === undefined) return;
    for (let row = 0; row < shard.rows; row++) {
      const dx = this.#image(this.#places.dx, shard, row);
      const from = this.#output(this.#places.dy, shard, row);
      const image = this.#padding.begin(dx, shard.scratch);
      if (this.#origins === undefined) this.#loops.spread(from, image, this.#share, ...this.#windows);
      else this.#loops.scatter(from, image, this.#output(this.#origins, shard, row), this.#outSize);
      this.#padding.end(dx, shard.scratch);
    }
  }

  #image(base: number | undefined, shard: Shard, row: number): number {
    return rowsAt(base, this.#inSize, shard) + FLOAT_BYTES * row * this.#inSize;
  }

  #output(base: number | undefined, shard: Shard, row: number): number {
    return rowsAt(base, this.#outSize, shard) + FLOAT_BYTES * row * this.#outSize;
  }
}
