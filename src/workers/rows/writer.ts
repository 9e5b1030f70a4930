/** @file Writes the functions of a row's kernel: `run`, or `start` and `finish`, each a loop over the passes of the plan. */
import type { Dtype } from "../../ops/dtype.ts";
import type { Program } from "../../ops/program.ts";
import type { Pass, RowPlan } from "../../ops/row-plan.ts";
import { BLOCK } from "../../ops/shards.ts";
import { LAYOUTS, type Layout } from "../access.ts";
import type { FunctionAssembler } from "../assembler.ts";
import { countInstructions, Emitter, type Root } from "../emit.ts";
import type { WriteFma } from "../fma.ts";
import type { Value } from "../vector-code.ts";
import { loadOf, RowLowering, STEP, type StepCode, takesSingle } from "./lower.ts";
import { arraysOf, type LoweredPass, usesScratch, valuesOf } from "./pass.ts";
import { RowPlaces } from "./places.ts";
import { combine, initialise, LaneMasks, reduceInto } from "./reduce.ts";
import { VECTOR } from "./scratch.ts";

/** Writes one function. */
export class RowWriter {
  readonly #code: FunctionAssembler;
  readonly #program: Program;
  readonly #plan: RowPlan;
  readonly #dtype: Dtype;
  readonly #layout: Layout;
  readonly #places: RowPlaces;
  readonly #emitter: Emitter;
  readonly #lowering: RowLowering;
  /** Locals of a pass. */
  readonly #count: number;
  readonly #termsAt: number;

  constructor(
    code: FunctionAssembler,
    own: number,
    program: Program,
    plan: RowPlan,
    dtype: Dtype,
    fma: WriteFma,
  ) {
    this.#code = code;
    this.#program = program;
    this.#plan = plan;
    this.#dtype = dtype;
    this.#layout = LAYOUTS[dtype];
    this.#places = new RowPlaces(code, own, program, plan, dtype);
    this.#emitter = new Emitter(code, fma);
    this.#lowering = new RowLowering(program, plan, dtype);
    this.#count = code.local("i32");
    this.#termsAt = code.local("i32");
  }

  /** Parameters: rows, length, scratch. */
  run(): void {
    const code = this.#code;
    const [rows, length, scratch] = [0, 1, 2];
    const passes = this.#plan.passes.map((pass) => this.#lower(pass));
    this.#hoist(passes);
    code.get(length).op("f64.convert_i32_u").op("f64x2.splat").set(this.#places.rowLocals[0]!);
    code.block().loop();
    code.get(rows).op("i32.eqz").brIf(1);
    for (const lowered of passes) this.#writePass(lowered, length, scratch);
    for (let input = 0; input < this.#program.inputs; input++) this.#places.move(input, length, 1);
    code.get(rows).i32(1).op("i32.sub").set(rows).br(0).end().end();
  }

  /** Parameters: length, scratch. */
  start(): void {
    const code = this.#code;
    const [length, scratch] = [0, 1];
    const passes = this.#plan.passes.slice(0, -1).map((pass) => this.#lower(pass));
    this.#hoist(passes);
    code.get(length).op("f64.convert_i32_u").op("f64x2.splat").set(this.#places.rowLocals[0]!);
    for (const lowered of passes) this.#writePass(lowered, length, scratch);
    const last = this.#plan.passes.at(-1)!;
    this.#writeBefore(
      last,
      last.before.map(({ value }) => this.#lowering.rowValue(value)),
    );
    for (const [i, local] of this.#places.rowLocals.entries()) {
      code
        .get(scratch)
        .get(local)
        .memory("v128.store", VECTOR * i);
    }
  }

  /** Parameters: count, scratch, terms, number of the first element in its row. */
  finish(): void {
    const code = this.#code;
    const [count, scratch, terms, element] = [0, 1, 2, 3];
    const lowered = this.#lower(this.#plan.passes.at(-1)!);
    this.#hoist([lowered]);
    for (const [i, local] of this.#places.rowLocals.entries()) {
      code
        .get(scratch)
        .memory("v128.load", VECTOR * i)
        .set(local);
    }
    this.#places.setScratch(scratch);
    code
      .get(this.#places.scratchAt)
      .get(element)
      .i32(8)
      .op("i32.mul")
      .op("i32.add")
      .set(this.#places.scratchAt);
    code.get(terms).set(this.#termsAt);
    this.#writeLoops(lowered, count);
  }

  #lower(pass: Pass): LoweredPass {
    return {
      pass,
      vector: this.#lowering.step(pass, [0, 1]),
      element: this.#lowering.step(pass, [0]),
      before: pass.before.map(({ value }) => this.#lowering.rowValue(value)),
      lanes: pass.reduces.map((reduce) => ({
        fn: reduce.fn,
        isSingle: takesSingle(reduce, this.#program, this.#dtype),
        locals: [],
      })),
    };
  }

  #hoist(passes: readonly LoweredPass[]): void {
    this.#emitter.hoist(
      passes.flatMap(({ vector, element, before }) => [...before, ...valuesOf(vector), ...valuesOf(element)]),
    );
  }

  #writeBefore(pass: Pass, values: readonly Value[]): void {
    for (const [i, { to }] of pass.before.entries()) {
      const root = { value: values[i]!, after: () => void this.#code.set(this.#places.rowLocal(to)) };
      this.#emitter.emit([root], ({ index }) => this.#code.get(this.#places.rowLocal(loadOf(index).index)));
    }
  }

  /** One way over the row. All addresses are where they were before. */
  #writePass(lowered: LoweredPass, length: number, scratch: number): void {
    const code = this.#code;
    this.#writeBefore(lowered.pass, lowered.before);
    code.get(length).set(this.#count);
    this.#places.setScratch(scratch);
    this.#writeLoops(lowered, this.#count);
    for (const input of arraysOf(lowered, this.#program, this.#plan)) this.#places.move(input, length, -1);
    for (const [i, lanes] of lowered.lanes.entries()) {
      combine(code, lanes);
      code.set(this.#places.rowLocal(lowered.pass.reduces[i]!.to));
    }
  }

  /** Most of the elements in turns of several steps, then steps, then single elements. */
  #writeLoops(lowered: LoweredPass, count: number): void {
    const code = this.#code;
    const { vector, element, lanes } = lowered;
    const copies = unroll(countInstructions(valuesOf(vector)) + 8 * lanes.length);
    for (const each of lanes) initialise(code, each, copies);
    const masks = lanes.some(({ fn }) => fn === "sum") ? new LaneMasks(code) : undefined;
    const turns: { readonly elements: number; readonly body: () => void }[] = [
      { elements: STEP, body: () => this.#emitSteps(lowered, vector, "load", 1) },
    ];
    if (copies > 1) {
      turns.unshift({
        elements: copies * STEP,
        body: () => this.#emitSteps(lowered, vector, "load", copies),
      });
    }
    turns.push({
      elements: 1,
      body: () => {
        this.#emitSteps(lowered, element, "loadOne", 1, masks);
        masks?.rotate();
      },
    });
    const arrays = arraysOf(lowered, this.#program, this.#plan);
    for (const { elements, body } of turns) {
      if (elements === 1) masks?.reset();
      code.block().loop();
      code.get(count).i32(elements).op("i32.lt_u").brIf(1);
      body();
      code.get(count).i32(elements).op("i32.sub").set(count);
      const advance = (local: number, bytes: number): void => {
        code
          .get(local)
          .i32(elements * bytes)
          .op("i32.add")
          .set(local);
      };
      for (const array of arrays) advance(this.#places.addressOf(array), this.#places.accessOf(array).bytes);
      if (usesScratch(lowered, this.#plan)) advance(this.#places.scratchAt, 8);
      if (lowered.pass.terms.length > 0) advance(this.#termsAt, 8);
      code.br(0).end().end();
    }
  }

  /** What so many steps compute, or one element. */
  #emitSteps(
    { pass, lanes }: LoweredPass,
    step: StepCode,
    load: "load" | "loadOne",
    copies: number,
    masks?: LaneMasks,
  ): void {
    const code = this.#code;
    const one = load === "loadOne";
    const roots: Root[] = [];
    for (const [i, values] of step.reduces.entries()) {
      for (const [half, value] of values.entries()) {
        roots.push({
          value,
          after: (copy) => reduceInto(code, lanes[i]!, half, copy, one ? masks : undefined, one),
        });
      }
    }
    const float64s = (values: readonly Value[], address: number, offset: number): void => {
      for (const [half, value] of values.entries()) {
        roots.push({
          value,
          before: () => void code.get(address),
          after: (copy) =>
            void code.memory(one ? "v128.store64_lane" : "v128.store", offset + 8 * (STEP * copy + 2 * half)),
        });
      }
    };
    for (const [i, values] of step.stores.entries()) {
      float64s(values, this.#places.scratchAt, this.#places.storedOffset(pass.stores[i]!.to));
    }
    for (const [i, values] of step.terms.entries()) float64s(values, this.#termsAt, 8 * BLOCK * i);
    // Last, for it overwrites what the others may read.
    const { x } = this.#layout;
    for (const [half, value] of step.output.entries()) {
      roots.push({
        value,
        before: () => void code.get(this.#places.addressOf(this.#program.target)),
        after: (copy) => void code.memory(one ? x.storeOne : x.store, STEP * copy * x.bytes + VECTOR * half),
      });
    }
    for (let copy = 0; copy < copies; copy++) {
      this.#emitter.emit(roots, ({ index }) => this.#places.load(loadOf(index), load, copy), copy);
    }
  }
}

/** Steps in one turn of the main loop. */
function unroll(instructions: number): number {
  if (instructions <= 24) return 4;
  return instructions <= 64 ? 2 : 1;
}
