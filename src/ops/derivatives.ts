/**
 * @file The table of derivatives: for each function and operation of the language, how its value changes with its
 * operands. Every gradient of Sluice follows from these lines and from `tangent.ts`.
 *
 * Where the textbook's form cancels, another form of the same number stands here: 1 - tanh(x)^2 is 0 from x = 19 on in
 * float64, while sigmoid(2x) * sigmoid(-2x) goes on as long as float64 does.
 */
import {
  add,
  type BinaryFn,
  cos,
  div,
  eq,
  exp,
  gaussian,
  gt,
  log,
  lt,
  mul,
  type Num,
  neg,
  type Operand,
  pow,
  rsqrt,
  sigmoid,
  sin,
  sqrt,
  sub,
  type UnaryFn,
  where,
} from "./expr.ts";

/** The change of a number; `undefined` where it does not change at all. */
export type Tangent = Num | undefined;

const product = (a: Num, b: Operand): Num => mul(b, a);

/** The change of `fn(x)`, where `dx` is that of x. */
export const unaryDerivatives: Readonly<
  Record<Exclude<UnaryFn, "pow2" | "exponent" | "significand" | "head">, (x: Num, dx: Num) => Tangent>
> = {
  neg: (_, dx) => neg(dx),
  // At 0 it is 0 times dx, as in PyTorch.
  abs: (x, dx) => where(gt(x, 0), dx, where(lt(x, 0), neg(dx), mul(0, dx))),
  sqrt: (x, dx) => div(dx, mul(2, sqrt(x))),
  floor: () => undefined,
  ceil: () => undefined,
  round: () => undefined,
  detach: () => undefined,
  exp: (x, dx) => product(dx, exp(x)),
  expm1: (x, dx) => product(dx, exp(x)),
  log: (x, dx) => div(dx, x),
  log1p: (x, dx) => div(dx, add(1, x)),
  sigmoid: (x, dx) => product(dx, mul(sigmoid(x), sigmoid(neg(x)))),
  softplus: (x, dx) => product(dx, sigmoid(x)),
  tanh: (x, dx) => product(dx, mul(4, mul(sigmoid(mul(2, x)), sigmoid(mul(-2, x))))),
  // exp(-x^2) is the square of exp(-x^2 / 2), whose argument needs no rounding.
  erf: (x, dx) => product(dx, mul(2 / Math.sqrt(Math.PI), mul(gaussian(x), gaussian(x)))),
  normal_cdf: (x, dx) => product(dx, mul(1 / Math.sqrt(2 * Math.PI), gaussian(x))),
  gaussian: (x, dx) => product(dx, neg(mul(x, gaussian(x)))),
  rsqrt: (x, dx) => product(dx, div(mul(-0.5, rsqrt(x)), x)),
  sin: (x, dx) => product(dx, cos(x)),
  cos: (x, dx) => product(dx, neg(sin(x))),
};

/** The change of `fn(a, b)`, where `da` and `db` are those of a and b; at least one of them is there. */
export const binaryDerivatives: Readonly<
  Record<BinaryFn, (a: Num, b: Num, da: Tangent, db: Tangent) => Tangent>
> = {
  add: (_a, _b, da, db) => plus(da, db),
  sub: (_a, _b, da, db) => (da && db ? sub(da, db) : (da ?? neg(db!))),
  mul: (a, b, da, db) => plus(da && product(da, b), db && product(db, a)),
  div: (a, b, da, db) => plus(da && div(da, b), db && product(neg(db), div(div(a, b), b))),
  // Where both are equal each has half of it, as in PyTorch.
  min: (a, b, da, db) => where(lt(a, b), orZero(da), where(gt(a, b), orZero(db), half(da, db))),
  max: (a, b, da, db) => where(gt(a, b), orZero(da), where(lt(a, b), orZero(db), half(da, db))),
  pow: (a, b, da, db) =>
    plus(
      da && product(da, where(eq(b, 0), 0, mul(b, pow(a, sub(b, 1))))),
      db && product(db, where(eq(a, 0), where(lt(b, 0), mul(log(a), pow(a, b)), 0), mul(log(a), pow(a, b)))),
    ),
};

export const plus = (a: Tangent, b: Tangent): Tangent => (a && b ? add(a, b) : (a ?? b));
export const orZero = (tangent: Tangent): Operand => tangent ?? 0;
const half = (a: Tangent, b: Tangent): Num => mul(0.5, plus(a, b)!);
