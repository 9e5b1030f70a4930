/** @file Every function of the expression language as arithmetic in float32, the only type a WebGPU device computes in. */
import type { Num, Transcendental } from "../../ops/expr.ts";
import { Interner } from "../../ops/intern.ts";
import { rewrite } from "../../ops/rewrite.ts";
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

export const isFunction = (fn: string): fn is Transcendental => Object.hasOwn(functions, fn);

/** `output` without functions, and with equal parts shared. */
export function expandFloat32(output: Num): Num {
  const expanded = rewrite(output, (node) => {
    if (node.kind === "binary" && node.fn === "pow") return pow(node.a, node.b);
    if (node.kind !== "unary") return node;
    if (node.fn === "detach") return node.x;
    return isFunction(node.fn) ? functions[node.fn](node.x) : node;
  });
  return new Interner().copy(expanded, (leaf) => leaf);
}
