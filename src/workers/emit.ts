/** @file From vector code to instructions: which values live in locals, and in which order they are computed. */
import type { FunctionAssembler } from "./assembler.ts";
import { type Apply, type Literal, type Load, literalBytes, type Value } from "./vector-code.ts";

/** Literals beyond this many are written where they are used: a frame of thousands of locals makes every call slow. */
export const MOST_HOISTED = 64;

const SELECTIONS: ReadonlySet<string> = new Set(["v128.bitselect", "v128.and", "v128.andnot"]);

/** Where a value goes: what the function does before it is on the stack, such as an address, and after. */
export interface Destination {
  readonly value: Value;
  readonly before: () => void;
  readonly after: () => void;
}

/** Writes a graph into a function, once before the loop and then as often as the loop is unrolled. */
export class Emitter {
  /** Vector instructions for one vector, beside loads, stores and the moves of locals. */
  readonly instructions: number;
  /** Whether lanes are selected by masks. */
  readonly selects: boolean;
  readonly #code: FunctionAssembler;
  /** How often each value is read, by id; 0 for what the roots do not need. */
  readonly #reads: readonly number[];
  /** Locals of the values that do not vary. */
  readonly #hoisted = new Map<Value, number>();
  /** Locals that hold nothing any more. */
  readonly #free: number[] = [];

  constructor(code: FunctionAssembler, roots: readonly Value[]) {
    this.#code = code;
    const needed = collect(roots);
    this.#reads = countReads(roots, needed);
    this.instructions = needed.filter(({ kind, varies }) => varies && kind === "apply").length;
    this.selects = needed.some((value) => value.kind === "apply" && SELECTIONS.has(value.op));
    this.#hoist(needed.filter(({ varies }) => !varies));
  }

  /** Computes the roots once for a vector, whose inputs `load` puts on the stack; each goes to its destination, in order. */
  emit(load: (load: Load) => void, roots: readonly Destination[]): void {
    const left = [...this.#reads];
    const locals = new Map<Value, number>();
    for (const { value, before, after } of roots) {
      before();
      this.#emitOne(value, load, left, locals);
      after();
    }
  }

  #emitOne(root: Value, load: (load: Load) => void, left: number[], locals: Map<Value, number>): void {
    const code = this.#code;
    // Depth first without recursion: what a value needs goes on the stack before its instruction.
    const tasks: { value: Value; operandsDone: boolean }[] = [{ value: root, operandsDone: false }];
    for (let task = tasks.pop(); task; task = tasks.pop()) {
      const { value, operandsDone } = task;
      const local = this.#hoisted.get(value) ?? locals.get(value);
      if (local !== undefined) {
        code.get(local);
        if (!this.#hoisted.has(value) && --left[value.id]! === 0) this.#free.push(local);
      } else if (value.kind === "literal") {
        code.v128(literalBytes(value));
      } else if (value.kind === "apply" && !operandsDone) {
        tasks.push({ value, operandsDone: true });
        for (const operand of value.operands.toReversed())
          tasks.push({ value: operand, operandsDone: false });
      } else {
        if (value.kind === "apply") writeInstruction(code, value);
        else load(value);
        if (--left[value.id]! > 0) {
          const kept = this.#free.pop() ?? code.local("v128");
          locals.set(value, kept);
          code.tee(kept);
        }
      }
    }
  }

  /** Computes what does not vary, each value into a local of its own. */
  #hoist(invariant: readonly Value[]): void {
    const code = this.#code;
    const read = (value: Value): void => {
      const local = this.#hoisted.get(value);
      if (local !== undefined) code.get(local);
      else code.v128(literalBytes(value as Literal));
    };
    let literals = 0;
    for (const value of invariant) {
      if (value.kind === "load") continue;
      if (value.kind === "literal" && literals++ >= MOST_HOISTED) continue;
      if (value.kind === "literal") read(value);
      else {
        value.operands.forEach(read);
        writeInstruction(code, value);
      }
      const local = code.local("v128");
      this.#hoisted.set(value, local);
      code.set(local);
    }
  }
}

export function writeInstruction(code: FunctionAssembler, { op, count, bytes }: Apply): void {
  if (count !== undefined) code.i32(count);
  if (op === "i8x16.shuffle") code.shuffle(bytes!);
  else code.op(op);
}

export const operandsOf = (value: Value): readonly Value[] => (value.kind === "apply" ? value.operands : []);

/** What the roots are made of, operands before their users. */
export function collect(roots: readonly Value[]): Value[] {
  const found = new Set(roots);
  for (const value of found) for (const operand of operandsOf(value)) found.add(operand);
  return [...found].sort((a, b) => a.id - b.id);
}

function countReads(roots: readonly Value[], needed: readonly Value[]): number[] {
  const reads: number[] = new Array(1 + Math.max(...roots.map(({ id }) => id))).fill(0);
  for (const root of roots) reads[root.id]!++;
  for (const value of needed) for (const { id } of operandsOf(value)) reads[id]!++;
  return reads;
}
