/** @file The way of a group of batches to the device, and of what comes of them back. */
import type { GpuJs } from "../../gpu/gpu-js.ts";
import { type DeviceArray, Staging } from "../../gpu/staging.ts";
import type { BatchTarget, EngineOptions } from "../engine/engine.ts";
import { type RowLoss, rowLoss } from "../losses.ts";
import { makeArray, move } from "./arrays.ts";
import type { DeviceRows } from "./device-network.ts";
import { type RowSizes, rowSizes } from "./sizing.ts";
import { STATUS } from "./step-status.ts";

/** A batch on the host. */
export interface HostBatch {
  readonly target: BatchTarget;
  readonly rows: number;
}

/** What came of a batch. */
export interface Outcome {
  readonly loss: number;
  readonly correct: number;
  /** What the rows count together. */
  readonly weight: number;
  /** See `step-status.ts`. */
  readonly goesOn: boolean;
  readonly norm: number;
  /** [rows, outputs], where they were asked for. */
  readonly outputs: Float32Array;
}

/** Of a row: its loss, and whether it is correct. */
const RESULTS = 2;

/** Sends groups of up to `slots` batches, one group after the other. */
export class Groups {
  readonly #staging: Staging;
  readonly #gpu: GpuJs;
  readonly #sizes: RowSizes;
  readonly #batch: number;
  readonly #loss: RowLoss;
  readonly #isLabel: ((target: number) => boolean) | undefined;
  readonly #results: DeviceArray;
  readonly #outputs: DeviceArray;
  /** The batch at hand. */
  readonly #rows: DeviceRows;

  private constructor(
    gpu: GpuJs,
    { network, loss, batch, targetSize }: EngineOptions,
    rows: DeviceRows,
    results: DeviceArray,
    outputs: DeviceArray,
  ) {
    this.#gpu = gpu;
    this.#staging = new Staging(gpu.queue);
    this.#sizes = rowSizes({ network, targetSize });
    this.#batch = batch;
    const { outputs: classes } = this.#sizes;
    this.#loss = rowLoss(loss, classes, targetSize);
    if (loss.kind === "cross_entropy") {
      this.#isLabel = (label) => Number.isInteger(label) && label >= 0 && label < classes;
    }
    this.#rows = rows;
    this.#results = results;
    this.#outputs = outputs;
  }

  static async open(gpu: GpuJs, options: EngineOptions, slots: number): Promise<Groups> {
    const { inputs, targets, outputs } = rowSizes(options);
    const { batch } = options;
    const make = (length: number): Promise<DeviceArray> => makeArray(gpu.queue, length);
    const rows = {
      features: await make(batch * inputs),
      targets: await make(batch * targets),
      shares: await make(batch),
    };
    const results = await make(slots * (STATUS + RESULTS * batch));
    return new Groups(gpu, options, rows, results, await make(slots * batch * outputs));
  }

  /**
   * Has `compute` hand each batch's work to the device, and gives what comes of all.
   *
   * @param compute gives two numbers for each row, and outputs where they are to come back
   * @param status of the device; set before, and read after each batch
   * @throws GpuError
   */
  async run(
    batches: readonly HostBatch[],
    status: DeviceArray,
    compute: (rows: DeviceRows, index: number) => Promise<{ result: DeviceArray; outputs?: DeviceArray }>,
    goesOn = true,
  ): Promise<Outcome[]> {
    const { inputs, targets, outputs } = this.#sizes;
    const batch = this.#batch;
    const { queue } = this.#gpu;
    const lengths = [inputs, targets, 1].map((size) => batches.length * batch * size);
    lengths.push(STATUS);
    const weights = this.#fill(batches, await this.#staging.open(lengths), goesOn);
    const stride = STATUS + RESULTS * batch;
    let hasOutputs = false;
    const found: Outcome[] = [];
    await this.#staging.run(
      lengths,
      async ([features, labels, shares, begin]) => {
        move(queue, [{ from: begin!, to: status }]);
        for (const [i, { rows }] of batches.entries()) {
          move(queue, [
            { from: features!, start: i * batch * inputs, to: this.#rows.features, count: rows * inputs },
            { from: labels!, start: i * batch * targets, to: this.#rows.targets, count: rows * targets },
            { from: shares!, start: i * batch, to: this.#rows.shares, count: rows },
          ]);
          const { result, outputs: y } = await compute(this.#rows, i);
          const moves = [
            { from: status, to: this.#results, at: i * stride },
            { from: result, to: this.#results, at: i * stride + STATUS, count: RESULTS * rows },
          ];
          hasOutputs = y !== undefined;
          if (y) moves.push({ from: y, to: this.#outputs, at: i * batch * outputs, count: rows * outputs });
          move(queue, moves);
        }
        const results = { ...this.#results, length: batches.length * stride };
        const ofRows = { ...this.#outputs, length: batches.length * batch * outputs };
        return hasOutputs ? [results, ofRows] : [results];
      },
      ([results, ofRows]) => {
        for (const [i, { rows }] of batches.entries()) {
          const at = i * stride;
          const [ok, , norm] = results!.subarray(at, at + STATUS);
          const [losses, correct] = [0, rows].map((start) =>
            sumOf(results!.subarray(at + STATUS + start, at + STATUS + start + rows)),
          );
          const first = i * batch * outputs;
          found.push({
            ...{ loss: losses!, correct: correct!, weight: weights[i]!, goesOn: ok === 1, norm: norm! },
            outputs: ofRows ? ofRows.slice(first, first + rows * outputs) : new Float32Array(0),
          });
        }
      },
    );
    return found;
  }

  /** Brings arrays of the device here. @throws GpuError */
  async download(arrays: readonly DeviceArray[]): Promise<Float32Array[]> {
    let found: Float32Array[] = [];
    await this.#staging.run(
      [],
      async () => arrays,
      (results) => {
        found = results.map((result) => result.slice());
      },
    );
    return found;
  }

  /** Brings values to arrays of the device. @throws GpuError */
  async upload(to: readonly DeviceArray[], values: readonly Float32Array[]): Promise<void> {
    const lengths = values.map(({ length }) => length);
    for (const [i, array] of (await this.#staging.open(lengths)).entries()) array.set(values[i]!);
    const work = async (sent: readonly DeviceArray[]): Promise<DeviceArray[]> => {
      move(
        this.#gpu.queue,
        sent.map((from, i) => ({ from, to: to[i]! })),
      );
      // Something must come back, for that is what is waited for.
      return [{ ...to[0]!, length: 1 }];
    };
    await this.#staging.run(lengths, work, () => {});
  }

  /** Nothing is under way. */
  close(): void {
    this.#staging.close();
    const { features, targets, shares } = this.#rows;
    for (const { buffer } of [features, targets, shares, this.#results, this.#outputs]) buffer.destroy();
  }

  /** Gives what the rows of each batch count together. */
  #fill(
    batches: readonly HostBatch[],
    [features, labels, shares, begin]: readonly Float32Array[],
    goesOn: boolean,
  ): number[] {
    const { inputs, targets } = this.#sizes;
    begin!.set([goesOn ? 1 : 0, 1, 0]);
    return batches.map(({ target, rows }, i) => {
      const first = i * this.#batch;
      features!.set(target.features.subarray(0, rows * inputs), first * inputs);
      labels!.set(target.targets.subarray(0, rows * targets), first * targets);
      const run = { of: target.targets, at: 0 };
      let total = 0;
      for (let row = 0; row < rows; row++, run.at += targets) {
        total += target.weights[row]! * this.#loss.weightOf(run);
      }
      for (let row = 0; row < rows; row++) {
        const weight = target.weights[row]!;
        // Where all rows count nothing, none does anything.
        shares![first + row] = total === 0 ? 0 : weight / total;
        if (this.#isLabel?.(target.targets[row]!) !== false) continue;
        // Not even an index: NaN, which stops the training, instead of a wrong number.
        shares![first + row] = Number.NaN;
        labels![first + row] = 0;
      }
      return total;
    });
  }
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
