/**
 * @file How likely a ReLU network is constant from the start: input dimension 1, zero biases, weights that are independent,
 * continuous and symmetric about 0. Lu, Shin, Su and Karniadakis 2019 (arXiv 1903.06733), who count the output as a layer.
 *
 * Without biases the network is f(x) = |x| f(x / |x|): two rays, of x = 1 and of x = -1, and f(0) = 0. So it is constant
 * where both rays are dead in the last hidden layer, and there alone. One ray by itself dies in a layer where all N signs
 * are negative: 2^-N. The first layer kills one ray (2^-N each) or none, as it gives one ray what it does not give the other.
 *
 * Upper bound: a ray that the first layer left alive must die in one of the k = depth - 1 others; a1 = 1 - 2^-N is the
 * probability that it survives one.
 *
 * Lower bound: let q be the probability that a neuron is negative on both rays. Both rays have entries >= 0, so their two
 * sums rise with each weight: they are associated (Harris 1960), and q >= 1/4. In a layer both rays die with q^N. They
 * become one ray (one died, or a single neuron is alive and sees both) with 2^(1-N) + (N - 2) q^N. They stay two with
 * 1 - 2^(1-N) - (N - 1) q^N, which is most for q = 1/4: a2. As two rays survive at least as long as one, q = 1/4 in each
 * layer gives the most that can survive, s(k) = a2 s(k-1) + (1 - a2 - 4^-N) a1^(k-1) with s(0) = 1.
 */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** @param depth hidden layers, from 1 */
export function bornDeadBounds(width: number, depth: number): Bounds {
  const one = 2 ** -width;
  const [a1, a2] = [1 - one, 1 - 2 * one - (width - 1) * one ** 2];
  const k = depth - 1;
  const weight = ((1 - 2 * one) * (1 - one)) / (1 + (width - 1) * one);
  return { lower: 1 - a1 ** k - weight * (a1 ** k - a2 ** k), upper: 1 - a1 ** k };
}

/** Exactly, for two hidden layers: one ray is left and dies, or two that do not see each other die. */
export function bornDeadOfTwo(width: number): number {
  const one = 2 ** -width;
  return 2 * one * one + (1 - 2 * one) * one ** 2;
}
