/**
 * @file The compiler of row-wise programs: one WebAssembly function that takes rows one after the other, each in the passes
 * of its plan (`ops/row-plan.ts`).
 *
 * ```text
 *   for each row:  for each pass:  what the row shares;  the elements, four at a time, then one by one;  the reductions
 * ```
 *
 * Sums over a row have one order, whatever computes them: element i is added to lane i mod 4, and the sum is
 * (lane 0 + lane 2) + (lane 1 + lane 3).
 */
import { UnsupportedError } from "../../errors.ts";
import type { Dtype } from "../../ops/dtype.ts";
import type { Program } from "../../ops/program.ts";
import { type Pass, type RowPlan, rowPlan } from "../../ops/row-plan.ts";
import { BLOCK } from "../../ops/shards.ts";
import { LAYOUTS, type Layout } from "../access.ts";
import { type FunctionAssembler, ModuleAssembler, type ValueType } from "../assembler.ts";
import { MOST_CHANNELS } from "../compile.ts";
import { writeSumLoops } from "../sum-loops.ts";
import type { Value } from "../vector-code.ts";
import { countInstructions, loadsOf, type Root, RowEmitter } from "./emit.ts";
import { loadOf, RowLowering, STEP, type StepCode, takesSingle } from "./lower.ts";
import { combine, initialise, LaneMasks, type Lanes, reduceInto } from "./reduce.ts";
import { MOST_STORED_LENGTH, type ScratchNeed, VECTOR } from "./scratch.ts";

/** Pages of 64 KiB in 4 GiB. */
const MOST_PAGES = 65_536;

/** The scratch memory of a program's kernels. `rowLength` is null where it varies. */
export function scratchOf(program: Program, dtype: Dtype, rowLength: number | null): ScratchNeed {
  const { stored, row, rowValues } = rowPlan(program, dtype);
  const least = VECTOR * rowValues;
  const isLong = rowLength !== null && rowLength > MOST_STORED_LENGTH;
  return { least, full: least + (isLong ? 0 : 8 * MOST_STORED_LENGTH * (row - stored)) };
}

/**
 * Compiles a row-wise `program` for arrays of `dtype`: the bytes of a module that imports a shared memory as `env.memory`.
 * Where the program has no sums, it exports
 *
 * - `run(rows, length, scratch, input0, ..., channel0, ...)`: computes `rows` rows of `length` elements that lie one
 *   behind the other.
 *
 * Where it has sums, it exports
 *
 * - `start(length, scratch, input0, ..., channel0, ...)`: what a row's elements share, left in the scratch memory;
 * - `finish(count, scratch, terms, element, input0, ..., channel0, ...)`: the output of `count` elements of that row, the
 *   first of which is number `element`, and their terms: float64s at `terms`, those of sum k
 *   `BLOCK` times k elements further on, for at most `BLOCK` elements. The addresses are those of these elements. Beside
 *   it stand the loops of `sum-loops.ts`.
 *
 * Each has a twin for rows of more than `MOST_STORED_LENGTH` elements, `runLong` and so on, that stores nothing between passes.
 * `scratch` is of `scratchOf` and belongs to the caller alone. A table `channel_k` holds one value for each element of a
 * row. All arguments are unsigned 32-bit integers; addresses need no alignment, but those of scratch and terms, which are
 * multiples of 8.
 *
 * @throws UnsupportedError for more than `MOST_CHANNELS` channel parameters or too many steps
 */
export function compileRowKernel(program: Program, dtype: Dtype): Uint8Array<ArrayBuffer> {
  if (program.channels.length > MOST_CHANNELS) {
    throw new UnsupportedError(
      `The chain has ${program.channels.length} per-channel parameters, more than ${MOST_CHANNELS}`,
      { remedy: "Split the chain, and run its parts one after the other." },
    );
  }
  const module = new ModuleAssembler();
  module.importSharedMemory("env", "memory", 1, MOST_PAGES);
  for (const [suffix, stores] of [
    ["", true],
    ["Long", false],
  ] as const) {
    const writer = (name: string, own: number): RowWriter => {
      const addresses = program.inputs + program.channels.length;
      const types = Array.from({ length: own + addresses }, (): ValueType => "i32");
      const code = module.function(types, [], `${name}${suffix}`);
      return new RowWriter(code, own, program, rowPlan(program, dtype, stores), dtype);
    };
    if (program.sums.length === 0) writer("run", 3).run();
    else {
      writer("start", 2).start();
      writer("finish", 4).finish();
    }
  }
  if (program.sums.length > 0) writeSumLoops(module);
  return module.bytes();
}

/** Writes one function. */
class RowWriter {
  readonly #code: FunctionAssembler;
  readonly #program: Program;
  readonly #plan: RowPlan;
  readonly #dtype: Dtype;
  readonly #layout: Layout;
  /** Parameters before the addresses. */
  readonly #own: number;
  readonly #emitter: RowEmitter;
  readonly #lowering: RowLowering;
  /** Locals of the values of the row, from the row's length on. */
  readonly #rowLocals: readonly number[];
  /** Locals of a pass. */
  readonly #count: number;
  readonly #scratchAt: number;
  readonly #termsAt: number;

  constructor(code: FunctionAssembler, own: number, program: Program, plan: RowPlan, dtype: Dtype) {
    this.#code = code;
    this.#own = own;
    this.#program = program;
    this.#plan = plan;
    this.#dtype = dtype;
    this.#layout = LAYOUTS[dtype];
    this.#emitter = new RowEmitter(code);
    this.#lowering = new RowLowering(program, plan, dtype);
    this.#rowLocals = Array.from({ length: plan.rowValues }, () => code.local("v128"));
    this.#count = code.local("i32");
    this.#scratchAt = code.local("i32");
    this.#termsAt = code.local("i32");
  }

  /** Parameters: rows, length, scratch. */
  run(): void {
    const code = this.#code;
    const [rows, length, scratch] = [0, 1, 2];
    const passes = this.#plan.passes.map((pass) => this.#lower(pass));
    this.#hoist(passes);
    code.get(length).op("f64.convert_i32_u").op("f64x2.splat").set(this.#rowLocals[0]!);
    code.block().loop();
    code.get(rows).op("i32.eqz").brIf(1);
    for (const lowered of passes) this.#writePass(lowered, length, scratch);
    for (let input = 0; input < this.#program.inputs; input++) this.#move(input, length, 1);
    code.get(rows).i32(1).op("i32.sub").set(rows).br(0).end().end();
  }

  /** Parameters: length, scratch. */
  start(): void {
    const code = this.#code;
    const [length, scratch] = [0, 1];
    const passes = this.#plan.passes.slice(0, -1).map((pass) => this.#lower(pass));
    this.#hoist(passes);
    code.get(length).op("f64.convert_i32_u").op("f64x2.splat").set(this.#rowLocals[0]!);
    for (const lowered of passes) this.#writePass(lowered, length, scratch);
    const last = this.#plan.passes.at(-1)!;
    this.#writeBefore(
      last,
      last.before.map(({ value }) => this.#lowering.rowValue(value)),
    );
    for (const [i, local] of this.#rowLocals.entries()) {
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
    for (const [i, local] of this.#rowLocals.entries()) {
      code
        .get(scratch)
        .memory("v128.load", VECTOR * i)
        .set(local);
    }
    this.#setScratch(scratch);
    code.get(this.#scratchAt).get(element).i32(8).op("i32.mul").op("i32.add").set(this.#scratchAt);
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
      const root = { value: values[i]!, after: () => void this.#code.set(this.#rowLocal(to)) };
      this.#emitter.emit([root], (load) => this.#code.get(this.#rowLocal(loadOf(load).index)));
    }
  }

  /** One way over the row. All addresses are where they were before. */
  #writePass(lowered: LoweredPass, length: number, scratch: number): void {
    const code = this.#code;
    this.#writeBefore(lowered.pass, lowered.before);
    code.get(length).set(this.#count);
    this.#setScratch(scratch);
    this.#writeLoops(lowered, this.#count);
    for (const input of this.#arraysOf(lowered)) this.#move(input, length, -1);
    for (const [i, lanes] of lowered.lanes.entries()) {
      combine(code, lanes);
      code.set(this.#rowLocal(lowered.pass.reduces[i]!.to));
    }
  }

  #setScratch(scratch: number): void {
    this.#code
      .get(scratch)
      .i32(VECTOR * this.#plan.rowValues)
      .op("i32.add")
      .set(this.#scratchAt);
  }

  /** Most of the elements in turns of several steps, then steps, then single elements. */
  #writeLoops(lowered: LoweredPass, count: number): void {
    const code = this.#code;
    const { vector, element, lanes } = lowered;
    const copies = unroll(countInstructions(valuesOf(vector)) + 8 * lanes.length);
    for (const each of lanes) initialise(code, each, copies);
    const masks = lanes.some(({ fn }) => fn === "sum") ? new LaneMasks(code) : undefined;
    const turns: { readonly elements: number; readonly body: () => void }[] = [
      { elements: STEP, body: () => this.#emitStep(lowered, vector, "load", 0) },
    ];
    if (copies > 1) {
      turns.unshift({
        elements: copies * STEP,
        body: () => {
          for (let copy = 0; copy < copies; copy++) this.#emitStep(lowered, vector, "load", copy);
        },
      });
    }
    turns.push({
      elements: 1,
      body: () => {
        this.#emitStep(lowered, element, "loadOne", 0, masks);
        masks?.rotate();
      },
    });
    const arrays = this.#arraysOf(lowered);
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
      for (const array of arrays) advance(this.#addressOf(array), this.#accessOf(array).bytes);
      if (usesScratch(lowered, this.#plan)) advance(this.#scratchAt, 8);
      if (lowered.pass.terms.length > 0) advance(this.#termsAt, 8);
      code.br(0).end().end();
    }
  }

  /** What one step computes, or one element. */
  #emitStep(
    { pass, lanes }: LoweredPass,
    step: StepCode,
    load: "load" | "loadOne",
    copy: number,
    masks?: LaneMasks,
  ): void {
    const code = this.#code;
    const one = load === "loadOne";
    const roots: Root[] = [];
    for (const [i, values] of step.reduces.entries()) {
      for (const [half, value] of values.entries()) {
        roots.push({
          value,
          after: () => reduceInto(code, lanes[i]!, half, copy, one ? masks : undefined, one),
        });
      }
    }
    const float64s = (values: readonly Value[], address: number, offset: number): void => {
      for (const [half, value] of values.entries()) {
        roots.push({
          value,
          before: () => void code.get(address),
          after: () =>
            void code.memory(one ? "v128.store64_lane" : "v128.store", offset + 8 * (STEP * copy + 2 * half)),
        });
      }
    };
    for (const [i, values] of step.stores.entries()) {
      float64s(values, this.#scratchAt, this.#storedOffset(pass.stores[i]!.to));
    }
    for (const [i, values] of step.terms.entries()) float64s(values, this.#termsAt, 8 * BLOCK * i);
    // Last, for it overwrites what the others may read.
    const { x } = this.#layout;
    for (const [half, value] of step.output.entries()) {
      roots.push({
        value,
        before: () => void code.get(this.#addressOf(this.#program.target)),
        after: () => void code.memory(one ? x.storeOne : x.store, STEP * copy * x.bytes + VECTOR * half),
      });
    }
    this.#emitter.emit(roots, (number) => this.#load(loadOf(number), load, copy), copy);
  }

  #load({ index, half }: ReturnType<typeof loadOf>, load: "load" | "loadOne", copy: number): void {
    const code = this.#code;
    const { stored, row } = this.#plan;
    if (index >= row) {
      code.get(this.#rowLocal(index));
    } else if (index >= stored) {
      const offset = this.#storedOffset(index) + 8 * (STEP * copy + 2 * half);
      code.get(this.#scratchAt).memory(load === "load" ? "v128.load" : "v128.load64_splat", offset);
    } else {
      const access = this.#accessOf(index);
      code.get(this.#addressOf(index)).memory(access[load], STEP * copy * access.bytes + VECTOR * half);
    }
  }

  /** Inputs and tables whose addresses move with a pass. */
  #arraysOf({ vector, pass }: LoweredPass): number[] {
    const loaded = loadsOf(valuesOf(vector)).map((load) => loadOf(load).index);
    if (pass.output) loaded.push(this.#program.target);
    return [...new Set(loaded.filter((index) => index < this.#plan.stored))];
  }

  /** Moves an address by a row. */
  #move(array: number, length: number, direction: 1 | -1): void {
    const local = this.#addressOf(array);
    this.#code
      .get(local)
      .get(length)
      .i32(direction * this.#accessOf(array).bytes)
      .op("i32.mul")
      .op("i32.add");
    this.#code.set(local);
  }

  #addressOf(array: number): number {
    return this.#own + array;
  }

  #accessOf(array: number): Layout["x"] {
    return array < this.#program.inputs ? this.#layout.x : this.#layout.channel;
  }

  #rowLocal(index: number): number {
    return this.#rowLocals[index - this.#plan.row]!;
  }

  #storedOffset(index: number): number {
    return 8 * MOST_STORED_LENGTH * (index - this.#plan.stored);
  }
}

interface LoweredPass {
  readonly pass: Pass;
  readonly vector: StepCode;
  readonly element: StepCode;
  readonly before: readonly Value[];
  readonly lanes: readonly Lanes[];
}

function valuesOf({ reduces, stores, terms, output }: StepCode): Value[] {
  return [...reduces.flat(), ...stores.flat(), ...terms.flat(), ...output];
}

function usesScratch({ pass, vector }: LoweredPass, { stored, row }: RowPlan): boolean {
  if (pass.stores.length > 0) return true;
  return loadsOf(valuesOf(vector)).some((load) => {
    const { index } = loadOf(load);
    return index >= stored && index < row;
  });
}

/** Steps in one turn of the main loop. */
function unroll(instructions: number): number {
  if (instructions <= 24) return 4;
  return instructions <= 64 ? 2 : 1;
}
