/**
 * @file The expression language: what an op computes for one element, as a tree of plain objects.
 *
 * Every backend walks the same tree: `evaluate.ts` in JavaScript, `workers/compile.ts` to WebAssembly SIMD. Two sorts
 * of value exist and the types keep them apart: numbers (`Num`) and truth values (`Mask`).
 *
 * The named functions (`exp`, `tanh`, ...) are part of the language, so that they can be printed and differentiated; no
 * backend knows them: `expand.ts` replaces each by arithmetic before anything is computed.
 *
 * Semantics, the same in every backend and for every dtype:
 * - each step rounds once to the compute type (`compute.ts`): float64 for float64 and for what is not piecewise linear,
 *   else float32; the result is rounded once more, to the dtype;
 * - comparisons with NaN are false, except `ne`, which is true;
 * - `min` and `max` give NaN when either side is NaN, and order -0 below +0 (IEEE 754-2019 minimum and maximum);
 * - `round` takes ties to the even neighbour; `floor`, `ceil` and `round` keep -0;
 * - `where` takes its two sides bit for bit.
 *
 * ```ts
 * const leaky = defineOp("my_leaky", { alpha: 0.1 }, (x, { alpha }) => where(gt(x, 0), x, mul(alpha, x)));
 * console.log(leaky(new Float64Array([-2, 3]))); // Float64Array(2) [ -0.2, 3 ]
 * ```
 */

/** What every processor computes exactly, or correctly rounded. */
export type ArithmeticFn = "neg" | "abs" | "sqrt" | "floor" | "ceil" | "round";
/**
 * What the expansions of functions are made of beside arithmetic. They work on the bits of a float64 (in the expansions
 * for a GPU, of a float32), and are undefined for subnormal numbers, infinities and NaN:
 * - `pow2(n)`: 2^n, for a whole n from -1022 to 1023; 0 for -1023, and Infinity for 1024 (float32: -127 and 128);
 * - `exponent(x)`: the e of |x| = s * 2^e with 1 <= s < 2, as a number;
 * - `significand(x)`: the s of the same, which has no sign;
 * - `head(x)`: x with its lower 32 bits cleared, 21 of its 53 digits: products of two heads are exact.
 */
export type BitsFn = "pow2" | "exponent" | "significand" | "head";
export const isBits = (fn: UnaryFn): fn is BitsFn =>
  fn === "pow2" || fn === "exponent" || fn === "significand" || fn === "head";
/** Functions that `expand.ts` replaces by arithmetic. `normal_cdf` is that of the standard normal distribution. */
export type Transcendental =
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sigmoid"
  | "softplus"
  | "tanh"
  | "erf"
  | "normal_cdf"
  | "gaussian"
  | "rsqrt"
  | "sin"
  | "cos";
/** `detach(x)` is x, and a constant to the derivative rules. */
export type UnaryFn = ArithmeticFn | BitsFn | Transcendental | "detach";
export type BinaryFn = "add" | "sub" | "mul" | "div" | "min" | "max" | "pow";
/** Over the last axis; every element of a row sees the row's value. */
export type ReduceFn = "sum" | "max";
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
  /** `derived_as(a, b)` is a, whose derivative is taken as that of b. */
  readonly fn: BinaryFn | "derived_as";
  readonly a: Num;
  readonly b: Num;
}
/**
 * a * b + c, rounded once: IEEE 754's fusedMultiplyAdd. Made by the expansions of functions alone, and not part of what
 * ops are written in: its bits are those of every engine only in float64, and only where a finite factor is at most 2^1023
 * in size and the product is
 *
 * - 0, or from 2^-900 to 2^980 in size, with |c| up to 2^980;
 * - or smaller, with a c from 2^-840 up; or with a c of 0, where the product does not round to 0;
 * - or larger and exact, or infinite or NaN.
 *
 * So without relaxed SIMD it is made of products and sums of float64 (`fma.ts`).
 */
export interface MultiplyAdd {
  readonly kind: "fma";
  readonly a: Num;
  readonly b: Num;
  readonly c: Num;
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

/** The sum or the largest of `x` over the element's row: the last axis of the tensor. */
export interface Reduce {
  readonly kind: "reduce";
  readonly fn: ReduceFn;
  readonly x: Num;
}
/** The number of elements of the row. */
export interface RowLength {
  readonly kind: "rowLength";
}

/** An expression whose value is a number. */
export type Num = Const | Input | Param | Unary | Binary | MultiplyAdd | Where | Reduce | RowLength;
/** An expression whose value is true or false. */
export type Mask = Compare;
/** What the builders accept: a plain number stands for a constant. */
export type Operand = Num | number;

/** The first input, x. */
export const x: Input = { kind: "input", index: 0 };

/** A number as an expression; rounded to the compute type where it is used. */
export const constant = (value: number): Const => ({ kind: "const", value });
export const input = (index: number): Input => ({ kind: "input", index });
export const param = (name: string): Param => ({ kind: "param", name });

const num = (operand: Operand): Num => (typeof operand === "number" ? constant(operand) : operand);
const unary =
  (fn: UnaryFn) =>
  (of: Operand): Num => ({ kind: "unary", fn, x: num(of) });
const binary =
  (fn: Binary["fn"]) =>
  (a: Operand, b: Operand): Num => ({ kind: "binary", fn, a: num(a), b: num(b) });
const compare =
  (fn: Comparison) =>
  (a: Operand, b: Operand): Mask => ({ kind: "compare", fn, a: num(a), b: num(b) });

/** -x: the sign bit flipped. */
export const neg = unary("neg");
/** The absolute value: the sign bit cleared. */
export const abs = unary("abs");
/** The square root, correctly rounded; NaN below 0. */
export const sqrt = unary("sqrt");
/** The nearest whole number that is not above x. */
export const floor = unary("floor");
/** The nearest whole number that is not below x. */
export const ceil = unary("ceil");
/** The nearest whole number; halves go to the even one. */
export const round = unary("round");

/** a + b */
export const add = binary("add");
/** a - b */
export const sub = binary("sub");
/** a * b */
export const mul = binary("mul");
/** a / b, as IEEE 754 has it: by 0 an infinity, 0 / 0 is NaN. */
export const div = binary("div");
/** The smaller one; NaN where either is NaN, and -0 below +0. */
export const min = binary("min");
/** The larger one; NaN where either is NaN, and +0 above -0. */
export const max = binary("max");

/** x to the power of y, with the special cases of IEEE 754-2019 (9.2.1), as C and JavaScript have them but for pow(1, NaN). */
export const pow = binary("pow");

export const pow2 = unary("pow2");
export const exponent = unary("exponent");
export const significand = unary("significand");
export const head = unary("head");

/** a * b + c, rounded once; for expansions. */
export const fma = (a: Operand, b: Operand, c: Operand): MultiplyAdd => ({
  kind: "fma",
  a: num(a),
  b: num(b),
  c: num(c),
});

/** e to the power of x. */
export const exp = unary("exp");
/** exp(x) - 1, exact near 0. */
export const expm1 = unary("expm1");
/** The natural logarithm. */
export const log = unary("log");
/** log(1 + x), exact near 0. */
export const log1p = unary("log1p");
/** 1 / (1 + exp(-x)) */
export const sigmoid = unary("sigmoid");
/** log(1 + exp(x)) */
export const softplus = unary("softplus");
/** The hyperbolic tangent. */
export const tanh = unary("tanh");
/** The error function. */
export const erf = unary("erf");
/** The distribution function of the standard normal distribution, (1 + erf(x / sqrt(2))) / 2. */
export const normalCdf = unary("normal_cdf");
/** exp(-x^2 / 2) */
export const gaussian = unary("gaussian");
/** 1 / sqrt(x) */
export const rsqrt = unary("rsqrt");
/** The sine of x radians. */
export const sin = unary("sin");
/** The cosine of x radians. */
export const cos = unary("cos");
/** The same number, which derivatives take for a constant. */
export const detach = unary("detach");
/**
 * The number `value`, whose derivative is that of `form`: the same function, or one a constant away from it. For kinks,
 * where a choice is to be made, and where the rules would make terms that cancel.
 */
export const derivedAs: (value: Operand, form: Operand) => Num = binary("derived_as");

const reduce =
  (fn: ReduceFn) =>
  (of: Operand): Num => ({ kind: "reduce", fn, x: num(of) });
/** The sum over the last axis; 0 for an empty row. Added in float64, in one order. */
export const rowSum = reduce("sum");
/** The largest of the last axis; NaN where one is NaN. */
export const rowMax = reduce("max");
/** The length of the last axis. */
export const rowLength: RowLength = { kind: "rowLength" };

/** a < b; false with NaN. */
export const lt = compare("lt");
/** a <= b; false with NaN. */
export const le = compare("le");
/** a > b; false with NaN. */
export const gt = compare("gt");
/** a >= b; false with NaN. */
export const ge = compare("ge");
/** a = b; false with NaN, and true for 0 and -0. */
export const eq = compare("eq");
/** a is not b; true with NaN. */
export const ne = compare("ne");

/** `a` where the test is true, else `b`, bit for bit; the other side is computed, too, and dropped. */
export const where = (test: Mask, a: Operand, b: Operand): Num => ({
  kind: "where",
  test,
  a: num(a),
  b: num(b),
});

/** 1 / x */
export const reciprocal = (of: Operand): Num => div(1, of);

/** `of` kept within [lo, hi]. NaN and -0 pass as they are, and `hi` wins where lo > hi, as in `torch.clamp`. */
export function clamp(of: Operand, lo: Operand, hi: Operand): Num {
  const raised = where(lt(of, lo), lo, of);
  return where(gt(raised, hi), hi, raised);
}
