/** @file erf(x) as arithmetic. */
import type { Precision } from "../expand.ts";
import { abs, add, clamp, div, fma, lt, mul, type Num, neg, sub, where } from "../expr.ts";
import { complement } from "./normal-tail.ts";
import { monic, polynomial } from "./polynomial.ts";

export function erf(x: Num, precision: Precision): Num {
  return precision === "single" ? single(x) : double(x);
}

/**
 * erf(x) / x = (P[0] + P[1] * x^2 + ...) / (Q[0] + Q[1] * x^2 + ... + x^14) on [0, 4.5]: rational minimax (Remez
 * algorithm, 45 digits), relative error 2^-33.7.
 */
const SINGLE = {
  P: [
    15253318.719944619, 3048701.5786205, 841163.8374371408, 83526.20158513059, 8095.34224123036,
    413.53023203307424, 11.772147647674757, 0.036570963268462375,
  ],
  Q: [
    13517901.753065668, 7207808.632177761, 1796275.1049283282, 273854.34871626453, 27865.053878182312,
    1907.3267011603748, 81.47371800891221,
  ],
};

/** From 4.5 on erf(x) is 1 to 32 bits. */
function single(x: Num): Num {
  const inner = clamp(x, -4.5, 4.5);
  const square = mul(inner, inner);
  return div(mul(inner, polynomial(square, SINGLE.P, fma)), monic(square, SINGLE.Q, fma));
}

/** Where erf(sqrt(s)) / sqrt(s) is 1. */
const MIDDLE = 0.3812406484863818;
/**
 * erf(x) / x - 1 = v * (c[0] + c[1] * v + ...) with v = x^2 - MIDDLE, for |x| <= 1: minimax (Remez algorithm, 45 digits),
 * error 2^-62. In powers of x^2 itself the terms would be larger, and so would their roundings.
 */
const NEAR_ZERO = [
  -0.3007310376245658, 0.08622828192882115, -0.020018985221838037, 0.0038306497485827828,
  -0.0006199292748575612, 8.67205869035347e-5, -1.0670697392926639e-5, 1.1712008756355763e-6,
  -1.1597921583095358e-7, 1.0461800785408697e-8, -8.648615893981911e-10, 5.968892763730404e-11,
];

/** Below, erf(x) = 2 / sqrt(pi) * (x - x^3 / 3) is its first term. Also for -0, which is lost in the other forms. */
const TINY = 2 ** -27;

/** From here on 1 - erfc(x), where an error of erfc counts a quarter. */
const FAR = 0.9;

function double(x: Num): Num {
  const v = sub(mul(x, x), MIDDLE);
  const near = add(x, mul(x, mul(v, polynomial(v, NEAR_ZERO))));
  const far = sub(1, complement(x));
  const inner = where(lt(abs(x), TINY), mul(x, 2 / Math.sqrt(Math.PI)), near);
  return where(lt(abs(x), FAR), inner, where(lt(x, 0), neg(far), far));
}
