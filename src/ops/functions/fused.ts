/** @file Polynomials in fused multiply-adds, their coefficients from the lowest up: for the functions of float32 programs. */
import { add, constant, fma, mul, type Num } from "../expr.ts";

/** c[0] + c[1] * x + c[2] * x^2 + ... by Horner's rule. */
export function fusedPolynomial(x: Num, coefficients: readonly number[]): Num {
  const [highest, ...others] = coefficients.toReversed();
  return horner(x, constant(highest!), others);
}

/** c[0] + c[1] * x + ... + x^n, whose highest coefficient is 1 and takes no product. */
export function fusedMonic(x: Num, coefficients: readonly number[]): Num {
  const [highest, ...others] = coefficients.toReversed();
  return horner(x, add(x, highest!), others);
}

/** Goes on from `start` with the lower coefficients, the next one first. */
const horner = (x: Num, start: Num, lower: readonly number[]): Num =>
  lower.reduce((sum: Num, c) => fma(sum, x, c), start);

/** The same as `fusedPolynomial` by Estrin's scheme: more products, and fewer steps that wait for another. */
export function fusedInPairs(x: Num, coefficients: readonly number[]): Num {
  let terms: Num[] = coefficients.map(constant);
  for (let power = x; terms.length > 1; power = mul(power, power)) {
    const pairs: Num[] = [];
    for (let i = 0; i < terms.length; i += 2) {
      const [low, high] = [terms[i]!, terms[i + 1]];
      pairs.push(high ? fma(high, power, low) : low);
    }
    terms = pairs;
  }
  return terms[0]!;
}
