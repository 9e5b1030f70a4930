/**
 * @file Polynomials, their coefficients from the lowest up. The last argument is the step they are made of: a product and a
 * sum unless said, or `fma`, which rounds once, for the functions of float32 programs.
 */
import { add, constant, mul, type Num } from "../expr.ts";

/** a * b + c. */
type Step = (a: Num, b: Num, c: Num | number) => Num;

const productAndSum: Step = (a, b, c) => add(mul(a, b), c);

/** c[0] + c[1] * x + c[2] * x^2 + ... by Horner's rule. */
export function polynomial(x: Num, coefficients: readonly number[], step: Step = productAndSum): Num {
  const [highest, ...others] = coefficients.toReversed();
  return horner(x, constant(highest!), others, step);
}

/** c[0] + c[1] * x + ... + x^n, whose highest coefficient is 1 and takes no product. */
export function monic(x: Num, coefficients: readonly number[], step: Step = productAndSum): Num {
  const [highest, ...others] = coefficients.toReversed();
  return horner(x, add(x, highest!), others, step);
}

/** Goes on from `start` with the lower coefficients, the next one first. */
const horner = (x: Num, start: Num, lower: readonly number[], step: Step): Num =>
  lower.reduce((sum, c) => step(sum, x, c), start);

/**
 * c[0] + c[1] * x + c[2] * x^2 + ... by Estrin's scheme: (c[0] + c[1] * x) + (c[2] + c[3] * x) * x^2. It takes a product or
 * two more than Horner's rule, but half the time where each step waits for the one before, as few steps at a time fit
 * into a processor.
 */
export function polynomialInPairs(x: Num, coefficients: readonly number[], step: Step = productAndSum): Num {
  let terms: Num[] = coefficients.map(constant);
  for (let power = x; terms.length > 1; power = mul(power, power)) {
    const pairs: Num[] = [];
    for (let i = 0; i < terms.length; i += 2) {
      const [low, high] = [terms[i]!, terms[i + 1]];
      pairs.push(high ? step(high, power, low) : low);
    }
    terms = pairs;
  }
  return terms[0]!;
}
