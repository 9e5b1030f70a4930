/**
 * @file Runs a program of ops over the rows of a shard: element by element, or along their last axis.
 *
 * ```text
 *   scratch   terms and accumulators of the sums | what a row-wise kernel keeps between its passes
 * ```
 */
import type { Channels } from "../../formats/layout.ts";
import type { Program } from "../../ops/program.ts";
import { isRowWise } from "../../ops/row-plan.ts";
import { BLOCK } from "../../ops/shards.ts";
import { compileKernel } from "../../workers/compile.ts";
import { compileRowKernel, scratchOf } from "../../workers/rows/compile.ts";
import type { RowFunctions } from "../../workers/rows/run.ts";
import { MOST_STORED_LENGTH } from "../../workers/rows/scratch.ts";
import type { LayerContext } from "./layer.ts";
import { BatchSums } from "./sums.ts";
import { rowsOfTable, type Table } from "./tables.ts";

const FLOAT_BYTES = 4;

/** The shape of the rows that a kernel goes over. */
export interface RowShape {
  /** Elements of a row of the batch. */
  readonly size: number;
  /** Elements of its last axis. */
  readonly last: number;
}

export class RowKernel {
  readonly scratchBytes: number;
  /** Of a program with sums. */
  readonly sums: BatchSums | undefined;
  readonly #run: (...numbers: number[]) => void;
  readonly #rows: RowFunctions | undefined;
  readonly #isLong: boolean;
  readonly #shape: RowShape;
  readonly #tables: readonly Table[];

  /**
   * @param name of the module
   * @param tables one for each channel parameter of the program
   * @param channels of each sum of the program
   */
  constructor(
    context: LayerContext,
    name: string,
    program: Program,
    shape: RowShape,
    tables: readonly Table[] = [],
    channels: readonly Channels[] = [],
  ) {
    const isByRow = isRowWise(program);
    const compile = isByRow ? compileRowKernel : compileKernel;
    const functions = context.tools.instance<RowFunctions>(name, () => compile(program, "float32"));
    this.#run = functions.run;
    this.#rows = isByRow ? functions : undefined;
    this.#isLong = shape.last > MOST_STORED_LENGTH;
    this.#shape = shape;
    this.#tables = tables;
    this.sums = channels.length > 0 ? new BatchSums(context, channels, shape.size) : undefined;
    const forRows = isByRow ? scratchOf(program, "float32", shape.last).full : 0;
    this.scratchBytes = (this.sums?.scratchBytes ?? 0) + forRows;
  }

  /** @param inputs the addresses of the first row of each of the program's inputs */
  run(rows: number, inputs: readonly number[], scratch: number, shard = 0): void {
    this.sums?.begin(scratch);
    if (this.#rows) this.#runRows(this.#rows, rows, inputs, scratch);
    else this.#runElements(rows, inputs, scratch);
    this.sums?.end(scratch, shard);
  }

  #runElements(rows: number, inputs: readonly number[], scratch: number): void {
    const { size } = this.#shape;
    const { sums } = this;
    const all = rows * size;
    const inTables = this.#tables.length > 0 ? rowsOfTable(size) * size : all;
    for (let start = 0; start < all; start += inTables) {
      const end = Math.min(start + inTables, all);
      const most = sums ? BLOCK : end - start;
      for (let at = start; at < end; at += most) {
        const count = Math.min(most, end - at);
        const addresses = inputs.map((address) => address + FLOAT_BYTES * at);
        for (const { address } of this.#tables) addresses.push(address + FLOAT_BYTES * (at - start));
        if (!sums) {
          this.#run(count, ...addresses);
          continue;
        }
        this.#run(count, ...addresses, scratch);
        sums.add(scratch, at % size, count);
      }
    }
  }

  #runRows(functions: RowFunctions, rows: number, inputs: readonly number[], scratch: number): void {
    const { size, last } = this.#shape;
    const own = scratch + (this.sums?.scratchBytes ?? 0);
    const run = this.#isLong ? functions.runLong : functions.run;
    if (!this.sums && (this.#tables.length === 0 || last === size)) {
      run((rows * size) / last, last, own, ...inputs, ...this.#tables.map(({ address }) => address));
      return;
    }
    for (let row = 0; row < rows * size; row += last) {
      const at = (element: number): number[] => [
        ...inputs.map((address) => address + FLOAT_BYTES * (row + element)),
        ...this.#tables.map(({ address }) => address + FLOAT_BYTES * ((row % size) + element)),
      ];
      if (this.sums) this.#rowWithSums(functions, this.sums, row, at, scratch, own);
      else run(1, last, own, ...at(0));
    }
  }

  #rowWithSums(
    functions: RowFunctions,
    sums: BatchSums,
    row: number,
    at: (element: number) => number[],
    terms: number,
    own: number,
  ): void {
    const { size, last } = this.#shape;
    const { start, finish } = this.#isLong
      ? { start: functions.startLong, finish: functions.finishLong }
      : functions;
    start(last, own, ...at(0));
    for (let element = 0; element < last; element += BLOCK) {
      const count = Math.min(BLOCK, last - element);
      finish(count, own, terms, element, ...at(element));
      sums.add(terms, (row % size) + element, count);
    }
  }
}
