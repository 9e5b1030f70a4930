/** @file Every function of the expression language as arithmetic in float32, the only type a WebGPU device computes in. */
import type { Num, Transcendental } from "../../ops/expr.ts";
import { cos, sin } from "./angle.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { expm1 } from "./expm1.ts";
import { log, log1p } from "./log.ts";
import { gaussian, normalCdf } from "./normal.ts";
import { pow } from "./pow.ts";
import { rsqrt } from "./rsqrt.ts";
import { sigmoid } from "./sigmoid.ts";
import { softplus } from "./softplus.ts";
import { tanh } from "./tanh.ts";

export const functions: Readonly<Record<Transcendental, (x: Num) => Num>> = {
  exp,
  expm1,
  log,
  log1p,
  sigmoid,
  softplus,
  tanh,
  erf,
  normal_cdf: normalCdf,
  gaussian,
  rsqrt,
  sin,
  cos,
};

export { pow };
