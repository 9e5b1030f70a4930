/**
 * @file From expressions to vector code: shares, folds constants, and takes shorter instructions where no bit changes.
 */
import { UsageError } from "../errors.ts";
import type { Dtype } from "../ops/dtype.ts";
import { evaluate } from "../ops/evaluate.ts";
import { type BinaryFn, type Comparison, constant, type Num, type UnaryFn, where } from "../ops/expr.ts";
import type { Program } from "../ops/program.ts";
import { type Expr, postorder } from "../ops/walk.ts";
import { narrowHalf, widenHalf } from "./float16-simd.ts";
import { type Literal, type Value, VectorCode } from "./vector-code.ts";

/** The vector code of `program`: from the vectors as loaded to the vector to store. */
export function lower(program: Program, dtype: Dtype): Value {
  const lowering = new Lowering(dtype, 1 + program.channels.length);
  const values = new Map<Expr, Value>();
  for (const node of postorder(program.output)) {
    values.set(
      node,
      lowering.lower(node, (operand) => values.get(operand)!),
    );
  }
  return lowering.result(values.get(program.output)!);
}

/** -1 is all ones: how a comparison says true. */
const TRUE = -1;
const FALSE = 0;

class Lowering {
  readonly #code = new VectorCode();
  readonly #inputs: number;
  readonly #half: boolean;
  readonly #double: boolean;
  readonly #lanes: "f32" | "f64";
  readonly #shape: "f32x4" | "f64x2";

  constructor(dtype: Dtype, inputs: number) {
    this.#inputs = inputs;
    this.#half = dtype === "float16";
    this.#double = dtype === "float64";
    this.#lanes = this.#double ? "f64" : "f32";
    this.#shape = this.#double ? "f64x2" : "f32x4";
  }

  lower(node: Expr, at: (operand: Expr) => Value): Value {
    switch (node.kind) {
      case "const":
        return this.#literal(node.value);
      case "input":
        return this.#input(node.index);
      case "unary":
        return this.#unary(node.fn, at(node.x));
      case "binary":
        return this.#binary(node.fn, at(node.a), at(node.b));
      case "compare":
        return this.#compare(node.fn, at(node.a), at(node.b));
      case "where":
        return this.#select(at(node.test), at(node.a), at(node.b));
      case "param":
        throw new UsageError(`the parameter ${node.name} has no value`);
    }
  }

  /** What to store for a result. */
  result(value: Value): Value {
    return this.#half ? narrowHalf(this.#code, value) : value;
  }

  #literal(number: number): Literal {
    return this.#code.literal(this.#lanes, this.#double ? number : Math.fround(number));
  }

  #input(index: number): Value {
    if (!(index >= 0 && index < this.#inputs)) {
      throw new UsageError(`the program reads input ${index} of ${this.#inputs}`);
    }
    const loaded = this.#code.load(index);
    return this.#half && index === 0 ? widenHalf(this.#code, loaded) : loaded;
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
    const program = { key: "", output: operation(constants), channels: [] };
    const element = this.#double ? new Float64Array(1) : new Float32Array(1);
    if (element instanceof Float64Array) evaluate(program, "float64", element);
    else evaluate(program, "float32", element);
    const [number] = element as Float32Array | Float64Array;
    return Number.isNaN(number) ? undefined : this.#literal(number!);
  }

  #unary(fn: UnaryFn, x: Value): Value {
    const folded = this.#fold([x], ([a]) => ({ kind: "unary", fn, x: a! }));
    if (folded) return folded;
    // The sign bit alone is -0. V8 11 makes three instructions of neg and abs, and one of these.
    if (fn === "neg") return this.#code.apply("v128.xor", x, this.#literal(-0));
    if (fn === "abs") return this.#code.apply("v128.andnot", x, this.#literal(-0));
    return this.#code.apply(`${this.#shape}.${fn === "round" ? "nearest" : fn}`, x);
  }

  #binary(fn: BinaryFn, a: Value, b: Value): Value {
    const folded = this.#fold([a, b], ([p, q]) => ({ kind: "binary", fn, a: p!, b: q! }));
    if (folded) return folded;
    if (fn === "div" && b.kind === "literal" && this.#reciprocalIsExact(b.number)) {
      return this.#binary("mul", a, this.#literal(1 / b.number));
    }
    return this.#code.apply(`${this.#shape}.${fn}`, a, b);
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

function isZero(value: Value): boolean {
  return value.kind === "literal" && value.number === 0;
}

function isPositiveZero(value: Value): boolean {
  return value.kind === "literal" && Object.is(value.number, 0);
}
