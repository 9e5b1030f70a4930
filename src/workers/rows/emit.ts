/** @file From vector code with several results to instructions: what a pass computes for one vector of a row. */
import type { FunctionAssembler } from "../assembler.ts";
import { collect, MOST_HOISTED, operandsOf, writeInstruction } from "../emit.ts";
import { literalBytes, type Value } from "../vector-code.ts";

/** A value, and the instructions around it: `before` puts what stands under it on the stack, `after` takes both. */
export interface Root {
  readonly value: Value;
  readonly before?: (copy: number) => void;
  readonly after: (copy: number) => void;
}

/** Writes vector code into one function, pass by pass; constants live in locals for the whole of it. */
export class RowEmitter {
  readonly #code: FunctionAssembler;
  readonly #hoisted = new Map<Value, number>();
  /** Locals that hold nothing any more. */
  readonly #free: number[] = [];

  constructor(code: FunctionAssembler) {
    this.#code = code;
  }

  /** Computes what does not vary among the roots' parts, each value into a local of its own. */
  hoist(roots: readonly Value[]): void {
    const code = this.#code;
    let literals = 0;
    for (const value of collect(roots)) {
      if (value.varies || value.kind === "load") continue;
      if (value.kind === "literal" && literals++ >= MOST_HOISTED) continue;
      if (value.kind === "literal") code.v128(literalBytes(value));
      else {
        for (const operand of value.operands) this.#readInvariant(operand);
        writeInstruction(code, value);
      }
      const local = code.local("v128");
      this.#hoisted.set(value, local);
      code.set(local);
    }
  }

  #readInvariant(value: Value): void {
    const local = this.#hoisted.get(value);
    if (local !== undefined) this.#code.get(local);
    else if (value.kind === "literal") this.#code.v128(literalBytes(value));
  }

  /** Computes the roots one after the other, what they share once. `load` puts the vector of a load on the stack. */
  emit(roots: readonly Root[], load: (index: number) => void, copy = 0): void {
    const code = this.#code;
    const left = countReads(roots.map(({ value }) => value));
    const locals = new Map<Value, number>();
    for (const root of roots) {
      root.before?.(copy);
      // Depth first without recursion: what a value needs goes on the stack before its instruction.
      const tasks: { value: Value; operandsDone: boolean }[] = [{ value: root.value, operandsDone: false }];
      for (let task = tasks.pop(); task; task = tasks.pop()) {
        const { value, operandsDone } = task;
        const hoisted = this.#hoisted.get(value);
        const local = locals.get(value);
        if (hoisted !== undefined) {
          code.get(hoisted);
        } else if (local !== undefined) {
          code.get(local);
          if (this.#isLastRead(left, value)) this.#free.push(local);
        } else if (value.kind === "literal") {
          code.v128(literalBytes(value));
        } else if (value.kind === "apply" && !operandsDone) {
          tasks.push({ value, operandsDone: true });
          for (const operand of value.operands.toReversed())
            tasks.push({ value: operand, operandsDone: false });
        } else {
          if (value.kind === "apply") writeInstruction(code, value);
          else load(value.index);
          if (!this.#isLastRead(left, value)) {
            const kept = this.#free.pop() ?? code.local("v128");
            locals.set(value, kept);
            code.tee(kept);
          }
        }
      }
      root.after(copy);
    }
  }

  #isLastRead(left: Map<Value, number>, value: Value): boolean {
    const reads = left.get(value)! - 1;
    left.set(value, reads);
    return reads === 0;
  }
}

/** Instructions for one vector of all roots, beside loads, stores and the moves of locals. */
export function countInstructions(roots: readonly Value[]): number {
  return collect(roots).filter(({ kind, varies }) => varies && kind === "apply").length;
}

/** The loads that the roots need. */
export function loadsOf(roots: readonly Value[]): number[] {
  return collect(roots).flatMap((value) => (value.kind === "load" ? [value.index] : []));
}

function countReads(roots: readonly Value[]): Map<Value, number> {
  const reads = new Map<Value, number>();
  const read = (value: Value): void => void reads.set(value, (reads.get(value) ?? 0) + 1);
  roots.forEach(read);
  for (const value of collect(roots)) operandsOf(value).forEach(read);
  return reads;
}
