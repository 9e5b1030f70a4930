/** @file Where a function of a row's kernel finds its values: in inputs and tables, in the scratch memory, in locals. */
import type { Dtype } from "../../ops/dtype.ts";
import type { Program } from "../../ops/program.ts";
import type { RowPlan } from "../../ops/row-plan.ts";
import { LAYOUTS, type Layout } from "../access.ts";
import type { FunctionAssembler } from "../assembler.ts";
import { type RowLoad, STEP } from "./lower.ts";
import { MOST_STORED_LENGTH, VECTOR } from "./scratch.ts";

export class RowPlaces {
  readonly #code: FunctionAssembler;
  /** Parameters before the addresses. */
  readonly #own: number;
  readonly #program: Program;
  readonly #plan: RowPlan;
  readonly #layout: Layout;
  /** Locals of the values of the row, from the row's length on. */
  readonly rowLocals: readonly number[];
  /** Local of the address of the element's first stored value. */
  readonly scratchAt: number;

  constructor(code: FunctionAssembler, own: number, program: Program, plan: RowPlan, dtype: Dtype) {
    this.#code = code;
    this.#own = own;
    this.#program = program;
    this.#plan = plan;
    this.#layout = LAYOUTS[dtype];
    this.rowLocals = Array.from({ length: plan.rowValues }, () => code.local("v128"));
    this.scratchAt = code.local("i32");
  }

  /** The element at the start of a row. */
  setScratch(scratch: number): void {
    this.#code
      .get(scratch)
      .i32(VECTOR * this.#plan.rowValues)
      .op("i32.add")
      .set(this.scratchAt);
  }

  /** A value of the element that is `copy` steps further on, or what the row shares. */
  load({ index, half }: RowLoad, load: "load" | "loadOne", copy: number): void {
    const code = this.#code;
    const { stored, row } = this.#plan;
    if (index >= row) {
      code.get(this.rowLocal(index));
    } else if (index >= stored) {
      const offset = this.storedOffset(index) + 8 * (STEP * copy + 2 * half);
      code.get(this.scratchAt).memory(load === "load" ? "v128.load" : "v128.load64_splat", offset);
    } else {
      const access = this.accessOf(index);
      code.get(this.addressOf(index)).memory(access[load], STEP * copy * access.bytes + VECTOR * half);
    }
  }

  /** Moves an address by a row. */
  move(array: number, length: number, direction: 1 | -1): void {
    const local = this.addressOf(array);
    this.#code
      .get(local)
      .get(length)
      .i32(direction * this.accessOf(array).bytes)
      .op("i32.mul")
      .op("i32.add");
    this.#code.set(local);
  }

  addressOf(array: number): number {
    return this.#own + array;
  }

  accessOf(array: number): Layout["x"] {
    return array < this.#program.inputs ? this.#layout.x : this.#layout.channel;
  }

  rowLocal(index: number): number {
    return this.rowLocals[index - this.#plan.row]!;
  }

  storedOffset(index: number): number {
    return 8 * MOST_STORED_LENGTH * (index - this.#plan.stored);
  }
}
