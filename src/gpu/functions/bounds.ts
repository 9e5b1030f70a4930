/**
 * @file How far results on a GPU may be from the true value, in units in the last place (ulp) of float32. The tests measure
 * it, step by step in JavaScript and on the software adapter; docs/gpu.md is its text.
 *
 * Results that are no normal numbers, and what is made of them, may be 0: devices take subnormal numbers for 0.
 */
import type { Transcendental } from "../../ops/expr.ts";

/** At most `ulp` units in the last place of the true value, and `absolute` beside, where terms cancel or arguments are rounded. */
export interface Bound {
  /** Of a device that rounds quotients and roots correctly, as the software adapter does. */
  readonly ulp: number;
  /** Of any device that keeps WGSL's rules. */
  readonly onAny: number;
  readonly absolute: number;
}

/**
 * The bound for any device that keeps WGSL's rules: a quotient may be off by 2.5 ulp, a root by 4.5, and products that are
 * added need not be rounded (WGSL, section 15.7.4).
 */
export const onAnyDevice = ({ onAny, absolute }: Bound): Bound => ({
  ulp: onAny,
  onAny,
  absolute: 2 * absolute,
});

/** What the underflow of a factor takes away at most: that of sigmoid, at x = -87.3, times x. */
export const UNDERFLOW = 2 ** -119;
/** An argument that is rounded counts as many times as exp makes of it. */
const ROUNDED_ARGUMENT = 2 ** -25;
/** A difference of terms of about 1, where the gradient is near 0. */
const CANCELLED = 2 ** -23;

const bound = (ulp: number, onAny: number, absolute = UNDERFLOW): Bound => ({ ulp, onAny, absolute });

export const functionBounds: Readonly<Record<Transcendental | "pow", Bound>> = {
  exp: bound(1, 1.5),
  expm1: bound(2, 2),
  log: bound(1, 1),
  log1p: bound(1.5, 2),
  sigmoid: bound(2.5, 4.5),
  softplus: bound(2, 2.5),
  tanh: bound(1.5, 2.5),
  erf: bound(1.5, 2),
  normal_cdf: bound(4, 5.5),
  gaussian: bound(1.5, 1.5),
  rsqrt: bound(1, 1.5),
  sin: bound(3, 3),
  cos: bound(3, 3),
  pow: bound(2, 6),
};

interface OpBounds {
  readonly value: Bound;
  /** Of dx for dy = 1. */
  readonly gradient: Bound;
}

const op = (value: Bound, gradient: Bound): OpBounds => ({ value, gradient });

/** Of the ops of the catalog that are not straight pieces. */
export const opBounds: Readonly<Record<string, OpBounds>> = {
  exp: op(functionBounds.exp, functionBounds.exp),
  expm1: op(functionBounds.expm1, functionBounds.exp),
  log: op(functionBounds.log, bound(0.5, 3)),
  log1p: op(functionBounds.log1p, bound(2, 4)),
  tanh: op(functionBounds.tanh, bound(4, 8)),
  sigmoid: op(functionBounds.sigmoid, bound(4, 8)),
  erf: op(functionBounds.erf, bound(4.5, 5)),
  sin: op(functionBounds.sin, functionBounds.cos),
  cos: op(functionBounds.cos, functionBounds.sin),
  sqrt: op(bound(0.5, 5), bound(2, 8)),
  rsqrt: op(functionBounds.rsqrt, bound(2, 4)),
  reciprocal: op(bound(0.5, 3), bound(1.5, 5.5)),
  square: op(bound(0.5, 0.5), bound(0.5, 0.5)),
  pow: op(functionBounds.pow, bound(2, 8)),
  gelu: op(bound(4.5, 6), bound(4, 6, CANCELLED)),
  gelu_tanh: op(bound(4, 6, ROUNDED_ARGUMENT), bound(4, 6, CANCELLED)),
  silu: op(bound(3, 5), bound(4, 6, CANCELLED)),
  swish: op(bound(4, 6, ROUNDED_ARGUMENT), bound(4, 6, CANCELLED)),
  mish: op(bound(5, 6), bound(4, 6, CANCELLED)),
  softplus: op(bound(3, 5, ROUNDED_ARGUMENT), bound(3, 6, ROUNDED_ARGUMENT)),
  log_sigmoid: op(functionBounds.softplus, bound(2.5, 4.5)),
  elu: op(bound(2, 3), bound(2, 3)),
  celu: op(bound(3, 5), bound(3, 5, ROUNDED_ARGUMENT)),
  selu: op(bound(2, 3), bound(2, 3)),
  tanhshrink: op(bound(4.5, 6), bound(5, 7)),
  softsign: op(bound(2, 4), bound(3.5, 8)),
  hard_swish: op(bound(2, 5), bound(2, 5)),
};
