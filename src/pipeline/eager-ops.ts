/**
 * @file The catalog's ops as functions: on arrays, and on expressions to define further ops from.
 *
 * What takes several operands is a builder of expressions alone, in `ops/expr.ts`: `add`, `pow`, `clamp` and their like.
 */
import { catalog } from "../ops/catalog/index.ts";
import { eager } from "./eager.ts";

export const leakyRelu = eager(catalog.leaky_relu);
// No one learns the axis.
export const prelu = eager<"alpha" | "axis", "alpha">(catalog.prelu);
export const rrelu = eager(catalog.rrelu);
export const relu = eager(catalog.relu);
export const relu6 = eager(catalog.relu6);
export const hardTanh = eager(catalog.hard_tanh);
export const threshold = eager(catalog.threshold);
export const hardSigmoid = eager(catalog.hard_sigmoid);
export const softshrink = eager(catalog.softshrink);
export const hardshrink = eager(catalog.hardshrink);
export const sigmoid = eager(catalog.sigmoid);
export const logSigmoid = eager(catalog.log_sigmoid);
export const tanh = eager(catalog.tanh);
export const tanhshrink = eager(catalog.tanhshrink);
export const softsign = eager(catalog.softsign);
export const softplus = eager(catalog.softplus);
export const silu = eager(catalog.silu);
export const swish = eager(catalog.swish);
export const mish = eager(catalog.mish);
export const gelu = eager(catalog.gelu);
export const geluTanh = eager(catalog.gelu_tanh);
export const elu = eager(catalog.elu);
export const selu = eager(catalog.selu);
export const celu = eager(catalog.celu);
export const hardSwish = eager(catalog.hard_swish);
export const abs = eager(catalog.abs);
export const neg = eager(catalog.neg);
export const sign = eager(catalog.sign);
export const floor = eager(catalog.floor);
export const ceil = eager(catalog.ceil);
export const round = eager(catalog.round);
export const exp = eager(catalog.exp);
export const expm1 = eager(catalog.expm1);
export const log = eager(catalog.log);
export const log1p = eager(catalog.log1p);
export const erf = eager(catalog.erf);
export const sqrt = eager(catalog.sqrt);
export const rsqrt = eager(catalog.rsqrt);
export const square = eager(catalog.square);
export const reciprocal = eager(catalog.reciprocal);
export const sin = eager(catalog.sin);
export const cos = eager(catalog.cos);
export const softmax = eager(catalog.softmax);
export const logSoftmax = eager(catalog.log_softmax);
export const l2Normalize = eager(catalog.l2_normalize);
export const layerNorm = eager(catalog.layer_norm);
