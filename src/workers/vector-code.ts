/**
 * @file Vector code: what a kernel computes for one vector of elements, as a graph of WebAssembly vector instructions.
 *
 * It stands between expressions (`lower.ts`) and bytes (`emit.ts`). Equal values are one value, so common
 * subexpressions are shared however they came about. Whatever a lane can compute fits in here: the float16 conversions
 * are built of it, and functions that need a number's bits (exp, log) can be.
 */
import { UnsupportedError } from "../errors.ts";
import type { ShiftOp, VectorOp } from "./opcodes.ts";

/**
 * Most values in one kernel, equal ones counted once. Enough for some 5000 ops; V8 would take twice as many, but the
 * frame of a function with so many values alive at once is most of a thread's stack.
 */
export const MOST_VALUES = 20_000;

interface Common {
  /** Position in the graph: operands have smaller ones. */
  readonly id: number;
  /** Whether it depends on an input; what does not is computed once, before the loop. */
  readonly varies: boolean;
}

/** The same number in every lane. */
export interface Literal extends Common {
  readonly kind: "literal";
  readonly lanes: "f32" | "f64" | "i32";
  readonly number: number;
}

/** The next vector of input `index`; 0 is x. */
export interface Load extends Common {
  readonly kind: "load";
  readonly index: number;
  /** The first or the second 8 of its 16 bytes alone, in the lower half of the vector. */
  readonly half?: 0 | 1;
}

/** `fma` is a * b + c of float64, and `fnma` c - a * b, rounded once: an instruction or a function (`fma.ts`). */
export type FusedOp = "fma" | "fnma";

/** A vector instruction. */
export interface Apply extends Common {
  readonly kind: "apply";
  readonly op: VectorOp | ShiftOp | "i8x16.shuffle" | FusedOp;
  readonly operands: readonly Value[];
  /** How far a shift shifts. */
  readonly count?: number;
  /** Which of the 32 bytes of its two operands a shuffle takes. */
  readonly bytes?: readonly number[];
}

export type Value = Literal | Load | Apply;
/** A value before it has its place. */
type Draft = Omit<Literal, keyof Common> | Omit<Load, keyof Common> | Omit<Apply, keyof Common>;

export class VectorCode {
  readonly #known = new Map<string, Value>();

  literal(lanes: Literal["lanes"], number: number): Literal {
    const text = Object.is(number, -0) ? "-0" : String(number);
    return this.#value(`${lanes} ${text}`, { kind: "literal", lanes, number }, false) as Literal;
  }

  load(index: number): Value {
    return this.#value(`load ${index}`, { kind: "load", index }, true);
  }

  loadHalf(index: number, half: 0 | 1): Value {
    return this.#value(`load ${index} half ${half}`, { kind: "load", index, half }, true);
  }

  apply(op: VectorOp | FusedOp, ...operands: readonly Value[]): Value {
    return this.#value(keyOf(op, operands), { kind: "apply", op, operands }, operands.some(varies));
  }

  shift(op: ShiftOp, operand: Value, count: number): Value {
    const draft = { kind: "apply", op, operands: [operand], count } as const;
    return this.#value(`${op} ${operand.id} by ${count}`, draft, operand.varies);
  }

  /** A vector of lanes of two vectors: `lanes` are their numbers, of 4 bytes or 8 each, those of `b` after those of `a`. */
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    const size = 16 / lanes.length;
    const bytes = lanes.flatMap((lane) => Array.from({ length: size }, (_, i) => lane * size + i));
    const draft = { kind: "apply", op: "i8x16.shuffle", operands: [a, b], bytes } as const;
    return this.#value(`shuffle ${a.id} ${b.id} ${lanes}`, draft, a.varies || b.varies);
  }

  #value(key: string, draft: Draft, varies: boolean): Value {
    let value = this.#known.get(key);
    if (value) return value;
    if (this.#known.size >= MOST_VALUES) {
      throw new UnsupportedError(`The chain needs more than ${MOST_VALUES} steps for one element`, {
        remedy: "Split the chain, and run its parts one after the other.",
      });
    }
    value = { ...draft, id: this.#known.size, varies };
    this.#known.set(key, value);
    return value;
  }
}

const varies = (value: Value): boolean => value.varies;

function keyOf(op: Apply["op"], operands: readonly Value[]): string {
  return `${op} ${operands.map(({ id }) => id).join(" ")}`;
}

/** The 16 bytes of a literal. Every NaN is the canonical one: positive, quiet, no payload. */
export function literalBytes({ lanes, number }: Literal): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  for (let at = 0; at < 16; at += lanes === "f64" ? 8 : 4) {
    if (lanes === "i32") view.setInt32(at, number, true);
    else if (lanes === "f32" && Number.isNaN(number)) view.setUint32(at, 0x7fc00000, true);
    else if (lanes === "f32") view.setFloat32(at, number, true);
    else if (Number.isNaN(number)) view.setUint32(at + 4, 0x7ff80000, true);
    else view.setFloat64(at, number, true);
  }
  return new Uint8Array(view.buffer);
}
