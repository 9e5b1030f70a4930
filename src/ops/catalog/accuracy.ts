/**
 * @file How exact ops are, in words that many entries share. They are the limits of `accuracy/rows.ts`, which `npm run
 * accuracy` measures, and of the comparisons with PyTorch in `test/interop`.
 */

/** Straight pieces, and one step of arithmetic. */
export const bits = "the bits of PyTorch on the CPU, gradient included";
/** PyTorch rounds these parameters to float16 before it computes. */
export const bitsWithParameter = `${bits}; in float16 where the parameter is one`;

const gradient = "gradient in float32 at most 2 ulp";
/** One step of arithmetic, whose gradient takes several. */
export const bitsForward = `the bits of PyTorch on the CPU; ${gradient}`;
export const correctlyRounded = `correctly rounded; ${gradient}`;

const half = "float16: correctly rounded, gradient included";
/** One function: computed in float64 and rounded once. */
export const elementaryFunction = `float32: at most 1 ulp, gradient 2; float64: at most 2, gradient 4; ${half}`;
/** What is made of functions. In float64 some lose digits where the result is tiny. */
export const differentIn64 = (float64: string): string =>
  `float32: at most 2 ulp, gradient 2; float64: ${float64}; ${half}`;
export const composite = differentIn64("at most 2, gradient 4");
/** Several steps of arithmetic, rounded each. */
export const stepwise =
  "at most 2 ulp, rounded at each step; gradient in float32 at most 2, in float64 at most 4";

export const alongRows =
  "on the rows of the tests, against PyTorch's float64: float32 and float16 within 2 ulp; float64 to 13 digits, its gradient to 11";
