/**
 * @file Batch normalisation as PyTorch has it: the statistics of the batch while training (biased variance for the output,
 * unbiased for `running_var`), the running ones otherwise. So rows wait for each other twice:
 *
 * ```text
 *   forward    sums of x and x^2 of each shard      -> mean, 1 / deviation     -> y = (x - mean) / deviation * weight + bias
 *   backward   sums of dy and dy * h of each shard  -> gradients, their means  -> dx, for h = (x - mean) / deviation
 * ```
 *
 * Of a batch with one value for each channel the variance is not known: `running_var` stays as it is (PyTorch refuses it).
 */
import type { Channels } from "../../../formats/layout.ts";
import { add, input, mul, type Num, sub } from "../../../ops/expr.ts";
import type { Program } from "../../../ops/program.ts";
import type { BatchNorm } from "../../layers.ts";
import { type Layer, sizeOf } from "../../network.ts";
import {
  type Batch,
  type GradientPiece,
  type LayerContext,
  type LayerRunner,
  type Places,
  type Reduction,
  rowsAt,
  type Shard,
  type UpdatePiece,
} from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { wholeOf } from "../pieces.ts";
import { RowKernel } from "../row-kernel.ts";
import { Table } from "../tables.ts";

export class BatchNormRunner implements LayerRunner {
  readonly scratchBytes: number;
  readonly gradients: readonly GradientPiece[];
  readonly updates: readonly UpdatePiece[];
  readonly forwardReduction: Reduction;
  readonly backwardReduction: Reduction;
  readonly #context: LayerContext;
  readonly #places: Places;
  readonly #spec: BatchNorm;
  readonly #size: number;
  readonly #channels: Channels;
  readonly #tensors: Readonly<Record<"weight" | "bias" | "runningMean" | "runningVar", Parameter>>;
  /** Of this batch and of all before, for each channel. */
  readonly #ofBatch: Statistics;
  readonly #running: Statistics;
  /** Means of dy and of dy * h. */
  readonly #meanDy: TableOf;
  readonly #meanDyH: TableOf;
  /** The next running statistics, until the update: mean, then variance. */
  readonly #pending: number;
  readonly #kernels: Readonly<
    Record<"sums" | "training" | "inference" | "backwardSums" | "backward", RowKernel>
  >;

  constructor(context: LayerContext, layer: Layer, places: Places) {
    const { tools, region } = context;
    const { inShape, tensors, index } = layer;
    this.#context = context;
    this.#places = places;
    this.#spec = layer.spec as BatchNorm;
    const size = sizeOf(inShape);
    const channels = { count: inShape[0]!, stride: size / inShape[0]! };
    this.#size = size;
    this.#channels = channels;
    const [weight, bias, runningMean, runningVar] = tensors.map(({ name }) => context.parameterOf(name));
    this.#tensors = { weight: weight!, bias: bias!, runningMean: runningMean!, runningVar: runningVar! };
    const tableOf = (source = region.floats(channels.count)): TableOf => ({
      source,
      table: new Table(tools, region, source, channels, size),
    });
    const statistics = (): Statistics => ({ mean: tableOf(), scale: tableOf() });
    this.#ofBatch = statistics();
    this.#running = statistics();
    this.#meanDy = tableOf();
    this.#meanDyH = tableOf();
    this.#pending = region.floats(2 * channels.count);
    const [ofWeight, ofBias] = [tableOf(weight!.value), tableOf(bias!.value)];

    const shape = { size, last: inShape.at(-1)! };
    const kernel = (name: string, program: Program, tables: readonly TableOf[]): RowKernel => {
      const sums = program.sums.map(() => channels);
      const all = tables.map(({ table }) => table);
      return new RowKernel(context, `${index} ${name}`, program, shape, all, sums);
    };
    const { mean, scale } = this.#ofBatch;
    const affine = [ofWeight, ofBias];
    const normalise = PROGRAMS.normalise;
    this.#kernels = {
      sums: kernel("sums", PROGRAMS.sums, []),
      training: kernel("normalise", normalise, [mean, scale, ...affine]),
      inference: kernel("normalise", normalise, [this.#running.mean, this.#running.scale, ...affine]),
      backwardSums: kernel("backward sums", PROGRAMS.backwardSums, [mean, scale]),
      backward: kernel("backward", PROGRAMS.backward, [mean, scale, ofWeight, this.#meanDy, this.#meanDyH]),
    };
    this.scratchBytes = Math.max(...Object.values(this.#kernels).map(({ scratchBytes }) => scratchBytes));
    this.forwardReduction = {
      ofShard: (shard) => this.#kernels.sums.run(shard.rows, [this.#x(shard)], shard.scratch, shard.index),
      combine: (batch) => this.#combineForward(batch),
    };
    this.backwardReduction = {
      ofShard: (shard) =>
        this.#kernels.backwardSums.run(
          shard.rows,
          [this.#x(shard), this.#dy(shard)],
          shard.scratch,
          shard.index,
        ),
      combine: (batch) => this.#combineBackward(batch),
    };
    this.gradients = [weight!, bias!].map((parameter) => ({
      parameter,
      run: () => tools.loops.squares(parameter.gradient, 1, parameter.size, 0),
    }));
    this.updates = [
      { part: wholeOf(weight!), refresh: () => ofWeight.table.refresh() },
      { part: wholeOf(bias!), refresh: () => ofBias.table.refresh() },
      { update: () => this.#keepRunning(), refresh: () => this.#refreshRunning() },
    ];
  }

  forward(shard: Shard): void {
    const kernel = shard.batch.training ? this.#kernels.training : this.#kernels.inference;
    kernel.run(shard.rows, [this.#x(shard), rowsAt(this.#places.y, this.#size, shard)], shard.scratch);
  }

  backward(shard: Shard): void {
    if (this.#places.dx === undefined) return;
    this.#kernels.backward.run(shard.rows, [this.#x(shard), this.#dy(shard)], shard.scratch);
  }

  #x(shard: Shard): number {
    return rowsAt(this.#places.x, this.#size, shard);
  }

  #dy(shard: Shard): number {
    return rowsAt(this.#places.dy, this.#size, shard);
  }

  #combineForward(batch: Batch): void {
    const { tools, shardsOf } = this.#context;
    const { count, stride } = this.#channels;
    const { momentum, eps } = this.#spec;
    const values = batch.rows * stride;
    const [sum, squares] = [0, 1].map((k) => this.#kernels.sums.sums!.total(k, shardsOf(batch)) / 8) as [
      number,
      number,
    ];
    const { mean, scale } = this.#ofBatch;
    const [means, scales] = [tools.floats(mean.source, count), tools.floats(scale.source, count)];
    const pending = tools.floats(this.#pending, 2 * count);
    const { runningMean, runningVar } = this.#tensors;
    for (let c = 0; c < count; c++) {
      const average = tools.doubles[sum + c]! / values;
      const variance = Math.max(0, tools.doubles[squares + c]! / values - average * average);
      means[c] = average;
      scales[c] = 1 / Math.sqrt(variance + eps);
      const [before, beforeVar] = [
        tools.singles[runningMean.value / 4 + c]!,
        tools.singles[runningVar.value / 4 + c]!,
      ];
      pending[c] = (1 - momentum) * before + momentum * average;
      const unbiased = (variance * values) / (values - 1);
      pending[count + c] = values === 1 ? beforeVar : (1 - momentum) * beforeVar + momentum * unbiased;
    }
    mean.table.refresh();
    scale.table.refresh();
  }

  #combineBackward(batch: Batch): void {
    const { tools, shardsOf } = this.#context;
    const { count, stride } = this.#channels;
    const values = batch.rows * stride;
    const { weight, bias } = this.#tensors;
    for (const [k, { source, table }, parameter] of [
      [0, this.#meanDy, bias],
      [1, this.#meanDyH, weight],
    ] as const) {
      const total = this.#kernels.backwardSums.sums!.total(k, shardsOf(batch)) / 8;
      const [means, gradient] = [tools.floats(source, count), tools.floats(parameter.gradient, count)];
      for (let c = 0; c < count; c++) {
        gradient[c] = tools.doubles[total + c]!;
        means[c] = tools.doubles[total + c]! / values;
      }
      table.refresh();
    }
  }

  #keepRunning(): void {
    const { singles } = this.#context.tools;
    const { count } = this.#channels;
    const { runningMean, runningVar } = this.#tensors;
    const from = this.#pending / 4;
    singles.copyWithin(runningMean.value / 4, from, from + count);
    singles.copyWithin(runningVar.value / 4, from + count, from + 2 * count);
  }

  #refreshRunning(): void {
    const { tools } = this.#context;
    const { count } = this.#channels;
    const { mean, scale } = this.#running;
    const { runningMean, runningVar } = this.#tensors;
    tools.singles.copyWithin(mean.source / 4, runningMean.value / 4, runningMean.value / 4 + count);
    const scales = tools.floats(scale.source, count);
    for (const [c, variance] of tools.floats(runningVar.value, count).entries()) {
      scales[c] = 1 / Math.sqrt(variance + this.#spec.eps);
    }
    mean.table.refresh();
    scale.table.refresh();
  }
}

interface TableOf {
  /** Address of one number for each channel. */
  readonly source: number;
  readonly table: Table;
}

interface Statistics {
  readonly mean: TableOf;
  /** 1 / deviation */
  readonly scale: TableOf;
}

const x = input(0);
/** h, from tables of the mean and of 1 / deviation. */
const normalised = (mean: Num, scale: Num): Num => mul(sub(x, mean), scale);

function program(
  key: string,
  parts: Pick<Program, "inputs" | "target" | "output"> & {
    readonly terms?: readonly Num[];
    readonly tables: number;
  },
): Program {
  const { inputs, target, output, terms = [], tables } = parts;
  const perChannel = true;
  return {
    key,
    inputs,
    target,
    output,
    channels: Array.from({ length: tables }, (_, i) => ({ name: `table ${i}`, values: [] })),
    sums: terms.map((term, i) => ({ name: `sum ${i}`, term, perChannel })),
    // dx is a difference of nearly equal terms where the gradient is nearly constant.
    precise: true,
  };
}

const PROGRAMS = {
  sums: program("batch_norm sums", {
    inputs: 1,
    target: 0,
    output: x,
    terms: [x, mul(x, x)],
    tables: 0,
  }),
  normalise: program("batch_norm", {
    inputs: 2,
    target: 1,
    output: add(mul(normalised(input(2), input(3)), input(4)), input(5)),
    tables: 4,
  }),
  backwardSums: program("batch_norm backward sums", {
    inputs: 2,
    target: 1,
    output: input(1),
    terms: [input(1), mul(input(1), normalised(input(2), input(3)))],
    tables: 2,
  }),
  // dx = weight / deviation * (dy - mean(dy) - h * mean(dy * h))
  backward: program("batch_norm backward", {
    inputs: 2,
    target: 1,
    output: mul(
      mul(input(3), input(4)),
      sub(sub(input(1), input(5)), mul(normalised(input(2), input(3)), input(6))),
    ),
    tables: 5,
  }),
} as const;
