/**
 * @file a * b + c rounded once, made of products and sums of float64: exact parts, of which the small ones are rounded to
 * odd, so that the last sum alone rounds.
 *
 * ```text
 *   a * b = high + low      c + low = s + t      high + s = u + v      result = u + odd(v + t)
 * ```
 *
 * Source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE
 * Transactions on Computers 57 (4), 2008. `workers/fma.ts` takes the same steps on vectors.
 */

/** Sizes of a product whose lower half is exact too; and most of c, so that no sum overflows. */
export const LEAST_PRODUCT = 2 ** -900;
export const MOST_PRODUCT = 2 ** 980;

/** Beyond, `SPLIT` times it might overflow. */
const MOST_FACTOR = 2 ** 990;
/** Of a number times this, a difference leaves the upper 26 digits (Veltkamp). */
const SPLIT = 2 ** 27 + 1;

/**
 * a * b + c, rounded once where `MultiplyAdd` of `expr.ts` says so. A smaller product is rounded first: beside a larger c
 * it does not count, and with c = 0 it is the result. So is a larger one, an infinity, and NaN.
 */
export function fma(a: number, b: number, c: number): number {
  const high = a * b;
  const size = Math.abs(high);
  if (!(size >= LEAST_PRODUCT && size <= MOST_PRODUCT && Math.abs(c) <= MOST_PRODUCT)) return high + c;
  if (Math.abs(a) > MOST_FACTOR) return fma(a * 2 ** -64, b * 2 ** 64, c);
  if (Math.abs(b) > MOST_FACTOR) return fma(a * 2 ** 64, b * 2 ** -64, c);
  const aTop = topOf(a);
  const bTop = topOf(b);
  const aRest = a - aTop;
  const bRest = b - bTop;
  const low = aTop * bTop - high + aTop * bRest + aRest * bTop + aRest * bRest;
  const s = c + low;
  const t = lostBy(c, low, s);
  const u = high + s;
  const v = lostBy(high, s, u);
  return u + sumToOdd(v, t);
}

function topOf(x: number): number {
  const product = SPLIT * x;
  return product - (product - x);
}

/** a + b - sum, exactly (Knuth's TwoSum). */
function lostBy(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

const words = new Uint32Array(2);
const number = new Float64Array(words.buffer);

/** a + b where that is a float64; else of its two neighbours the one whose last bit is 1. */
function sumToOdd(a: number, b: number): number {
  const sum = a + b;
  const lost = lostBy(a, b, sum);
  if (lost === 0) return sum;
  number[0] = sum;
  const [low, high] = words as unknown as [number, number];
  if ((low & 1) === 1) return sum;
  // Towards 0 where the sum is rounded away from it.
  if (sum < 0 !== lost < 0) {
    if (low === 0) words[1] = high - 1;
    words[0] = low - 1;
  } else {
    words[0] = low | 1;
  }
  return number[0]!;
}
