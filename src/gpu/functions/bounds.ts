/**
 * @file How far results on a GPU may be from the true value, in units in the last place (ulp) of float32. The tests measure
 * it, step by step in JavaScript and on the software adapter; docs/gpu.md is its text.
 *
 * Results that are no normal numbers, and what is made of them, may be 0: devices take subnormal numbers for 0.
 */
import type { Transcendental } from "../../ops/expr.ts";

/** At most `ulp` units in the last place of the true value, and `absolute` beside, where terms cancel or arguments are rounded. */
export interface Bound {
  readonly ulp: number;
  readonly absolute: number;
}

/** What the underflow of a factor takes away at most: that of sigmoid, at x = -87.3, times x. */
export const UNDERFLOW = 2 ** -119;

const bound = (ulp: number, absolute = UNDERFLOW): Bound => ({ ulp, absolute });

/** Of a device that rounds quotients and roots correctly, as the software adapter does. */
export const functionBounds: Readonly<Record<Transcendental | "pow", Bound>> = {
  exp: bound(1),
  expm1: bound(2),
  log: bound(1),
  log1p: bound(1.5),
  sigmoid: bound(2),
  softplus: bound(2),
  tanh: bound(1.5),
  erf: bound(1.5),
  normal_cdf: bound(4),
  gaussian: bound(1.5),
  rsqrt: bound(1),
  sin: bound(3),
  cos: bound(3),
  pow: bound(2),
};

/** An argument that is rounded counts as many times as exp makes of it. */
const ROUNDED_ARGUMENT = 2 ** -25;
/** A difference of terms of about 1, where the gradient is near 0. */
const CANCELLED = 2 ** -23;

interface OpBounds {
  readonly value: Bound;
  /** Of dx for dy = 1. */
  readonly gradient: Bound;
}

const op = (value: Bound, gradient: Bound): OpBounds => ({ value, gradient });

/** Of the ops of the catalog that are not straight pieces, on the same device. */
export const opBounds: Readonly<Record<string, OpBounds>> = {
  exp: op(bound(1), bound(1)),
  expm1: op(bound(2), bound(1)),
  log: op(bound(1), bound(0.5)),
  log1p: op(bound(1.5), bound(1.5)),
  tanh: op(bound(1.5), bound(4)),
  sigmoid: op(bound(2), bound(4)),
  erf: op(bound(1.5), bound(4.5)),
  sin: op(bound(3), bound(3)),
  cos: op(bound(3), bound(3)),
  sqrt: op(bound(0.5), bound(2)),
  rsqrt: op(bound(1), bound(2)),
  reciprocal: op(bound(0.5), bound(2)),
  square: op(bound(0.5), bound(0.5)),
  pow: op(bound(2), bound(2)),
  gelu: op(bound(4), bound(4, CANCELLED)),
  gelu_tanh: op(bound(4, ROUNDED_ARGUMENT), bound(4, CANCELLED)),
  silu: op(bound(4), bound(4, CANCELLED)),
  swish: op(bound(4, ROUNDED_ARGUMENT), bound(4, CANCELLED)),
  mish: op(bound(4), bound(4, CANCELLED)),
  softplus: op(bound(4, ROUNDED_ARGUMENT), bound(4, ROUNDED_ARGUMENT)),
  log_sigmoid: op(bound(2), bound(2)),
  elu: op(bound(2), bound(2)),
  celu: op(bound(3), bound(4, ROUNDED_ARGUMENT)),
  selu: op(bound(2), bound(2)),
  tanhshrink: op(bound(4), bound(4.5)),
  softsign: op(bound(2), bound(3)),
  hard_swish: op(bound(2), bound(2)),
};

/**
 * The same on any device that keeps WGSL's rules, where a quotient may be off by 2.5 ulp, a root by 4.5, and products that
 * are added need not be rounded (WGSL, section 15.7.4).
 */
export const onAnyDevice = ({ ulp, absolute }: Bound): Bound => ({
  ulp: 2 * ulp + 4,
  absolute: 2 * absolute,
});
