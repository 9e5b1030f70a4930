/**
 * @file Convolution as products of matrices, image by image.
 *
 * ```text
 *   forward    Y[out, places]    = W[out, taps]     * columns[taps, places]       columns: the windows of the image
 *   backward   dC[taps, places]  = W^T[taps, out]   * dY[out, places]             folded into dX
 *   gradient   dW^T[taps, out]  += columns[taps, places] * dY^T[places, out]      one sum for each shard
 * ```
 */
import { type Packed, packedBytesB } from "../../../workers/matmul/layout.ts";
import type { Conv2d } from "../../layers.ts";
import { type Layer, sizeOf } from "../../network.ts";
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
import { Padding } from "../padding.ts";
import type { Parameter } from "../parameters.ts";
import { partsOf, tiles } from "../pieces.ts";
import { argumentsOf, compileUnfoldLoops, type UnfoldLoops } from "../unfold.ts";

const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;
/** Elements of a piece of the gradient: they are added from all shards. */
const GRADIENT_WORK = 2 ** 14;

export class Conv2dRunner implements LayerRunner {
  readonly scratchBytes: number;
  readonly gradients: readonly GradientPiece[];
  readonly updates: readonly UpdatePiece[];
  readonly #context: LayerContext;
  readonly #places: Places;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #inSize: number;
  readonly #outputs: number;
  /** Elements of a window, and windows of an image. */
  readonly #taps: number;
  readonly #windows: number;
  readonly #padding: Padding;
  readonly #loops: UnfoldLoops;
  readonly #arguments: readonly number[];
  /** Of the scratch memory: where the framed image, the windows and the packed operand begin. */
  readonly #offsets: { readonly columns: number; readonly packed: number };
  /** Of each shard: dW^T, and the sums of dY. */
  readonly #partialWeights: number;
  readonly #partialBiases: number;

  constructor(context: LayerContext, { spec, inShape, outShape, tensors }: Layer, places: Places) {
    const { tools, region, shards, training } = context;
    const { kernel, stride, padding } = spec as Conv2d;
    const [outputs, height, width] = outShape as [number, number, number];
    this.#context = context;
    this.#places = places;
    this.#weight = context.parameterOf(tensors[0]!.name);
    this.#bias = tensors[1] && context.parameterOf(tensors[1].name);
    this.#inSize = sizeOf(inShape);
    this.#outputs = outputs;
    this.#taps = inShape[0]! * kernel[0] * kernel[1];
    this.#windows = height * width;
    this.#padding = new Padding(tools, inShape, padding);
    const { plane } = this.#padding;
    this.#arguments = argumentsOf({
      channels: inShape[0]!,
      plane,
      kernel,
      stride,
      places: [height, width],
    });
    this.#loops = tools.instance<UnfoldLoops>("windows", compileUnfoldLoops);
    const columns = aligned(this.#padding.bytes);
    const packed = columns + aligned(FLOAT_BYTES * this.#taps * this.#windows);
    this.#offsets = { columns, packed };
    const operands = [
      packedBytesB(this.#taps, this.#windows),
      packedBytesB(outputs, this.#windows),
      packedBytesB(this.#windows, outputs),
    ];
    this.scratchBytes = packed + Math.max(...operands);
    this.#partialWeights = training ? region.floats(shards * this.#taps * outputs) : 0;
    this.#partialBiases = training && this.#bias ? region.doubles(shards * outputs) : 0;
    this.gradients = training ? this.#gradientPieces() : [];
    this.updates = [this.#weight, ...(this.#bias ? [this.#bias] : [])].flatMap(partsOf);
  }

  forward(shard: Shard): void {
    const { matmul } = this.#context.tools;
    const [outputs, taps, windows] = [this.#outputs, this.#taps, this.#windows];
    const w = { address: this.#weight.value, stride: taps };
    const start = this.#bias ? ({ bias: this.#bias.value, along: "rows" } as const) : "zero";
    const packed = this.#packed(shard, taps);
    const y = rowsAt(this.#places.y, outputs * windows, shard);
    for (let row = 0; row < shard.rows; row++) {
      matmul.packB(this.#unfold(shard, row), taps, windows, packed);
      const to = { address: y + FLOAT_BYTES * row * outputs * windows, stride: windows };
      matmul.multiply(outputs, windows, taps, w, packed, to, start);
    }
  }

  backward(shard: Shard): void {
    const { matmul, singles } = this.#context.tools;
    const [outputs, taps, windows] = [this.#outputs, this.#taps, this.#windows];
    const dy = rowsAt(this.#places.dy, outputs * windows, shard);
    const gradient = this.#partialWeights + FLOAT_BYTES * shard.index * taps * outputs;
    const gradients = { address: gradient, stride: outputs };
    singles.fill(0, gradient / 4, gradient / 4 + taps * outputs);
    for (let row = 0; row < shard.rows; row++) {
      const ofImage = { address: dy + FLOAT_BYTES * row * outputs * windows, stride: windows };
      const packed = this.#packed(shard, windows);
      matmul.packB({ ...ofImage, transposed: true }, windows, outputs, packed);
      matmul.multiply(taps, outputs, windows, this.#unfold(shard, row), packed, gradients, "add");
      if (this.#places.dx !== undefined) this.#inputGradient(shard, row, ofImage);
    }
    if (this.#bias) this.#sumBiases(shard, dy);
  }

  #inputGradient(shard: Shard, row: number, dy: { address: number; stride: number }): void {
    const { matmul } = this.#context.tools;
    const [outputs, taps, windows] = [this.#outputs, this.#taps, this.#windows];
    const packed = this.#packed(shard, outputs);
    matmul.packB(dy, outputs, windows, packed);
    const w = { address: this.#weight.value, stride: taps, transposed: true };
    const columns = { address: shard.scratch + this.#offsets.columns, stride: windows };
    matmul.multiply(taps, windows, outputs, w, packed, columns);
    const dx = rowsAt(this.#places.dx, this.#inSize, shard) + FLOAT_BYTES * row * this.#inSize;
    const framed = this.#padding.begin(dx, shard.scratch);
    this.#loops.fold(columns.address, framed, ...this.#arguments);
    this.#padding.end(dx, shard.scratch);
  }

  /** The windows of one image. */
  #unfold(shard: Shard, row: number): { address: number; stride: number } {
    const image = rowsAt(this.#places.x, this.#inSize, shard) + FLOAT_BYTES * row * this.#inSize;
    const framed = this.#padding.frame(image, shard.scratch, 0);
    const address = shard.scratch + this.#offsets.columns;
    this.#loops.unfold(address, framed, ...this.#arguments);
    return { address, stride: this.#windows };
  }

  #packed({ scratch }: Shard, depth: number): Packed {
    return { address: scratch + this.#offsets.packed, depth };
  }

  #sumBiases({ index, rows }: Shard, dy: number): void {
    const { doubles, loops } = this.#context.tools;
    const [outputs, windows] = [this.#outputs, this.#windows];
    const to = this.#partialBiases / DOUBLE_BYTES + index * outputs;
    for (let out = 0; out < outputs; out++) {
      const lines = dy + FLOAT_BYTES * out * windows;
      doubles[to + out] = loops.sumSingles(lines, rows, windows, FLOAT_BYTES * outputs * windows);
    }
  }

  #gradientPieces(): GradientPiece[] {
    const parameter = this.#weight;
    const rows = Math.max(1, Math.floor(GRADIENT_WORK / this.#taps));
    const pieces = tiles(this.#outputs, this.#taps, rows, this.#taps).map(({ row, rows }) => ({
      parameter,
      run: (batch: Batch): number => this.#weightGradient(row, rows, this.#context.shardsOf(batch)),
    }));
    const bias = this.#bias;
    if (!bias) return pieces;
    const run = (batch: Batch): number => this.#biasGradient(bias, this.#context.shardsOf(batch));
    return [...pieces, { parameter: bias, run }];
  }

  /** Adds the shards' dW^T in tree order, and transposes. */
  #weightGradient(first: number, count: number, shards: number): number {
    const { singles, loops } = this.#context.tools;
    const [outputs, taps] = [this.#outputs, this.#taps];
    const partials = this.#partialWeights / 4;
    const size = taps * outputs;
    const sums = new Float64Array(shards);
    for (let out = first; out < first + count; out++) {
      for (let tap = 0; tap < taps; tap++) {
        for (let shard = 0; shard < shards; shard++) {
          sums[shard] = singles[partials + shard * size + tap * outputs + out]!;
        }
        for (let width = 1; width < shards; width *= 2) {
          for (let i = 0; i + width < shards; i += 2 * width) sums[i]! += sums[i + width]!;
        }
        singles[this.#weight.gradient / 4 + out * taps + tap] = sums[0]!;
      }
    }
    return loops.squares(this.#weight.gradient + FLOAT_BYTES * first * taps, 1, count * taps, 0);
  }

  #biasGradient({ gradient, size }: Parameter, shards: number): number {
    const { loops } = this.#context.tools;
    const bytes = DOUBLE_BYTES * size;
    for (let width = 1; width < shards; width *= 2) {
      for (let i = 0; i + width < shards; i += 2 * width) {
        loops.accumulate(this.#partialBiases + i * bytes, this.#partialBiases + (i + width) * bytes, size);
      }
    }
    loops.round(gradient, this.#partialBiases, size);
    return loops.squares(gradient, 1, size, 0);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
