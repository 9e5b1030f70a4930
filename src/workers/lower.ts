/**
 * @file From expressions to vector code: shares, folds constants, and takes shorter instructions where no bit changes.
 */
import { UsageError } from "../errors.ts";
import { type ComputeType, computationOf } from "../ops/compute.ts";
import type { Dtype } from "../ops/dtype.ts";
import { evaluate } from "../ops/evaluate.ts";
import {
  type ArithmeticFn,
  type BinaryFn,
  type BitsFn,
  type Comparison,
  constant,
  isBits,
  type Num,
  where,
} from "../ops/expr.ts";
import { toProgram } from "../ops/fuse.ts";
import type { Program } from "../ops/program.ts";
import { type Expr, postorder } from "../ops/walk.ts";
import { narrowHalf, widenHalf } from "./float16-simd.ts";
import { type Literal, type Value, VectorCode } from "./vector-code.ts";
import { demote, demoteToHalf, promote } from "./wide.ts";

/** What a kernel computes for one vector of elements. */
export interface Lowered {
  /** The vector to store. */
  readonly output: Value;
  /** The terms of each sum: float64, two elements a vector. */
  readonly terms: readonly (readonly Value[])[];
}

/** The vector code of `program`, from the vectors as loaded. */
export function lower(program: Program, dtype: Dtype): Lowered {
  const { compute, output, terms } = computationOf(program, dtype);
  const code = new VectorCode();
  const load = (index: number): Value => {
    if (!(index >= 0 && index < program.inputs + program.channels.length)) {
      throw new UsageError(`the program reads input ${index} of ${program.inputs + program.channels.length}`);
    }
    const loaded = code.load(index);
    return dtype === "float16" && index < program.inputs ? widenHalf(code, loaded) : loaded;
  };
  /** In float64; a vector of narrower elements is two. */
  const lowerDouble = (roots: readonly Num[]): Value[][] => {
    if (dtype === "float64") return lowerInto(code, roots, "float64", load).map((value) => [value]);
    const [low, high] = ([0, 1] as const).map((half) =>
      lowerInto(code, roots, "float64", (index) => {
        const value = load(index);
        if (dtype === "float16" && index < program.inputs) return promote(code, value, half);
        // Two float32 straight from memory: processors convert while they load, and shuffle nothing.
        return code.apply("f64x2.promote_low_f32x4", code.loadHalf(index, half));
      }),
    ) as [Value[], Value[]];
    return low.map((value, i) => [value, high[i]!]);
  };
  if (compute === "float32") {
    const [result] = lowerInto(code, [output], compute, load) as [Value];
    return { output: dtype === "float16" ? narrowHalf(code, result) : result, terms: lowerDouble(terms) };
  }
  const [[low, high], ...rest] = lowerDouble([output, ...terms]) as [[Value, Value?], ...Value[][]];
  if (high === undefined) return { output: low, terms: rest };
  return {
    output: dtype === "float16" ? demoteToHalf(code, low, high) : demote(code, low, high),
    terms: rest,
  };
}

/** One vector of the compute type for each root. */
export function lowerInto(
  code: VectorCode,
  roots: readonly Num[],
  compute: ComputeType,
  load: (index: number) => Value,
): Value[] {
  const lowering = new Lowering(code, compute, load);
  const values = new Map<Expr, Value>();
  for (const node of postorder(...roots)) {
    values.set(
      node,
      lowering.lower(node, (operand) => values.get(operand)!),
    );
  }
  return roots.map((root) => values.get(root)!);
}

/** A whole number n added to it is n + 1023, an exponent with its bias, in the lowest bits. */
const BIASED = 1.5 * 2 ** 52 + 1023;
/** The float64 whose bits are those of the fraction, all ones: the largest subnormal number. */
const FRACTION = 2 ** -1022 - 2 ** -1074;
/** The float64 whose lower 32 bits are ones. */
const LOW_WORD = (2 ** 32 - 1) * 2 ** -1074;

/** -1 is all ones: how a comparison says true. */
const TRUE = -1;
const FALSE = 0;

class Lowering {
  readonly #code: VectorCode;
  readonly #load: (index: number) => Value;
  readonly #double: boolean;
  readonly #lanes: "f32" | "f64";
  readonly #shape: "f32x4" | "f64x2";

  constructor(code: VectorCode, compute: ComputeType, load: (index: number) => Value) {
    this.#code = code;
    this.#load = load;
    this.#double = compute === "float64";
    this.#lanes = this.#double ? "f64" : "f32";
    this.#shape = this.#double ? "f64x2" : "f32x4";
  }

  lower(node: Expr, at: (operand: Expr) => Value): Value {
    switch (node.kind) {
      case "const":
        return this.#literal(node.value);
      case "input":
        return this.#load(node.index);
      case "unary":
        return this.#unary(node.fn as ArithmeticFn | BitsFn, at(node.x));
      case "binary":
        return this.#binary(node.fn as Exclude<BinaryFn, "pow">, at(node.a), at(node.b));
      case "compare":
        return this.#compare(node.fn, at(node.a), at(node.b));
      case "fma":
        return this.#multiplyAdd(at(node.a), at(node.b), at(node.c));
      case "where":
        return this.#select(at(node.test), at(node.a), at(node.b));
      case "param":
        throw new UsageError(`the parameter ${node.name} has no value`);
      case "reduce":
      case "rowLength":
        throw new UsageError("an op over rows cannot be computed element by element");
    }
  }

  #literal(number: number): Literal {
    return this.#code.literal(this.#lanes, this.#double ? number : Math.fround(number));
  }

  /**
   * The result of an operation on constants, from the oracle itself. A NaN is left to the hoisted code, which also gets
   * its bits right.
   */
  #fold(operands: readonly Value[], operation: (constants: readonly Num[]) => Num): Literal | undefined {
    const constants: Num[] = [];
    for (const value of operands) {
      if (value.kind !== "literal") return undefined;
      constants.push(constant(value.number));
    }
    const program = toProgram(operation(constants));
    const element = this.#double ? new Float64Array(1) : new Float32Array(1);
    if (element instanceof Float64Array) evaluate(program, "float64", element);
    else evaluate(program, "float32", element);
    const [number] = element as Float32Array | Float64Array;
    return Number.isNaN(number) ? undefined : this.#literal(number!);
  }

  #unary(fn: ArithmeticFn | BitsFn, x: Value): Value {
    const folded = this.#fold([x], ([a]) => ({ kind: "unary", fn, x: a! }));
    if (folded) return folded;
    // The sign bit alone is -0. V8 11 makes three instructions of neg and abs, and one of these.
    if (fn === "neg") return this.#code.apply("v128.xor", x, this.#literal(-0));
    if (fn === "abs") return this.#code.apply("v128.andnot", x, this.#literal(-0));
    if (isBits(fn)) return this.#bits(fn, x);
    return this.#code.apply(`${this.#shape}.${fn === "round" ? "nearest" : fn}`, x);
  }

  /** Work on the bits of float64: sign, 11 bits of exponent, 52 of fraction. */
  #bits(fn: BitsFn, x: Value): Value {
    const f64 = (number: number): Value => this.#code.literal("f64", number);
    switch (fn) {
      case "pow2": {
        // The sum has the whole number in its lowest bits, and the shift puts it in the place of the exponent.
        const biased = this.#beforeSubtracting(BIASED, x) ?? this.#code.apply("f64x2.add", x, f64(BIASED));
        return this.#code.shift("i64x2.shl", biased, 52);
      }
      case "exponent": {
        const biased = this.#code.shift("i64x2.shr_u", this.#code.apply("v128.and", x, f64(Infinity)), 52);
        // The bits of 2^52 + biased.
        const sum = this.#code.apply("v128.or", biased, f64(2 ** 52));
        return this.#code.apply("f64x2.sub", sum, f64(2 ** 52 + 1023));
      }
      case "significand":
        return this.#code.apply("v128.or", this.#code.apply("v128.and", x, f64(FRACTION)), f64(1));
      case "head":
        return this.#code.apply("v128.andnot", x, f64(LOW_WORD));
    }
  }

  /**
   * s, where `x` is s - number and s is another sum with the number, or a multiply-add to it: then s is x + number, with
   * nothing rounded.
   */
  #beforeSubtracting(number: number, x: Value): Value | undefined {
    const isNumber = (value: Value | undefined): boolean =>
      value?.kind === "literal" && value.number === number;
    if (x.kind !== "apply" || x.op !== "f64x2.sub" || !isNumber(x.operands[1])) return undefined;
    const sum = x.operands[0]!;
    return sum.kind === "apply" && (sum.op === "f64x2.add" || sum.op === "fma") && sum.operands.some(isNumber)
      ? sum
      : undefined;
  }

  #binary(fn: Exclude<BinaryFn, "pow">, a: Value, b: Value): Value {
    const folded = this.#fold([a, b], ([p, q]) => ({ kind: "binary", fn, a: p!, b: q! }));
    if (folded) return folded;
    // Defaults as beta = 1 are no work.
    if ((fn === "mul" || fn === "div") && isOne(b)) return a;
    if (fn === "mul" && isOne(a)) return b;
    if (fn === "div" && b.kind === "literal" && this.#reciprocalIsExact(b.number)) {
      return this.#binary("mul", a, this.#literal(1 / b.number));
    }
    return this.#code.apply(`${this.#shape}.${fn}`, a, b);
  }

  #multiplyAdd(a: Value, b: Value, c: Value): Value {
    if (!this.#double) throw new UsageError("fma is computed in float64 alone");
    return (
      this.#fold([a, b, c], ([p, q, r]) => ({ kind: "fma", a: p!, b: q!, c: r! })) ?? this.#fused(a, b, c)
    );
  }

  #fused(a: Value, b: Value, c: Value): Value {
    const negated = a.kind === "apply" && a.op === "v128.xor" && isNegativeZero(a.operands[1]!);
    return negated ? this.#code.apply("fnma", a.operands[0]!, b, c) : this.#code.apply("fma", a, b, c);
  }

  #compare(fn: Comparison, a: Value, b: Value): Value {
    const folded = this.#fold([a, b], ([p, q]) => where({ kind: "compare", fn, a: p!, b: q! }, 1, 0));
    if (folded) return this.#code.literal("i32", folded.number === 1 ? TRUE : FALSE);
    // a > b is b < a, for NaN too: half as many patterns below.
    if (fn === "gt") return this.#compare("lt", b, a);
    if (fn === "ge") return this.#compare("le", b, a);
    return this.#code.apply(`${this.#shape}.${fn}`, a, b);
  }

  #select(test: Value, a: Value, b: Value): Value {
    if (test.kind === "literal") return test.number === TRUE ? a : b;
    if (a === b) return a;
    const shorter = this.#selectByOrder(test, a, b);
    if (shorter) return shorter;
    if (isPositiveZero(b)) return this.#code.apply("v128.and", a, test);
    if (isPositiveZero(a)) return this.#code.apply("v128.andnot", b, test);
    return this.#code.apply("v128.bitselect", a, b, test);
  }

  /**
   * One instruction for a choice by order: pmin(p, q) is `q < p ? q : p` and pmax(p, q) is `p < q ? q : p`, bit for
   * bit, for NaN and zeros too (Core Specification 4.3.3, "fpmin" and "fpmax").
   */
  #selectByOrder(test: Value, a: Value, b: Value): Value | undefined {
    if (test.kind !== "apply" || test.op !== `${this.#shape}.lt`) return undefined;
    const [less, more] = test.operands as [Value, Value];
    if (less === a && more === b) return this.#code.apply(`${this.#shape}.pmin`, b, a);
    if (less === b && more === a) return this.#code.apply(`${this.#shape}.pmax`, b, a);
    // x > 0 ? x : s * x is the larger of the two for 0 < s <= 1, the smaller for s >= 1. Where they are equal, their
    // bits are; a NaN goes to the side of the product, as in the comparison.
    const slope = more === a && isZero(less) ? this.#factorOf(b, a) : undefined;
    if (slope === undefined || !(slope > 0)) return undefined;
    return this.#code.apply(`${this.#shape}.${slope > 1 ? "pmin" : "pmax"}`, b, a);
  }

  /** c, where `product` is c * x or x * c. */
  #factorOf(product: Value, x: Value): number | undefined {
    if (product.kind !== "apply" || product.op !== `${this.#shape}.mul`) return undefined;
    const [p, q] = product.operands as [Value, Value];
    if (p.kind === "literal" && q === x) return p.number;
    if (q.kind === "literal" && p === x) return q.number;
    return undefined;
  }

  /** Whether 1 / divisor is exact, so that dividing and multiplying round the same number: a power of two. */
  #reciprocalIsExact(divisor: number): boolean {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, divisor);
    const [high, low] = [bits.getUint32(0), bits.getUint32(4)];
    const exponent = ((high >>> 20) & 0x7ff) - 1023;
    // Neither the divisor nor its reciprocal is subnormal.
    return (high & 0xfffff) === 0 && low === 0 && Math.abs(exponent) <= (this.#double ? 1022 : 126);
  }
}

const isOne = (value: Value): boolean => value.kind === "literal" && value.number === 1;

function isZero(value: Value): boolean {
  return value.kind === "literal" && value.number === 0;
}

function isNegativeZero(value: Value): boolean {
  return value.kind === "literal" && Object.is(value.number, -0);
}

function isPositiveZero(value: Value): boolean {
  return value.kind === "literal" && Object.is(value.number, 0);
}
