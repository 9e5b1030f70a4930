/**
 * @file The ops that Sluice knows by itself, each as one expression.
 *
 * PyTorch on the CPU is the reference: in float32 and float64 results are equal bit for bit, for every input, apart
 * from the sign and payload of NaNs. Paths under `aten/` are files of PyTorch 2.13. Two of its habits show here:
 * - `clamp`, `relu`, `relu6` and `hardtanh` compare and select (`std::max(x, lo)` returns x where both are equal), so
 *   -0 stays -0 and NaN passes; `max` of expr.ts would turn -0 into +0;
 * - a comparison with NaN is false, so the side that keeps x stands where the comparison fails.
 *
 * Where it differs on purpose:
 * - `sqrt` is correctly rounded; PyTorch built with Intel MKL is often one unit in the last place off;
 * - float16 takes every parameter as a float32; PyTorch rounds those of `add`, `sub` and `prelu` to float16 first.
 */
import { createOp } from "./definition.ts";
import * as e from "./expr.ts";

const ACTIVATION = "aten/src/ATen/native/cpu/Activation.cpp";
const CLAMP = "aten/src/ATen/native/cpu/TensorCompareKernel.cpp";
const BINARY = "aten/src/ATen/native/cpu/BinaryOpsKernel.cpp";
const UNARY = "aten/src/ATen/native/cpu/UnaryOpsKernel.cpp";

const everywhere = "all x; NaN stays NaN";
const rectified = "all x; NaN stays NaN, -0 stays -0";
const operand = { about: "The number.", aliases: ["other", "value", "scalar", "constant", "factor"] };

export const catalog = {
  leaky_relu: createOp(
    "leaky_relu",
    {
      alpha: {
        default: 0.01,
        finite: true,
        about: "Slope for x <= 0; may be above 1 or below 0.",
        aliases: ["negative_slope", "slope", "negval", "leak"],
      },
    },
    (x, { alpha }) => e.where(e.gt(x, 0), x, e.mul(alpha, x)),
    {
      aliases: ["lrelu", "leaky"],
      summary: "Leaky rectified linear unit: x above zero, alpha * x elsewhere.",
      domain: `${rectified} (for alpha >= 0)`,
      source: `PyTorch torch.nn.functional.leaky_relu (${ACTIVATION}, leaky_relu_kernel)`,
    },
  ),
  relu: createOp("relu", {}, (x) => e.where(e.lt(x, 0), 0, x), {
    aliases: ["rectifier", "rectified_linear"],
    summary: "Rectified linear unit: negative numbers become 0.",
    domain: rectified,
    source: `PyTorch torch.relu, which is clamp_min(x, 0) (${CLAMP}, clamp_min_scalar_kernel_impl)`,
  }),
  // PyTorch takes channels from axis 1; for a matrix that is the last axis, which is the one used here.
  prelu: createOp(
    "prelu",
    {
      alpha: {
        default: 0.25,
        perChannel: true,
        finite: true,
        about: "Slope for x <= 0: one number, or one per channel of the last axis.",
        aliases: ["weight", "weights", "slope", "slopes", "init", "negative_slope"],
      },
    },
    (x, { alpha }) => e.where(e.gt(x, 0), x, e.mul(alpha, x)),
    {
      aliases: ["parametric_relu"],
      summary: "Leaky ReLU whose slope is learnt, one or one per channel.",
      domain: `${rectified} (for alpha >= 0)`,
      source: `PyTorch torch.nn.functional.prelu (${ACTIVATION}, prelu_kernel); channels on the last axis`,
    },
  ),
  relu6: createOp("relu6", {}, (x) => e.clamp(x, 0, 6), {
    aliases: ["clipped_relu"],
    summary: "x kept between 0 and 6.",
    formula: "min(max(x, 0), 6)",
    domain: rectified,
    source: `PyTorch torch.nn.functional.relu6, which is hardtanh(x, 0, 6) (${CLAMP}, clamp_scalar_kernel_impl)`,
  }),
  hard_tanh: createOp(
    "hard_tanh",
    {
      min_val: { default: -1, about: "Lower bound.", aliases: ["min", "lo", "low", "min_value"] },
      max_val: {
        default: 1,
        notBelow: "min_val",
        about: "Upper bound; not below min_val.",
        aliases: ["max", "hi", "high", "max_value"],
      },
    },
    (x, { min_val, max_val }) => e.clamp(x, min_val, max_val),
    {
      aliases: ["htanh"],
      summary: "x kept between min_val and max_val.",
      formula: "min(max(x, min_val), max_val)",
      domain: rectified,
      source: `PyTorch torch.nn.functional.hardtanh (${CLAMP}, clamp_scalar_kernel_impl)`,
    },
  ),
  threshold: createOp(
    "threshold",
    {
      threshold: { about: "x must be above this to be kept.", aliases: ["theta", "limit"] },
      value: { about: "What takes the place of the rest.", aliases: ["replacement", "fill"] },
    },
    (x, { threshold, value }) => e.where(e.le(x, threshold), value, x),
    {
      summary: "x where it is above the threshold, a fixed value elsewhere.",
      domain: everywhere,
      source: `PyTorch torch.nn.functional.threshold (${ACTIVATION}, threshold_kernel)`,
    },
  ),
  add: createOp("add", { c: operand }, (x, { c }) => e.add(x, c), {
    aliases: ["plus"],
    summary: "Adds a number.",
    domain: "all x; NaN where an infinity meets its opposite",
    source: "PyTorch torch.add (aten/src/ATen/native/ufunc/add.h)",
  }),
  sub: createOp("sub", { c: operand }, (x, { c }) => e.sub(x, c), {
    aliases: ["subtract", "minus"],
    summary: "Subtracts a number.",
    domain: "all x; NaN where an infinity meets itself",
    source: "PyTorch torch.sub, which is add with alpha = -1 (aten/src/ATen/native/BinaryOps.cpp, sub_out)",
  }),
  mul: createOp("mul", { c: operand }, (x, { c }) => e.mul(x, c), {
    aliases: ["multiply", "times", "scale"],
    summary: "Multiplies by a number.",
    domain: "all x; NaN where 0 meets an infinity",
    source: `PyTorch torch.mul (${BINARY}, mul_kernel)`,
  }),
  div: createOp("div", { c: operand }, (x, { c }) => e.div(x, c), {
    aliases: ["divide", "true_divide"],
    summary: "Divides by a number; by 0 gives an infinity, as IEEE 754 says.",
    domain: "all x; NaN for 0 / 0 and for infinity / infinity",
    source: `PyTorch torch.div (${BINARY}, div_true_kernel)`,
  }),
  clamp: createOp(
    "clamp",
    {
      lo: { about: "Lower bound.", aliases: ["min", "low", "min_val", "a_min"] },
      hi: { about: "Upper bound; wins where it is below lo.", aliases: ["max", "high", "max_val", "a_max"] },
    },
    (x, { lo, hi }) => e.clamp(x, lo, hi),
    {
      aliases: ["clip", "clip_by_value"],
      summary: "x kept between lo and hi.",
      formula: "min(max(x, lo), hi)",
      domain: rectified,
      source: `PyTorch torch.clamp (${CLAMP}, clamp_scalar_kernel_impl)`,
    },
  ),
  abs: createOp("abs", {}, (x) => e.abs(x), {
    aliases: ["absolute", "fabs"],
    summary: "The absolute value: the sign bit cleared.",
    domain: everywhere,
    source: `PyTorch torch.abs (${UNARY}, abs_kernel)`,
  }),
  neg: createOp("neg", {}, (x) => e.neg(x), {
    aliases: ["negative", "negate"],
    summary: "The sign bit flipped; 0 becomes -0.",
    domain: everywhere,
    source: `PyTorch torch.neg (${UNARY}, neg_kernel)`,
  }),
  sqrt: createOp("sqrt", {}, (x) => e.sqrt(x), {
    aliases: ["square_root"],
    summary: "The square root, correctly rounded.",
    domain: "x >= 0; NaN below, -0 stays -0",
    source: `PyTorch torch.sqrt (${UNARY}, sqrt_kernel)`,
  }),
  square: createOp("square", {}, (x) => e.mul(x, x), {
    aliases: ["sqr", "pow2"],
    summary: "x times itself.",
    domain: everywhere,
    source: "PyTorch torch.square (aten/src/ATen/native/UnaryOps.cpp, square; cpu/PowKernel.cpp)",
  }),
  reciprocal: createOp("reciprocal", {}, (x) => e.reciprocal(x), {
    aliases: ["inverse", "inv", "recip"],
    summary: "One over x; 0 gives an infinity of its sign.",
    domain: everywhere,
    source: `PyTorch torch.reciprocal (${UNARY}, reciprocal_kernel)`,
  }),
  floor: createOp("floor", {}, (x) => e.floor(x), {
    summary: "The nearest whole number that is not above x.",
    domain: rectified,
    source: `PyTorch torch.floor (${UNARY}, floor_kernel)`,
  }),
  ceil: createOp("ceil", {}, (x) => e.ceil(x), {
    aliases: ["ceiling"],
    summary: "The nearest whole number that is not below x.",
    domain: rectified,
    source: `PyTorch torch.ceil (${UNARY}, ceil_kernel)`,
  }),
  round: createOp("round", {}, (x) => e.round(x), {
    aliases: ["rint", "nearbyint"],
    summary: "The nearest whole number; halves go to the even one.",
    domain: rectified,
    source: `PyTorch torch.round (${UNARY}, round_kernel)`,
  }),
} as const;
