/** @file Powers that a few products, a quotient or a root give, at least as exactly as the general way. */
import type { Precision } from "../expand.ts";
import { add, constant, div, eq, mul, type Num, sqrt, where } from "../expr.ts";

/** Beyond, the general way is about as quick. */
const MOST_SINGLE = 16;

/** x^y, or undefined where y is no constant, or not one of these. */
export function powByProducts(x: Num, y: Num, precision: Precision): Num | undefined {
  const power = constantOf(y);
  if (power === undefined) return undefined;
  if (power === 0) return constant(1);
  // Unlike the root, the power of -0 is +0, and that of -Infinity is Infinity.
  if (Math.abs(power) === 0.5) {
    const root = where(eq(x, -Infinity), Infinity, sqrt(add(x, 0)));
    return power > 0 ? root : div(1, root);
  }
  if (!Number.isInteger(power)) return undefined;
  if (precision === "single") {
    if (Math.abs(power) > MOST_SINGLE) return undefined;
    return power > 0 ? product(x, power) : div(1, product(x, -power));
  }
  // At most three roundings. The reciprocal comes first: a product that underflows has lost digits.
  if (power >= 1 && power <= 4) return product(x, power);
  return power === -1 || power === -2 ? product(div(1, x), -power) : undefined;
}

/** x^n for a whole n of at least 1, by squaring. */
function product(x: Num, n: number): Num {
  if (n === 1) return x;
  const half = product(x, Math.floor(n / 2));
  const even = mul(half, half);
  return n % 2 === 0 ? even : mul(even, x);
}

/** The value of an expression of constants, as derivatives make them: `3 - 1`. */
function constantOf(y: Num): number | undefined {
  if (y.kind === "const") return y.value;
  if (y.kind !== "binary" || (y.fn !== "add" && y.fn !== "sub")) return undefined;
  const [a, b] = [constantOf(y.a), constantOf(y.b)];
  if (a === undefined || b === undefined) return undefined;
  return y.fn === "add" ? a + b : a - b;
}
