/**
 * @file Sums and maxima of a row in vector code: lanes that stand for elements i mod 4, and how they become one number.
 *
 * ```text
 *   low   | lane 0 | lane 1 |                       (0 + 2) + (1 + 3)
 *   high  | lane 2 | lane 3 |   low + high   | 0+2 | 1+3 |
 * ```
 */
import type { FunctionAssembler } from "../assembler.ts";
import { literalBytes, VectorCode } from "../vector-code.ts";

/** The lanes of one reduction: locals, for a maximum one set for each copy of the loop's body. */
export interface Lanes {
  readonly fn: "sum" | "max";
  /** A maximum of four float32, in one vector. */
  readonly isSingle: boolean;
  /** Low and high half of copy 0, of copy 1, ... */
  readonly locals: number[];
}

const literal = (lanes: "f32" | "f64", number: number): Uint8Array =>
  literalBytes(new VectorCode().literal(lanes, number));

/** The lanes of no element at all. */
export function initialise(code: FunctionAssembler, { fn, isSingle, locals }: Lanes, copies: number): void {
  const vectors = (isSingle ? 1 : 2) * (fn === "max" ? copies : 1);
  while (locals.length < vectors) locals.push(code.local("v128"));
  for (const local of locals) {
    code.v128(literal(isSingle ? "f32" : "f64", fn === "sum" ? 0 : -Infinity)).set(local);
  }
}

/** Takes the vector on the stack into the lanes; of a single element, which is in every lane, into its own. */
export function reduceInto(
  code: FunctionAssembler,
  { fn, isSingle, locals }: Lanes,
  half: number,
  copy: number,
  masks: LaneMasks | undefined,
  isOne: boolean,
): void {
  if (fn === "max") {
    const local = locals[isSingle ? copy : 2 * copy + half]!;
    code
      .get(local)
      .op(isSingle ? "f32x4.max" : "f64x2.max")
      .set(local);
  } else if (isOne) {
    masks!.addOne(locals[0]!, locals[1]!);
  } else {
    code.get(locals[half]!).op("f64x2.add").set(locals[half]!);
  }
}

/** Leaves the number on the stack, in both lanes. */
export function combine(code: FunctionAssembler, { fn, isSingle, locals }: Lanes): void {
  const op = fn === "sum" ? "f64x2.add" : isSingle ? "f32x4.max" : "f64x2.max";
  for (const [i, local] of locals.entries()) {
    code.get(local);
    if (i > 0) code.op(op);
  }
  const vector = code.local("v128");
  const swapped = (lanes: readonly number[]): void => {
    const size = 16 / lanes.length;
    code.get(vector).get(vector);
    code.shuffle(lanes.flatMap((lane) => Array.from({ length: size }, (_, i) => lane * size + i)));
  };
  if (isSingle) {
    code.set(vector).get(vector);
    swapped([2, 3, 0, 1]);
    code.op("f32x4.max").op("f64x2.promote_low_f32x4");
  }
  code.set(vector).get(vector);
  swapped([1, 0]);
  code.op(fn === "sum" ? "f64x2.add" : "f64x2.max");
}

/** Which lane the next single element belongs to: the first behind the last step is for lane 0. */
export class LaneMasks {
  readonly #code: FunctionAssembler;
  readonly #low: number;
  readonly #high: number;
  readonly #value: number;

  constructor(code: FunctionAssembler) {
    this.#code = code;
    this.#low = code.local("v128");
    this.#high = code.local("v128");
    this.#value = code.local("v128");
  }

  reset(): void {
    const bytes = new Uint8Array(16);
    this.#code.v128(bytes).set(this.#high);
    this.#code.v128(bytes.fill(255, 0, 8)).set(this.#low);
  }

  /** Adds the element on the stack to one lane, and +0 to the others, which changes none: no lane is ever -0. */
  addOne(low: number, high: number): void {
    const code = this.#code;
    code.set(this.#value);
    for (const [lanes, mask] of [
      [low, this.#low],
      [high, this.#high],
    ] as const) {
      code.get(lanes).get(this.#value).get(mask).op("v128.and").op("f64x2.add").set(lanes);
    }
  }

  /** Moves on by one lane. */
  rotate(): void {
    const code = this.#code;
    // From lane 1 of the one and lane 0 of the other.
    const bytes = Array.from({ length: 16 }, (_, i) => 8 + i);
    code.get(this.#high).get(this.#low).shuffle(bytes);
    code.get(this.#low).get(this.#high).shuffle(bytes);
    code.set(this.#high).set(this.#low);
  }
}
