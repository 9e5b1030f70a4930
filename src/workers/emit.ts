/** @file From vector code to instructions: which values live in locals, and in which order they are computed. */
import type { FunctionAssembler } from "./assembler.ts";
import { type Apply, type Literal, literalBytes, type Value } from "./vector-code.ts";

/** Literals beyond this many are written where they are used: a frame of thousands of locals makes every call slow. */
const MOST_HOISTED = 64;

/** Writes a graph into a function, once before the loop and then as often as the loop is unrolled. */
export class Emitter {
  /** Vector instructions for one vector, beside loads, stores and the moves of locals. */
  readonly instructions: number;
  readonly #code: FunctionAssembler;
  readonly #root: Value;
  /** How often each value is read, by id; 0 for what the root does not need. */
  readonly #reads: readonly number[];
  /** Locals of the values that do not vary. */
  readonly #hoisted = new Map<Value, number>();
  /** Locals that hold nothing any more. */
  readonly #free: number[] = [];

  constructor(code: FunctionAssembler, root: Value) {
    this.#code = code;
    this.#root = root;
    const needed = collect(root);
    this.#reads = countReads(root, needed);
    this.instructions = needed.filter(({ kind, varies }) => varies && kind === "apply").length;
    this.#hoist(needed.filter(({ varies }) => !varies));
  }

  /** Computes the values once for a vector, whose inputs `load` puts on the stack. Leaves the result on the stack. */
  emit(load: (index: number) => void): void {
    const code = this.#code;
    const left = [...this.#reads];
    const locals = new Map<Value, number>();
    // Depth first without recursion: what a value needs goes on the stack before its instruction.
    const tasks: { value: Value; operandsDone: boolean }[] = [{ value: this.#root, operandsDone: false }];
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
        else load(value.index);
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

function writeInstruction(code: FunctionAssembler, { op, count, bytes }: Apply): void {
  if (count !== undefined) code.i32(count);
  if (op === "i8x16.shuffle") code.shuffle(bytes!);
  else code.op(op);
}

const operandsOf = (value: Value): readonly Value[] => (value.kind === "apply" ? value.operands : []);

/** What `root` is made of, operands before their users. */
function collect(root: Value): Value[] {
  const found = new Set([root]);
  for (const value of found) for (const operand of operandsOf(value)) found.add(operand);
  return [...found].sort((a, b) => a.id - b.id);
}

function countReads(root: Value, needed: readonly Value[]): number[] {
  const reads: number[] = new Array(root.id + 1).fill(0);
  reads[root.id] = 1;
  for (const value of needed) for (const { id } of operandsOf(value)) reads[id]!++;
  return reads;
}
