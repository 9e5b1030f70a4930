/** @file Every function of the expression language, as arithmetic in float64. */

import type { Precision } from "../expand.ts";
import { div, type Num, sqrt, type Transcendental } from "../expr.ts";
import { cos } from "./cos.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { expm1 } from "./expm1.ts";
import { gaussian } from "./gaussian.ts";
import { log } from "./log.ts";
import { log1p } from "./log1p.ts";
import { normalCdf } from "./normal-cdf.ts";
import { sigmoid } from "./sigmoid.ts";
import { sin } from "./sin.ts";
import { softplus } from "./softplus.ts";
import { tanh } from "./tanh.ts";

/** Gives `fn(x)` as arithmetic. It may use `x` many times: equal parts are shared afterwards. */
export type Expansion = (x: Num, precision: Precision) => Num;

export const functions: Readonly<Record<Transcendental, Expansion>> = {
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
  rsqrt: (x) => div(1, sqrt(x)),
  sin,
  cos,
};

export { pow } from "./pow.ts";
