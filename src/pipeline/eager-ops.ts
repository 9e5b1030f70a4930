/**
 * @file The catalog's ops as functions: on arrays, and on expressions to define further ops from.
 *
 * What takes several operands is a builder of expressions alone, in `ops/expr.ts`: `add`, `pow`, `clamp` and their like.
 * Each docstring is the op's signature and summary in the catalog; what all of them take, give and throw is at `EagerOp`.
 *
 * ```ts
 * const y = gelu(new Float32Array([-1, 0, 2]));
 * const rows = softmax(new Float32Array([1, 2, 3, 4]), { rowLength: 2 });
 * ```
 */
import { catalog } from "../ops/catalog/index.ts";
import { eager } from "./eager.ts";

/** `leaky_relu(alpha=0.01)`: Leaky rectified linear unit: x above zero, alpha * x elsewhere. */
export const leakyRelu = eager(catalog.leaky_relu);
/** `prelu(alpha=0.25, axis=-1)`: Leaky ReLU whose slope is learned, one or one per channel. */
// No one learns the axis.
export const prelu = eager<"alpha" | "axis", "alpha">(catalog.prelu);
/** `rrelu(lower=0.125, upper=0.3333333333333333)`: Leaky ReLU trained with random slopes; here, as in inference, their middle. */
export const rrelu = eager(catalog.rrelu);
/** `relu`: Rectified linear unit: negative numbers become 0. */
export const relu = eager(catalog.relu);
/** `relu6`: x kept between 0 and 6. */
export const relu6 = eager(catalog.relu6);
/** `hard_tanh(min_val=-1, max_val=1)`: x kept between min_val and max_val. */
export const hardTanh = eager(catalog.hard_tanh);
/** `threshold(threshold, value)`: x where it is above the threshold, a fixed value elsewhere. */
export const threshold = eager(catalog.threshold);
/** `hard_sigmoid`: The sigmoid as a straight line between -3 and 3. */
export const hardSigmoid = eager(catalog.hard_sigmoid);
/** `softshrink(lambd=0.5)`: x moved towards 0 by lambd, and 0 where it would pass it. */
export const softshrink = eager(catalog.softshrink);
/** `hardshrink(lambd=0.5)`: 0 within lambd of 0, x elsewhere. */
export const hardshrink = eager(catalog.hardshrink);
/** `sigmoid`: The logistic function, from 0 to 1. */
export const sigmoid = eager(catalog.sigmoid);
/** `log_sigmoid`: The logarithm of the sigmoid, without its underflow. */
export const logSigmoid = eager(catalog.log_sigmoid);
/** `tanh`: The hyperbolic tangent, from -1 to 1. */
export const tanh = eager(catalog.tanh);
/** `tanhshrink`: What tanh takes away from x. */
export const tanhshrink = eager(catalog.tanhshrink);
/** `softsign`: x divided by 1 + abs(x), from -1 to 1. */
export const softsign = eager(catalog.softsign);
/** `softplus(beta=1, threshold=20)`: A smooth ReLU. */
export const softplus = eager(catalog.softplus);
/** `silu`: x times its sigmoid. */
export const silu = eager(catalog.silu);
/** `swish(beta=1)`: x times the sigmoid of beta * x; silu for beta = 1. */
export const swish = eager(catalog.swish);
/** `mish`: x times the tanh of its softplus. */
export const mish = eager(catalog.mish);
/** `gelu`: x times the normal distribution function: the exact form, with erf. */
export const gelu = eager(catalog.gelu);
/** `gelu_tanh`: GELU with tanh in place of erf. */
export const geluTanh = eager(catalog.gelu_tanh);
/** `elu(alpha=1)`: x above zero, a falling exponential below. */
export const elu = eager(catalog.elu);
/** `selu`: ELU scaled so that deep networks normalise themselves. */
export const selu = eager(catalog.selu);
/** `celu(alpha=1)`: ELU without a kink, whatever alpha is. */
export const celu = eager(catalog.celu);
/** `hard_swish`: x times its hard_sigmoid. */
export const hardSwish = eager(catalog.hard_swish);
/** `abs`: The absolute value: the sign bit cleared. */
export const abs = eager(catalog.abs);
/** `neg`: The sign bit flipped; 0 becomes -0. */
export const neg = eager(catalog.neg);
/** `sign`: 1 above zero, -1 below, 0 at zero. */
export const sign = eager(catalog.sign);
/** `floor`: The nearest whole number that is not above x. */
export const floor = eager(catalog.floor);
/** `ceil`: The nearest whole number that is not below x. */
export const ceil = eager(catalog.ceil);
/** `round`: The nearest whole number; halves go to the even one. */
export const round = eager(catalog.round);
/** `exp`: The exponential function. */
export const exp = eager(catalog.exp);
/** `expm1`: exp(x) - 1, exact near 0. */
export const expm1 = eager(catalog.expm1);
/** `log`: The natural logarithm. */
export const log = eager(catalog.log);
/** `log1p`: log(1 + x), exact near 0. */
export const log1p = eager(catalog.log1p);
/** `erf`: The error function. */
export const erf = eager(catalog.erf);
/** `sqrt`: The square root, correctly rounded. */
export const sqrt = eager(catalog.sqrt);
/** `rsqrt`: One over the square root. */
export const rsqrt = eager(catalog.rsqrt);
/** `square`: x times itself. */
export const square = eager(catalog.square);
/** `reciprocal`: One over x; 0 gives an infinity of its sign. */
export const reciprocal = eager(catalog.reciprocal);
/** `sin`: The sine of x radians. */
export const sin = eager(catalog.sin);
/** `cos`: The cosine of x radians. */
export const cos = eager(catalog.cos);
/** `softmax`: Exponentials of a row, divided by their sum: positive, and 1 together. */
export const softmax = eager(catalog.softmax);
/** `log_softmax`: The logarithm of softmax, exact where softmax is near 0 or 1. */
export const logSoftmax = eager(catalog.log_softmax);
/** `l2_normalize(eps=1e-12)`: A row divided by its Euclidean length. */
export const l2Normalize = eager(catalog.l2_normalize);
/** `layer_norm(eps=0.00001)`: A row with its mean subtracted, divided by its standard deviation. No learned scale and shift. */
export const layerNorm = eager(catalog.layer_norm);
