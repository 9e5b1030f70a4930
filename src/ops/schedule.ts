/**
 * @file Expressions as a list of steps, one per node, each a loop over a block of elements; and which register holds what.
 */
import { UsageError } from "../errors.ts";
import type { ComputeType } from "./compute.ts";
import type { ArithmeticFn, BinaryFn, BitsFn, Mask, Num } from "./expr.ts";
import {
  binary,
  combine,
  compare,
  comparison,
  makeRegister,
  multiplyAdd,
  type Register,
  type Step,
  select,
  unary,
} from "./steps.ts";
import { type Expr, operands, postorder } from "./walk.ts";

/** Things to be used again: the one given back last is the next to be taken. */
class Pool<Thing> {
  readonly #free: Thing[] = [];
  readonly #make: () => Thing;

  constructor(make: () => Thing) {
    this.#make = make;
  }
  take(): Thing {
    return this.#free.pop() ?? this.#make();
  }
  give(thing: Thing): void {
    this.#free.push(thing);
  }
}

/** What the steps read. */
export interface Source {
  /** Elements in one block. */
  readonly size: number;
  /** Gives the step that brings a block of input `index` into a register. */
  readonly load: (index: number, out: Register) => Step;
}

/** The steps of some expressions in order, and the registers that hold a block of each after the last of them. */
export function schedule(
  { size, load }: Source,
  compute: ComputeType,
  roots: readonly Num[],
): { steps: Step[]; outputs: Register[] } {
  const order = postorder(...roots);
  // A root is also read at the end.
  const readers = new Map<Expr, number>(roots.map((root) => [root, 1]));
  for (const node of order) {
    for (const operand of operands(node)) readers.set(operand, (readers.get(operand) ?? 0) + 1);
  }
  const registers = new Pool(() => makeRegister(compute, size));
  const masks = new Pool(() => new Uint8Array(size));
  const registerOf = new Map<Num, Register>();
  const maskOf = new Map<Mask, Uint8Array>();

  // Free after the last reader, whose result may go to the same place: step i reads and writes only element i.
  function read<Node extends Expr, Place>(node: Node, places: Map<Node, Place>, pool: Pool<Place>): Place {
    const place = places.get(node)!;
    const left = readers.get(node)! - 1;
    readers.set(node, left);
    if (left === 0) pool.give(place);
    return place;
  }
  const operand = (node: Num): Register => read(node, registerOf, registers);
  const result = (node: Num): Register => {
    const register = registers.take();
    registerOf.set(node, register);
    return register;
  };

  function stepOf(node: Expr): Step {
    switch (node.kind) {
      case "const": {
        const out = result(node).numbers;
        // A NaN that was computed may have any sign and payload.
        const value = Number.isNaN(node.value) ? Number.NaN : node.value;
        return (count) => out.fill(value, 0, count);
      }
      case "input":
        return load(node.index, result(node));
      case "unary": {
        const x = operand(node.x);
        return unary[node.fn as ArithmeticFn | BitsFn](result(node), x);
      }
      case "binary": {
        const a = operand(node.a);
        const b = operand(node.b);
        return combine(result(node), a, b, binary[node.fn as Exclude<BinaryFn, "pow">]);
      }
      case "compare": {
        const a = operand(node.a);
        const b = operand(node.b);
        const out = masks.take();
        maskOf.set(node, out);
        return compare(out, a, b, comparison[node.fn]);
      }
      case "fma": {
        const a = operand(node.a);
        const b = operand(node.b);
        const c = operand(node.c);
        return multiplyAdd(result(node), a, b, c);
      }
      case "where": {
        const mask = read(node.test, maskOf, masks);
        const a = operand(node.a);
        const b = operand(node.b);
        return select(result(node), mask, a, b);
      }
      case "param":
        throw new UsageError(`the parameter ${node.name} has no value`);
      case "reduce":
      case "rowLength":
        throw new UsageError("an op over rows cannot be computed element by element");
    }
  }

  const steps = order.map(stepOf);
  return { steps, outputs: roots.map((root) => registerOf.get(root)!) };
}
