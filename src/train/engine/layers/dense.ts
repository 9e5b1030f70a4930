/**
 * @file Dense layers: Y = X W^T + b, three products of matrices.
 *
 * ```text
 *   forward    Y[rows, out]  = X[rows, in]   * W^T[in, out]       W^T packed after every update
 *   backward   dX[rows, in]  = dY[rows, out] * W[out, in]         W packed after every update
 *   gradient   dW[out, in]   = dY^T[out, rows] * X[rows, in]      both packed shard by shard, while they are in the cache
 * ```
 */
import {
  PANEL_COLUMNS,
  PANEL_ROWS,
  type Packed,
  packedBytesA,
  packedBytesB,
  partOfA,
  partOfB,
} from "../../../workers/matmul/layout.ts";
import type { Layer } from "../../network.ts";
import {
  type Batch,
  type GradientPiece,
  type LayerContext,
  type LayerRunner,
  type Places,
  rowsAt,
  type Shard,
  type UpdatePiece,
} from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { share, type Tile, tiles, UPDATE_WORK, wholeOf } from "../pieces.ts";

/** Multiplications of a piece of a gradient, at least: some 50 microseconds, so that threads end together. */
const GRADIENT_WORK = 2 ** 21;
/** Pieces of a large gradient: enough to share. */
const GRADIENT_PIECES = 64;
/** Rows of dY^T that are multiplied with all of X while it passes by, at least. */
const GRADIENT_ROWS = 2 * PANEL_ROWS;
const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;

export class DenseRunner implements LayerRunner {
  readonly scratchBytes = 0;
  readonly gradients: readonly GradientPiece[];
  readonly updates: readonly UpdatePiece[];
  readonly #context: LayerContext;
  readonly #places: Places;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #packedForward: Packed;
  readonly #packedBackward: Packed | undefined;
  /** dY^T and X of the whole batch. */
  readonly #packedDy: Packed | undefined;
  readonly #packedX: Packed | undefined;
  readonly #biasSums: number;

  constructor(context: LayerContext, { tensors, inShape, outShape }: Layer, places: Places) {
    const { region, batch, training } = context;
    const [inputs, outputs] = [inShape[0]!, outShape[0]!];
    this.#context = context;
    this.#places = places;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#weight = context.parameterOf(tensors[0]!.name);
    this.#bias = tensors[1] && context.parameterOf(tensors[1].name);
    const packed = (bytes: number, depth: number): Packed => ({ address: region.take(bytes), depth });
    this.#packedForward = packed(packedBytesB(inputs, outputs), inputs);
    if (places.dx !== undefined) this.#packedBackward = packed(packedBytesB(outputs, inputs), outputs);
    if (training) {
      this.#packedDy = packed(packedBytesA(outputs, batch), batch);
      this.#packedX = packed(packedBytesB(batch, inputs), batch);
    }
    this.#biasSums = this.#bias && training ? region.doubles(outputs) : 0;
    this.gradients = training ? this.#gradientPieces(batch) : [];
    this.updates = this.#updatePieces();
  }

  forward(shard: Shard): void {
    const { matmul } = this.#context.tools;
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const x = { address: rowsAt(this.#places.x, inputs, shard), stride: inputs };
    const y = { address: rowsAt(this.#places.y, outputs, shard), stride: outputs };
    const start = this.#bias ? ({ bias: this.#bias.value, along: "columns" } as const) : "zero";
    matmul.multiply(shard.rows, outputs, inputs, x, this.#packedForward, y, start);
  }

  backward(shard: Shard): void {
    const { matmul } = this.#context.tools;
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const dy = { address: rowsAt(this.#places.dy, outputs, shard), stride: outputs };
    const x = { address: rowsAt(this.#places.x, inputs, shard), stride: inputs };
    matmul.packA({ ...dy, transposed: true }, outputs, shard.rows, partOfA(this.#packedDy!, 0, shard.first));
    matmul.packB(x, shard.rows, inputs, partOfB(this.#packedX!, shard.first, 0));
    if (!this.#packedBackward) return;
    const dx = { address: rowsAt(this.#places.dx, inputs, shard), stride: inputs };
    matmul.multiply(shard.rows, inputs, outputs, dy, this.#packedBackward, dx);
  }

  #gradientPieces(batch: number): GradientPiece[] {
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const work = Math.max(GRADIENT_WORK, (batch * inputs * outputs) / GRADIENT_PIECES);
    const rows = share(work / (batch * inputs), GRADIENT_ROWS);
    const isWhole = rows * batch * inputs <= 2 * work;
    const columns = isWhole ? inputs : share(work / (batch * rows), PANEL_COLUMNS);
    const parameter = this.#weight;
    const pieces = tiles(outputs, inputs, rows, columns).map((tile) => ({
      parameter,
      run: ({ rows }: Batch): number => this.#weightGradient(tile, rows),
    }));
    const bias = this.#bias;
    if (!bias) return pieces;
    const width = share(UPDATE_WORK / batch, PANEL_COLUMNS);
    const ofBias = tiles(1, outputs, 1, width).map((tile) => ({
      parameter: bias,
      run: ({ rows }: Batch): number => this.#biasGradient(bias, tile, rows),
    }));
    return [...pieces, ...ofBias];
  }

  #weightGradient({ row, column, rows, columns }: Tile, depth: number): number {
    const { matmul, loops } = this.#context.tools;
    const inputs = this.#inputs;
    const to = { address: this.#weight.gradient + FLOAT_BYTES * (row * inputs + column), stride: inputs };
    const [dy, x] = [partOfA(this.#packedDy!, row, 0), partOfB(this.#packedX!, 0, column)];
    matmul.multiply(rows, columns, depth, dy, x, to);
    return loops.squares(to.address, rows, columns, FLOAT_BYTES * inputs);
  }

  #biasGradient(bias: Parameter, { column, columns }: Tile, rows: number): number {
    const { loops } = this.#context.tools;
    const sums = this.#biasSums + DOUBLE_BYTES * column;
    const dy = this.#places.dy! + FLOAT_BYTES * column;
    loops.sumColumns(sums, dy, rows, columns, FLOAT_BYTES * this.#outputs);
    const to = bias.gradient + FLOAT_BYTES * column;
    loops.round(to, sums, columns);
    return loops.squares(to, 1, columns, 0);
  }

  #updatePieces(): UpdatePiece[] {
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const columns = Math.min(inputs, share(UPDATE_WORK / PANEL_COLUMNS, PANEL_COLUMNS));
    const rows = share(UPDATE_WORK / columns, PANEL_COLUMNS);
    const parameter = this.#weight;
    const pieces: UpdatePiece[] = tiles(outputs, inputs, rows, columns).map((tile) => {
      const { row, column } = tile;
      const first = row * inputs + column;
      return {
        part: { parameter, first, rows: tile.rows, columns: tile.columns, stride: inputs },
        refresh: () => this.#pack(tile),
      };
    });
    const bias = this.#bias;
    if (bias) pieces.push({ part: wholeOf(bias) });
    return pieces;
  }

  #pack({ row, column, rows, columns }: Tile): void {
    const { matmul } = this.#context.tools;
    const inputs = this.#inputs;
    const w = { address: this.#weight.value + FLOAT_BYTES * (row * inputs + column), stride: inputs };
    matmul.packB({ ...w, transposed: true }, columns, rows, partOfB(this.#packedForward, column, row));
    if (this.#packedBackward) matmul.packB(w, rows, columns, partOfB(this.#packedBackward, row, column));
  }
}
