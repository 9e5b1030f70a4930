/**
 * @file The expression language: what an op computes for one element, as a tree of plain objects.
 *
 * Every backend walks the same tree: `evaluate.ts` in JavaScript, `workers/compile.ts` to WebAssembly SIMD. Two sorts
 * of value exist and the types keep them apart: numbers (`Num`) and truth values (`Mask`).
 *
 * Semantics, the same in every backend and for every dtype:
 * - each step rounds once to the compute type: float32 for float16 and float32, float64 for float64;
 * - comparisons with NaN are false, except `ne`, which is true;
 * - `min` and `max` give NaN when either side is NaN, and order -0 below +0 (IEEE 754-2019 minimum and maximum);
 * - `round` takes ties to the even neighbour; `floor`, `ceil` and `round` keep -0;
 * - `where` takes its two sides bit for bit.
 */

export type UnaryFn = "neg" | "abs" | "sqrt" | "floor" | "ceil" | "round";
export type BinaryFn = "add" | "sub" | "mul" | "div" | "min" | "max";
export type Comparison = "lt" | "le" | "gt" | "ge" | "eq" | "ne";

/** A literal; rounded to the compute type where it is used. */
export interface Const {
  readonly kind: "const";
  readonly value: number;
}
/** Element i of input array `index`; 0 is x. */
export interface Input {
  readonly kind: "input";
  readonly index: number;
}
/** A named parameter of an op; fusing a chain replaces it by a constant or by an input. */
export interface Param {
  readonly kind: "param";
  readonly name: string;
}
export interface Unary {
  readonly kind: "unary";
  readonly fn: UnaryFn;
  readonly x: Num;
}
export interface Binary {
  readonly kind: "binary";
  readonly fn: BinaryFn;
  readonly a: Num;
  readonly b: Num;
}
/** `test ? a : b`, per element. */
export interface Where {
  readonly kind: "where";
  readonly test: Mask;
  readonly a: Num;
  readonly b: Num;
}
export interface Compare {
  readonly kind: "compare";
  readonly fn: Comparison;
  readonly a: Num;
  readonly b: Num;
}

/** An expression whose value is a number. */
export type Num = Const | Input | Param | Unary | Binary | Where;
/** An expression whose value is true or false. */
export type Mask = Compare;
/** What the builders accept: a plain number stands for a constant. */
export type Operand = Num | number;

/** The first input, x. */
export const x: Input = { kind: "input", index: 0 };

export const constant = (value: number): Const => ({ kind: "const", value });
export const input = (index: number): Input => ({ kind: "input", index });
export const param = (name: string): Param => ({ kind: "param", name });

const num = (operand: Operand): Num => (typeof operand === "number" ? constant(operand) : operand);
const unary =
  (fn: UnaryFn) =>
  (of: Operand): Num => ({ kind: "unary", fn, x: num(of) });
const binary =
  (fn: BinaryFn) =>
  (a: Operand, b: Operand): Num => ({ kind: "binary", fn, a: num(a), b: num(b) });
const compare =
  (fn: Comparison) =>
  (a: Operand, b: Operand): Mask => ({ kind: "compare", fn, a: num(a), b: num(b) });

export const neg = unary("neg");
export const abs = unary("abs");
export const sqrt = unary("sqrt");
export const floor = unary("floor");
export const ceil = unary("ceil");
export const round = unary("round");

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
export const min = binary("min");
export const max = binary("max");

export const lt = compare("lt");
export const le = compare("le");
export const gt = compare("gt");
export const ge = compare("ge");
export const eq = compare("eq");
export const ne = compare("ne");

export const where = (test: Mask, a: Operand, b: Operand): Num => ({
  kind: "where",
  test,
  a: num(a),
  b: num(b),
});

export const reciprocal = (of: Operand): Num => div(1, of);

/** `of` kept within [lo, hi]. NaN and -0 pass as they are, and `hi` wins where lo > hi, as in `torch.clamp`. */
export function clamp(of: Operand, lo: Operand, hi: Operand): Num {
  const raised = where(lt(of, lo), lo, of);
  return where(gt(raised, hi), hi, raised);
}
