/**
 * @file sin and cos in float32, for angles of any size: Payne and Hanek's reduction in digits to the base 2^11.
 *
 * x * 2 / pi is the number of quarter turns. Of it only the last whole digit and what follows counts:
 *
 * ```text
 *   |x|          d0 . d1 d2 d3        times 2048^k: the 24 digits of x are in four digits of 11 bits
 *   2 / pi        0 . l1 l2 l3 l4 …    those from l(k - 3) to l(k + 6) are multiplied
 *   a column     sum of four products below 2^22, and what is carried: below 2^24, and so exact
 * ```
 */
import {
  abs,
  add,
  constant,
  eq,
  exponent,
  floor,
  ge,
  lt,
  mul,
  type Num,
  neg,
  pow2,
  significand,
  sub,
  where,
} from "../../ops/expr.ts";
import { polynomial } from "../../ops/functions/polynomial.ts";

const BASE = 2048;
/** Digits of 2 / pi behind the point, to the base 2^11. */
const DIGITS = [
  1303, 1632, 1756, 1252, 522, 1191, 1924, 1879, 1679, 1357, 443, 1037, 1457, 598, 807, 1091, 1154, 127, 1186,
];
/** Columns behind the point; the last one only for what it carries. */
const COLUMNS = 6;
/** Of 2^127 k is 11. */
const STEPS = [8, 4, 2, 1];

/** (sin(r) / r - 1) / r^2 in powers of r^2 for |r| <= pi / 4: minimax, 2^-27.8 (Remez algorithm). */
const SINE = [-0.16666653752326965, 0.008332106284797192, -0.00019507882825564593];
/** (cos(r) - 1 + r^2 / 2) / r^4 in powers of r^2: 2^-32.7. */
const COSINE = [0.04166664555668831, -0.0013887297827750444, 2.4430084522464313e-5];

export function sin(x: Num): Num {
  const size = abs(x);
  const wave = waveOf(size, 0);
  // Also for -0.
  return where(lt(size, 2 ** -12), x, where(lt(x, 0), neg(wave), wave));
}

export function cos(x: Num): Num {
  return waveOf(abs(x), 1);
}

/** sin(x + lead * pi / 2) for x >= 0; NaN for Infinity and NaN. */
function waveOf(x: Num, lead: 0 | 1): Num {
  const { quarters, angle } = reduce(x);
  const turned = lead === 0 ? quarters : add(quarters, lead);
  const half = mul(turned, 0.5);
  const wave = where(eq(half, floor(half)), sineOf(angle), cosineOf(angle));
  // turned mod 4 is 2 or 3 where half of it, rounded down, is odd.
  const quarter = mul(floor(half), 0.5);
  const signed = where(eq(quarter, floor(quarter)), wave, neg(wave));
  return where(lt(x, Infinity), signed, Number.NaN);
}

/** x = (quarters + 4 * some) * pi / 2 + angle, with |angle| <= pi / 4. */
function reduce(x: Num): { readonly quarters: Num; readonly angle: Num } {
  // Below 1, all digits are behind the point, and k is 0.
  const size = where(lt(x, 0.5), 0.5, x);
  const e = exponent(size);
  const k = floor(mul(add(where(lt(e, 0), 0, e), 0.5), 1 / 11));
  const digits = digitsOf(mul(significand(size), pow2(sub(e, mul(k, 11)))));
  const limbs = limbsFrom(k);
  let carry: Num = constant(0);
  const places: Num[] = [];
  for (let column = COLUMNS; column >= 0; column--) {
    // Digit i of x times limb m counts in column i + m - k.
    const products = digits.map((digit, i) => mul(digit, limbs[column + 3 - i]!));
    const sum = products.reduce(add, carry);
    carry = floor(add(mul(sum, 1 / BASE), 0.5));
    places.push(column === 0 ? sum : sub(sum, mul(carry, BASE)));
  }
  const quarters = places.pop()!;
  const turns = places.reduce((rest, place) => mul(add(place, rest), 1 / BASE), constant(0));
  const near = lt(x, 0.785);
  // pi / 2 in two parts.
  const angle = add(mul(turns, 1.5707963705062866), mul(turns, -4.3711390001862426e-8));
  return { quarters: where(near, 0, quarters), angle: where(near, x, angle) };
}

/** The digits of a number below 2^11, from the one before the point on. */
function digitsOf(y: Num): Num[] {
  const digits: Num[] = [];
  let rest = y;
  for (let i = 0; i < 4; i++) {
    const digit = floor(rest);
    digits.push(digit);
    rest = mul(sub(rest, digit), BASE);
  }
  return digits;
}

/** The digits of 2 / pi from number k - 3 on; 0 before the first. */
function limbsFrom(k: Num): Num[] {
  let limbs: Num[] = [0, 0, 0, 0, ...DIGITS].map(constant);
  let left = k;
  for (const [i, step] of STEPS.entries()) {
    const isFar = ge(left, step);
    left = where(isFar, sub(left, step), left);
    const still = STEPS.slice(i + 1).reduce((a, b) => a + b, 0);
    const count = COLUMNS + 4 + Math.min(still, 11);
    limbs = Array.from({ length: count }, (_, at) => {
      const [near, far] = [limbs[at]!, limbs[at + step]];
      return far ? where(isFar, far, near) : near;
    });
  }
  return limbs;
}

function sineOf(r: Num): Num {
  const square = mul(r, r);
  return add(r, mul(r, mul(square, polynomial(square, SINE))));
}

function cosineOf(r: Num): Num {
  const square = mul(r, r);
  return add(sub(1, mul(0.5, square)), mul(mul(square, square), polynomial(square, COSINE)));
}
