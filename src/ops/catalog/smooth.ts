/**
 * @file Smooth activations. Each is written so that neither its value nor the derivative that the rules make of it
 * cancels or overflows.
 *
 * An infinity times a factor that has become 0 would be NaN, where the limit is finite. So x is kept from infinity where
 * it meets such a factor, by `where`, whose derivative is chosen the same way. PyTorch gives NaN there.
 */
import { createOp } from "../definition.ts";
import * as e from "../expr.ts";
import { polynomial } from "../functions/polynomial.ts";
import { composite, differentIn64, elementaryFunction, stepwise } from "./accuracy.ts";
import { ACTIVATION, everywhere, rectified } from "./sources.ts";

/**
 * x * gate(x), for a gate that is 0 in float64 from -far down and 1 from far up: the derivative of what is beyond is
 * exactly 0 or 1. The value needs no care far up, where it is x anyway.
 */
function gated(x: e.Num, far: number, gate: (x: e.Num) => e.Num, quickGate = gate): e.Num {
  const near = e.where(e.lt(x, -far), -far, x);
  const form = e.where(e.gt(x, far), x, e.mul(near, gate(near)));
  return e.derivedAs(e.mul(near, quickGate(near)), form);
}

/** tanh(log(1 + exp(x))), as a quotient in E = exp(-abs(x)). */
function mishGate(x: e.Num): e.Num {
  const small = e.exp(e.where(e.lt(x, 0), x, e.neg(x)));
  const square = e.mul(small, small);
  const left = e.add(square, e.mul(2, small));
  const right = e.mul(2, square);
  return e.where(
    e.lt(x, 0),
    e.div(left, e.add(left, 2)),
    e.sub(1, e.div(right, e.add(right, e.add(e.mul(2, small), 1)))),
  );
}

/** The same with one exponential, n, for values alone: n * (n + 2) / (n * (n + 2) + 2), which is 1 from x = 20 on. */
function quickMishGate(x: e.Num): e.Num {
  const power = e.exp(e.where(e.gt(x, 20), 20, x));
  const product = e.mul(power, e.add(power, 2));
  return e.div(product, e.add(product, 2));
}

/** The argument of the tanh in the approximation of GELU, doubled: 0.5 * (1 + tanh(u)) is sigmoid(2u). */
const GELU_LINEAR = 2 * Math.sqrt(2 / Math.PI);
const geluArgument = (x: e.Num): e.Num =>
  e.mul(x, e.add(GELU_LINEAR, e.mul(0.044715 * GELU_LINEAR, e.mul(x, x))));

/** x * normal_cdf(x) as max(x, -0) - |x| * (the tail beyond |x|), which is 0 beyond 40; -0 stays, and comes from below. */
function quickGelu(x: e.Num): e.Num {
  const size = e.where(e.gt(e.abs(x), 40), 40, e.abs(x));
  return e.sub(e.where(e.lt(x, -0), -0, x), e.mul(size, e.normalCdf(e.neg(size))));
}

/** expm1(x) for x <= 0, and 0 above. */
const expm1Below0 = (x: e.Num): e.Num => e.expm1(e.where(e.gt(x, 0), 0, x));

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;
/** Of the constants themselves, 1.75809934084737685994..., not of their float64. */
const SELU_PRODUCT = 1.7580993408473768;

const gate = "all x; NaN stays NaN, -infinity becomes -0";

export const smooth = {
  sigmoid: createOp("sigmoid", {}, (x) => e.sigmoid(x), {
    aliases: ["logistic", "expit"],
    summary: "The logistic function, from 0 to 1.",
    formula: "1 / (1 + exp(-x))",
    gradient: "sigmoid(x) * sigmoid(-x)",
    accuracy: elementaryFunction,
    domain: `${everywhere}, the infinities become 0 and 1`,
    source: "PyTorch torch.sigmoid (aten/src/ATen/native/cpu/UnaryOpsKernel.cpp, sigmoid_kernel)",
  }),
  // A difference rather than neg: +infinity becomes 0, as in PyTorch, not -0.
  log_sigmoid: createOp("log_sigmoid", {}, (x) => e.sub(0, e.softplus(e.neg(x))), {
    aliases: ["logsigmoid"],
    summary: "The logarithm of the sigmoid, without its underflow.",
    formula: "-log(1 + exp(-x))",
    gradient: "sigmoid(-x)",
    accuracy: composite,
    domain: `${everywhere}, infinity becomes 0`,
    source: `PyTorch torch.nn.functional.logsigmoid (${ACTIVATION}, log_sigmoid_cpu_kernel)`,
  }),
  tanh: createOp("tanh", {}, (x) => e.tanh(x), {
    aliases: ["hyperbolic_tangent"],
    summary: "The hyperbolic tangent, from -1 to 1.",
    gradient: "1 - tanh(x)^2, as 4 * sigmoid(2 * x) * sigmoid(-2 * x)",
    accuracy: elementaryFunction,
    domain: `${rectified}, the infinities become -1 and 1`,
    source: "PyTorch torch.tanh (aten/src/ATen/native/cpu/UnaryOpsKernel.cpp, tanh_kernel)",
  }),
  tanhshrink: createOp(
    "tanhshrink",
    {},
    (x) => e.where(e.lt(e.abs(x), 1.5), shrinkNearZero(x), e.sub(x, e.tanh(x))),
    {
      aliases: ["tanh_shrink"],
      summary: "What tanh takes away from x.",
      formula: "x - tanh(x)",
      gradient: "tanh(x)^2",
      accuracy: differentIn64("at most 4, gradient 4"),
      domain: rectified,
      source: "PyTorch torch.nn.functional.tanhshrink (torch/nn/functional.py)",
    },
  ),
  softsign: createOp(
    "softsign",
    {},
    (x) => {
      const sign = e.where(e.lt(x, 0), -1, 1);
      const value = e.where(e.gt(e.abs(x), 2 ** 60), sign, e.div(x, e.add(e.abs(x), 1)));
      // 1 / (1 - x) and 1 - 1 / (1 + x) are the two halves, but for a constant, and their derivatives do not cancel.
      return e.derivedAs(value, e.where(e.lt(x, 0), e.div(1, e.sub(1, x)), e.div(-1, e.add(1, x))));
    },
    {
      aliases: ["soft_sign"],
      summary: "x divided by 1 + abs(x), from -1 to 1.",
      formula: "x / (abs(x) + 1)",
      gradient: "1 / (1 + abs(x))^2",
      accuracy: stepwise,
      domain: `${rectified}, the infinities become -1 and 1`,
      source:
        "PyTorch torch.nn.functional.softsign (torch/nn/functional.py), which gives NaN for the infinities",
    },
  ),
  softplus: createOp(
    "softplus",
    {
      beta: {
        default: 1,
        finite: true,
        nonZero: true,
        about: "How sharp the bend is.",
        aliases: ["sharpness"],
      },
      threshold: { default: 20, about: "Where beta * x is above this, the result is x.", aliases: ["limit"] },
    },
    (x, { beta, threshold }) => {
      const scaled = e.mul(beta, x);
      return e.where(e.gt(scaled, threshold), x, e.div(e.softplus(scaled), beta));
    },
    {
      aliases: ["soft_plus", "smooth_relu"],
      summary: "A smooth ReLU.",
      formula: "beta * x > threshold ? x : log(1 + exp(beta * x)) / beta",
      gradient:
        "sigmoid(beta * x); by beta: x * sigmoid(beta * x) / beta - softplus(x) / beta; 1 and 0 above the threshold",
      accuracy: composite,
      domain: `${everywhere}, -infinity becomes 0`,
      source: `PyTorch torch.nn.functional.softplus (${ACTIVATION}, softplus_kernel)`,
    },
  ),
  silu: createOp("silu", {}, (x) => gated(x, 800, e.sigmoid), {
    aliases: ["sil", "sigmoid_linear_unit"],
    summary: "x times its sigmoid.",
    formula: "x * sigmoid(x)",
    gradient: "sigmoid(x) * (1 + x * sigmoid(-x))",
    accuracy: differentIn64("at most 4, gradient 8; up to 400 below x = -708"),
    domain: gate,
    source: `PyTorch torch.nn.functional.silu (${ACTIVATION}, silu_kernel)`,
  }),
  swish: createOp(
    "swish",
    { beta: { default: 1, finite: true, about: "How sharp the bend is.", aliases: ["alpha", "a"] } },
    (x, { beta }) => {
      const scaled = e.mul(beta, x);
      const zero = e.where(e.lt(x, 0), -0, 0);
      const value = e.where(e.lt(scaled, -800), zero, e.mul(x, e.sigmoid(scaled)));
      return e.where(e.gt(scaled, 800), x, value);
    },
    {
      aliases: ["swish1"],
      summary: "x times the sigmoid of beta * x; silu for beta = 1.",
      formula: "x * sigmoid(beta * x)",
      gradient:
        "sigmoid(beta * x) * (1 + beta * x * sigmoid(-beta * x)); by beta: x^2 * sigmoid(beta * x) * sigmoid(-beta * x)",
      accuracy: differentIn64("as silu for beta = 1; else up to 800 where beta * x is far below 0"),
      domain: `${gate} (for beta > 0); the infinities become NaN for beta = 0`,
      source:
        "TensorFlow tf.nn.silu(features, beta=1.0), also tf.nn.swish (tensorflow/python/ops/nn_impl.py)",
    },
  ),
  mish: createOp("mish", {}, (x) => gated(x, 800, mishGate, quickMishGate), {
    summary: "x times the tanh of its softplus.",
    formula: "x * tanh(softplus(x))",
    gradient: "tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x))^2)",
    accuracy: differentIn64("at most 4, gradient 8; up to 400 below x = -708"),
    domain: gate,
    source: `PyTorch torch.nn.functional.mish (${ACTIVATION}, mish_kernel)`,
  }),
  gelu: createOp("gelu", {}, (x) => e.derivedAs(quickGelu(x), gated(x, 40, e.normalCdf)), {
    aliases: ["gaussian_error_linear_unit", "gelu_exact", "gelu_none"],
    summary: "x times the normal distribution function: the exact form, with erf.",
    formula: "x * (1 + erf(x / sqrt(2))) / 2",
    gradient: "normal_cdf(x) + x * exp(-x^2 / 2) / sqrt(2 * pi)",
    accuracy: differentIn64("at most 3, gradient 5; up to 32 below x = -37"),
    domain: gate,
    source: `PyTorch torch.nn.functional.gelu with approximate="none" (${ACTIVATION}, GeluKernelImpl)`,
  }),
  gelu_tanh: createOp("gelu_tanh", {}, (x) => gated(x, 25, (near) => e.sigmoid(geluArgument(near))), {
    aliases: ["gelu_new", "gelu_approximate", "gelu_pytorch_tanh"],
    summary: "GELU with tanh in place of erf.",
    formula: "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))",
    gradient: "s + x * s * (1 - s) * 2 * sqrt(2 / pi) * (1 + 0.134145 * x^2), for s = gelu_tanh(x) / x",
    accuracy: differentIn64("at most 3 from x = -1 on, gradient 10 from -2 on; below they grow, to 2000"),
    domain: gate,
    source: `PyTorch torch.nn.functional.gelu with approximate="tanh" (${ACTIVATION}, GeluKernelImpl)`,
  }),
  elu: createOp(
    "elu",
    { alpha: { default: 1, finite: true, about: "The result is above -alpha.", aliases: ["a"] } },
    (x, { alpha }) =>
      e.derivedAs(
        e.where(e.le(x, 0), e.mul(alpha, expm1Below0(x)), x),
        e.where(e.le(x, 0), e.mul(alpha, e.expm1(x)), x),
      ),
    {
      aliases: ["exponential_linear_unit"],
      summary: "x above zero, a falling exponential below.",
      formula: "x <= 0 ? alpha * expm1(x) : x",
      gradient: "x > 0 ? 1 : alpha * exp(x), 1 at NaN; by alpha: x > 0 ? 0 : expm1(x)",
      accuracy: composite,
      domain: `${rectified} (for alpha >= 0), -infinity becomes -alpha`,
      source: `PyTorch torch.nn.functional.elu (${ACTIVATION}, elu_kernel)`,
    },
  ),
  selu: createOp(
    "selu",
    {},
    (x) =>
      e.derivedAs(
        e.where(e.le(x, 0), e.mul(SELU_PRODUCT, expm1Below0(x)), e.mul(SELU_SCALE, x)),
        e.where(e.le(x, 0), e.mul(SELU_PRODUCT, e.expm1(x)), e.mul(SELU_SCALE, x)),
      ),
    {
      aliases: ["scaled_exponential_linear_unit"],
      summary: "ELU scaled so that deep networks normalise themselves.",
      formula: `${SELU_SCALE} * (x > 0 ? x : ${SELU_ALPHA} * expm1(x))`,
      gradient: `${SELU_SCALE} * (x > 0 ? 1 : ${SELU_ALPHA} * exp(x))`,
      accuracy: composite,
      domain: `${rectified}, -infinity becomes -1.758`,
      source: "PyTorch torch.selu (aten/src/ATen/native/Activation.cpp, selu)",
    },
  ),
  celu: createOp(
    "celu",
    {
      alpha: {
        default: 1,
        finite: true,
        nonZero: true,
        about: "The result is above -alpha, where it is positive.",
        aliases: ["a"],
      },
    },
    (x, { alpha }) => e.where(e.le(x, 0), e.mul(alpha, e.expm1(e.div(x, alpha))), x),
    {
      aliases: ["continuously_differentiable_elu"],
      summary: "ELU without a kink, whatever alpha is.",
      gradient:
        "x > 0 ? 1 : exp(x / alpha), 1 at NaN; by alpha: x > 0 ? 0 : expm1(x / alpha) - x / alpha * exp(x / alpha)",
      accuracy: composite,
      domain: `${rectified}, -infinity becomes -alpha`,
      source:
        "PyTorch torch.celu, which is elu with input_scale = 1 / alpha (aten/src/ATen/native/Activation.cpp)",
    },
  ),
  hard_swish: createOp(
    "hard_swish",
    {},
    (x) => e.where(e.le(x, -3), -0, e.where(e.ge(x, 3), x, e.div(e.mul(x, e.add(x, 3)), 6))),
    {
      aliases: ["hswish", "hard_silu"],
      summary: "x times its hard_sigmoid.",
      formula: "x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6",
      gradient: "x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6",
      accuracy: stepwise,
      domain: `${rectified}, -infinity becomes -0`,
      source: `PyTorch torch.nn.functional.hardswish (${ACTIVATION}, hardswish_kernel)`,
    },
  ),
} as const;

/**
 * x - tanh(x) below 1.5 in size, where the difference would cancel: the tenth convergent of Lambert's continued fraction,
 * tanh(x) = x / (1 + x^2 / (3 + x^2 / (5 + ...))), whose relative error is below 2^-60. All terms are positive.
 */
function shrinkNearZero(x: e.Num): e.Num {
  const z = e.mul(x, x);
  const above = polynomial(z, [4583103525, 349188840, 6891885, 42900, 65]);
  const below = polynomial(z, [13749310575, 6547290750, 413513100, 7567560, 45045, 66]);
  return e.mul(x, e.div(e.mul(z, above), below));
}
