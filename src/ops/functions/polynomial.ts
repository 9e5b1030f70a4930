/** @file Polynomials whose terms do not wait for each other. */
import { add, constant, mul, type Num } from "../expr.ts";

/**
 * c[0] + c[1] * x + c[2] * x^2 + ... by Estrin's scheme: (c[0] + c[1] * x) + (c[2] + c[3] * x) * x^2. It takes a product or
 * two more than Horner's rule, but half the time where each step waits for the one before, as few steps at a time fit
 * into a processor.
 */
export function polynomialInPairs(x: Num, coefficients: readonly number[]): Num {
  let terms: Num[] = coefficients.map(constant);
  for (let power = x; terms.length > 1; power = mul(power, power)) {
    const pairs: Num[] = [];
    for (let i = 0; i < terms.length; i += 2) {
      const [low, high] = [terms[i]!, terms[i + 1]];
      pairs.push(high ? add(low, mul(high, power)) : low);
    }
    terms = pairs;
  }
  return terms[0]!;
}
