/** @file sin and cos to 31 bits: angles reduced in revolutions, over the whole range of float32. */
import { add, fma, mul, type Num, round, sub } from "../expr.ts";
import { polynomial } from "./polynomial.ts";
import { limbsOfRevolution } from "./revolution.ts";

/** A float32 has 24 digits, and a limb 29 and a sign: their products are exact. */
const WIDTH = 30;
/** 1 / (2 pi); the last factor is what two limbs more are worth, as its products need not be exact. */
const FACTORS = limbsOfRevolution(WIDTH, 7).map((limb, i) => limb * 2 ** (-WIDTH * (i + 1)));
FACTORS.push(FACTORS.splice(-2).reduce((a, b) => a + b));

/**
 * sin(2 pi f) / f in powers of f^2 for |f| <= 1/4: minimax (Remez algorithm, 45 digits), relative error 2^-35.4.
 */
const SINE = [
  6.283185307046694, -41.34170209692686, 81.605223690101, -76.70417024820404, 42.00779703505201,
  -14.381389981517847,
];

/**
 * sin(x + 2 pi * lead), for a lead of 0 or 1/4: all digits that count for a float32 x. An x with more digits than 24 is
 * taken as if its last one were a little off. Beyond 2^128 the result is some number from -1 to 1.
 */
export function sine(x: Num, lead: 0 | 0.25): Num {
  // Whole revolutions are dropped from each product; a large product is whole, and so dropped entirely.
  const parts = FACTORS.map((factor) => {
    const revolutions = mul(x, factor);
    return sub(revolutions, round(revolutions));
  });
  // The nearest half revolution, n / 2.
  const half = mul(round(mul(add(parts.reduce(add), lead), 2)), 0.5);
  // Taken away first: where the rest is small, the parts cancel each other exactly.
  const [first, ...others] = parts;
  const f = others.reduce(add, sub(first!, sub(half, lead)));
  // (-1)^n
  const sign = sub(1, mul(8, squareOf(sub(half, round(half)))));
  return mul(mul(f, polynomial(squareOf(f), SINE, fma)), sign);
}

const squareOf = (x: Num): Num => mul(x, x);
