/**
 * @file From vector code to instructions: which values live in locals, and in which order they are computed.
 *
 * An emitter writes into one function, in two kinds of places:
 *
 * ```text
 *   hoist(roots)           once, before all loops: literals and what is made of them, into locals
 *   emit(roots, load)      in a loop, as often as it is unrolled: the loads, what is made of them, and where it goes
 * ```
 */
import { UsageError } from "../errors.ts";
import type { FunctionAssembler } from "./assembler.ts";
import type { WriteFma } from "./fma.ts";
import { type Apply, type Literal, type Load, literalBytes, type Value } from "./vector-code.ts";

/** Literals beyond this many are written where they are used: a frame of thousands of locals makes every call slow. */
const MOST_HOISTED = 64;

const SELECTIONS: ReadonlySet<string> = new Set(["v128.bitselect", "v128.and", "v128.andnot"]);

/** A value, and the instructions around it: `before` puts what stands under it on the stack, `after` takes both. */
export interface Root {
  readonly value: Value;
  readonly before?: (copy: number) => void;
  readonly after: (copy: number) => void;
}

/** Writes graphs into one function; what does not vary lives in locals for the whole of it. */
export class Emitter {
  readonly #code: FunctionAssembler;
  /** Locals of the values that do not vary. */
  readonly #hoisted = new Map<Value, number>();
  /** Locals that hold nothing any more. */
  readonly #free: number[] = [];

  readonly #fma: WriteFma | undefined;

  /** @param fma writes the multiply-adds; may be left out where there are none */
  constructor(code: FunctionAssembler, fma?: WriteFma) {
    this.#code = code;
    this.#fma = fma;
  }

  /** Computes what does not vary among the roots' parts, each value into a local of its own. Once, for all that is emitted. */
  hoist(roots: readonly Value[]): void {
    const code = this.#code;
    let literals = 0;
    for (const value of collect(roots)) {
      if (value.varies || value.kind === "load") continue;
      if (value.kind === "literal" && literals++ >= MOST_HOISTED) continue;
      if (value.kind === "literal") code.v128(literalBytes(value));
      else {
        for (const operand of value.operands) this.#readInvariant(operand as Literal | Apply);
        this.#writeInstruction(value);
      }
      const local = code.local("v128");
      this.#hoisted.set(value, local);
      code.set(local);
    }
  }

  /**
   * Computes the roots for one vector, in order, what they share once. `load` puts the vector of a load on the stack.
   * `copy` is handed to it and to the roots: which of the unrolled vectors of a turn this is.
   */
  emit(roots: readonly Root[], load: (load: Load, copy: number) => void, copy = 0): void {
    const left = countReads(roots.map(({ value }) => value));
    const locals = new Map<Value, number>();
    for (const { value, before, after } of roots) {
      before?.(copy);
      this.#emitOne(value, (each) => load(each, copy), left, locals);
      after(copy);
    }
  }

  #emitOne(
    root: Value,
    load: (load: Load) => void,
    left: Map<Value, number>,
    locals: Map<Value, number>,
  ): void {
    const code = this.#code;
    // Depth first without recursion: what a value needs goes on the stack before its instruction.
    const tasks: { value: Value; operandsDone: boolean }[] = [{ value: root, operandsDone: false }];
    for (let task = tasks.pop(); task; task = tasks.pop()) {
      const { value, operandsDone } = task;
      const hoisted = this.#hoisted.get(value);
      const local = locals.get(value);
      if (hoisted !== undefined) {
        code.get(hoisted);
      } else if (local !== undefined) {
        code.get(local);
        if (isLastRead(left, value)) this.#free.push(local);
      } else if (value.kind === "literal") {
        code.v128(literalBytes(value));
      } else if (value.kind === "apply" && !operandsDone) {
        tasks.push({ value, operandsDone: true });
        for (const operand of value.operands.toReversed())
          tasks.push({ value: operand, operandsDone: false });
      } else {
        if (value.kind === "apply") this.#writeInstruction(value);
        else load(value);
        if (!isLastRead(left, value)) {
          const kept = this.#free.pop() ?? code.local("v128");
          locals.set(value, kept);
          code.tee(kept);
        }
      }
    }
  }

  #readInvariant(value: Literal | Apply): void {
    const local = this.#hoisted.get(value);
    if (local !== undefined) this.#code.get(local);
    else this.#code.v128(literalBytes(value as Literal));
  }

  #writeInstruction({ op, count, bytes }: Apply): void {
    const code = this.#code;
    if (count !== undefined) code.i32(count);
    if (op === "i8x16.shuffle") code.shuffle(bytes!);
    else if (op !== "fma" && op !== "fnma") code.op(op);
    else if (this.#fma) this.#fma(code, op);
    else throw new UsageError("nothing writes the multiply-adds of this function");
  }
}

/** Vector instructions for one vector of all roots, beside loads, stores and the moves of locals. */
export function countInstructions(roots: readonly Value[]): number {
  return collect(roots).filter(({ kind, varies }) => varies && kind === "apply").length;
}

/** Whether lanes are selected by masks. */
export function selects(roots: readonly Value[]): boolean {
  return collect(roots).some((value) => value.kind === "apply" && SELECTIONS.has(value.op));
}

/** What the roots are made of, operands before their users. */
export function collect(roots: readonly Value[]): Value[] {
  const found = new Set(roots);
  for (const value of found) for (const operand of operandsOf(value)) found.add(operand);
  return [...found].sort((a, b) => a.id - b.id);
}

const operandsOf = (value: Value): readonly Value[] => (value.kind === "apply" ? value.operands : []);

/** How often each value is read, for roots that are each read once more. */
function countReads(roots: readonly Value[]): Map<Value, number> {
  const reads = new Map<Value, number>();
  const read = (value: Value): void => void reads.set(value, (reads.get(value) ?? 0) + 1);
  roots.forEach(read);
  for (const value of collect(roots)) operandsOf(value).forEach(read);
  return reads;
}

/** Takes one of the reads that are left. */
function isLastRead(left: Map<Value, number>, value: Value): boolean {
  const reads = left.get(value)! - 1;
  left.set(value, reads);
  return reads === 0;
}
