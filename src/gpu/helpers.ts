/**
 * @file What gpu.js has no operation for, as functions in the text of kernels. `this.constants.powers[n + 127]` is 2^n.
 */

/** By name. */
export const HELPERS: Readonly<Record<string, string>> = {
  // Halves go to the even neighbour; zeros, infinities and NaN stay.
  roundToEven: `function roundToEven(x) {
  const size = Math.abs(x);
  const below = Math.floor(size);
  const rest = size - below;
  const half = below * 0.5;
  const even = half === Math.floor(half) ? below : below + 1.0;
  const rounded = rest === 0.5 ? even : (rest > 0.5 ? below + 1.0 : below);
  return x > 0.0 ? rounded : (x < 0.0 ? -rounded : x);
}`,
  // Of equal numbers only zeros differ: the smaller is -0 where one of them is, as -(-a + -b) is; the larger is their sum.
  least: `function least(a, b) {
  const negated = -a - b;
  const equal = a === 0.0 ? -negated : a;
  return a < b ? a : (b < a ? b : (a === b ? equal : a + b));
}`,
  most: `function most(a, b) {
  const equal = a === 0.0 ? a + b : a;
  return a > b ? a : (b > a ? b : (a === b ? equal : a + b));
}`,
  // log2 is off by some units in the last place, so its whole part may be off by one.
  exponent: `function exponent(x) {
  const size = Math.abs(x);
  const log = Math.floor(Math.log2(size));
  const near = log < -126.0 ? -126.0 : (log > 126.0 ? 126.0 : log);
  const s = size * this.constants.powers[127 - near];
  return s >= 2.0 ? near + 1.0 : (s < 1.0 ? near - 1.0 : near);
}`,
  significand: `function significand(x) {
  const size = Math.abs(x);
  const log = Math.floor(Math.log2(size));
  const near = log < -126.0 ? -126.0 : (log > 126.0 ? 126.0 : log);
  const s = size * this.constants.powers[127 - near];
  return s >= 2.0 ? s * 0.5 : (s < 1.0 ? s * 2.0 : s);
}`,
  // Whole numbers: a quotient by floats, and what it is off. Integers do not stay integers in a variable of gpu.js.
  turns: `function turns(a, b) { return (a / b) | 0; }`,
  rest: `function rest(a, b) { return a - turns(a, b) * b; }`,
  correction: `function correction(r, b) { return (r >> 31) - ((b - 1 - r) >> 31); }`,
  quotient: `function quotient(a, b) {
  return turns(a, b) + turns(rest(a, b), b) + correction(rest(rest(a, b), b), b);
}`,
  remainder: `function remainder(a, b) { return a - quotient(a, b) * b; }`,
};
/** The functions that a function calls. */
export const NEEDS: Readonly<Record<string, readonly string[]>> = {
  rest: ["turns"],
  quotient: ["rest", "correction"],
  remainder: ["quotient"],
};
