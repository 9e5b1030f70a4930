/**
 * @file Activations of straight pieces. Forward and gradient have the bits of PyTorch on the CPU, kinks and NaN included.
 *
 * A kink has no derivative: each framework chooses, and `derivedAs` says what PyTorch chose. At NaN its vector code and
 * the loop for the last few elements differ for `relu6`, `hard_tanh`, `softshrink` and `hardshrink` (no gradient, and all
 * of it): here it is what the vector code gives, for an element's neighbours must not matter.
 */
import { createOp } from "../definition.ts";
import * as e from "../expr.ts";
import { bits, bitsWithParameter } from "./accuracy.ts";
import { ACTIVATION, CLAMP, everywhere, rectified } from "./sources.ts";

const leak = (x: e.Num, slope: e.Num): e.Num => e.where(e.gt(x, 0), x, e.mul(slope, x));

/** Bounds that have no gradient themselves, and none at NaN. */
function hardClamp(x: e.Num, lo: e.Operand, hi: e.Operand): e.Num {
  const below = e.where(e.le(x, lo), lo, e.detach(x));
  return e.derivedAs(e.clamp(x, lo, hi), e.where(e.ge(x, hi), hi, e.where(e.gt(x, lo), x, below)));
}

/** 0 within `lambd` of 0, and `tails` beyond; no gradient at NaN. */
const shrink = (x: e.Num, lambd: e.Num, tails: e.Num): e.Num =>
  e.derivedAs(e.where(e.le(e.abs(x), lambd), 0, tails), e.where(e.gt(e.abs(x), lambd), tails, 0));

const lambd = {
  default: 0.5,
  about: "Where the flat part ends, on both sides.",
  aliases: ["lambda", "lambda_", "lower", "threshold"],
} as const;

export const piecewise = {
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
    (x, { alpha }) => leak(x, alpha),
    {
      aliases: ["lrelu", "leaky"],
      summary: "Leaky rectified linear unit: x above zero, alpha * x elsewhere.",
      gradient: "x > 0 ? 1 : alpha; by alpha: x > 0 ? 0 : x",
      accuracy: bits,
      domain: `${rectified} (for alpha >= 0)`,
      source: `PyTorch torch.nn.functional.leaky_relu (${ACTIVATION}, leaky_relu_kernel)`,
    },
  ),
  prelu: createOp(
    "prelu",
    {
      alpha: {
        default: 0.25,
        perChannel: true,
        finite: true,
        about: "Slope for x <= 0: one number, or one per channel.",
        aliases: ["weight", "weights", "slope", "slopes", "init", "negative_slope"],
      },
      axis: {
        default: -1,
        channelAxis: true,
        about:
          "Of the tensor, the axis whose channels have a slope each; counted from the end where it is below 0.",
        aliases: ["dim", "channel_axis", "shared_axes"],
      },
    },
    (x, { alpha }) => leak(x, alpha),
    {
      aliases: ["parametric_relu"],
      summary: "Leaky ReLU whose slope is learned, one or one per channel.",
      gradient: "x > 0 ? 1 : alpha; by alpha: x > 0 ? 0 : x, added over its channel",
      accuracy: bitsWithParameter,
      domain: `${rectified} (for alpha >= 0)`,
      source: `PyTorch torch.nn.functional.prelu (${ACTIVATION}, prelu_kernel), where the channels are axis 1`,
    },
  ),
  rrelu: createOp(
    "rrelu",
    {
      lower: { default: 1 / 8, finite: true, about: "Least slope in training.", aliases: ["min"] },
      upper: {
        default: 1 / 3,
        finite: true,
        notBelow: "lower",
        about: "Largest slope in training.",
        aliases: ["max"],
      },
    },
    (x, { lower, upper }) => leak(x, e.div(e.add(lower, upper), 2)),
    {
      aliases: ["randomized_leaky_relu", "randomized_relu"],
      summary: "Leaky ReLU trained with random slopes; here, as in inference, their middle.",
      gradient: "x > 0 ? 1 : (lower + upper) / 2; by lower and by upper: x > 0 ? 0 : x / 2",
      accuracy: bits,
      domain: `${rectified} (for slopes >= 0)`,
      source:
        "PyTorch torch.nn.functional.rrelu with training=False (aten/src/ATen/native/Activation.cpp, rrelu_with_noise_out_cpu)",
    },
  ),
  relu: createOp("relu", {}, (x) => e.derivedAs(e.where(e.lt(x, 0), 0, x), e.where(e.le(x, 0), 0, x)), {
    aliases: ["rectifier", "rectified_linear"],
    summary: "Rectified linear unit: negative numbers become 0.",
    gradient: "x > 0 ? 1 : 0; 1 at NaN",
    accuracy: bits,
    domain: rectified,
    source: `PyTorch torch.relu, which is clamp_min(x, 0) (${CLAMP}, clamp_min_scalar_kernel_impl)`,
  }),
  relu6: createOp("relu6", {}, (x) => hardClamp(x, 0, 6), {
    aliases: ["clipped_relu"],
    summary: "x kept between 0 and 6.",
    formula: "min(max(x, 0), 6)",
    gradient: "0 < x < 6 ? 1 : 0",
    accuracy: bits,
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
    (x, { min_val, max_val }) => hardClamp(x, min_val, max_val),
    {
      aliases: ["htanh"],
      summary: "x kept between min_val and max_val.",
      formula: "min(max(x, min_val), max_val)",
      gradient:
        "min_val < x < max_val ? 1 : 0; by min_val: x <= min_val ? 1 : 0; by max_val: x >= max_val ? 1 : 0",
      accuracy: bits,
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
      gradient: "x > threshold ? 1 : 0, 1 at NaN; by threshold: 0; by value: x <= threshold ? 1 : 0",
      accuracy: bits,
      domain: everywhere,
      source: `PyTorch torch.nn.functional.threshold (${ACTIVATION}, threshold_kernel)`,
    },
  ),
  hard_sigmoid: createOp(
    "hard_sigmoid",
    {},
    (x) => {
      // PyTorch divides by 6, but multiplies the gradient by the rounded 1/6.
      const slope = e.where(e.gt(x, -3), e.where(e.lt(x, 3), e.mul(1 / 6, x), 0), 0);
      return e.derivedAs(e.div(e.clamp(e.add(x, 3), 0, 6), 6), slope);
    },
    {
      aliases: ["hsigmoid"],
      summary: "The sigmoid as a straight line between -3 and 3.",
      formula: "min(max(x + 3, 0), 6) / 6",
      gradient: "-3 < x < 3 ? 1 / 6 : 0",
      accuracy: bits,
      domain: everywhere,
      source: `PyTorch torch.nn.functional.hardsigmoid (${ACTIVATION}, hardsigmoid_kernel)`,
    },
  ),
  softshrink: createOp(
    "softshrink",
    { lambd: { ...lambd, notNegative: true } },
    (x, { lambd }) => shrink(x, lambd, e.where(e.lt(x, 0), e.add(x, lambd), e.sub(x, lambd))),
    {
      aliases: ["soft_shrink", "soft_threshold"],
      summary: "x moved towards 0 by lambd, and 0 where it would pass it.",
      formula: "abs(x) <= lambd ? 0 : x < 0 ? x + lambd : x - lambd",
      gradient: "abs(x) > lambd ? 1 : 0; by lambd: abs(x) > lambd ? -sign(x) : 0",
      accuracy: bits,
      domain: "all x; NaN stays NaN, -0 becomes 0",
      source: `PyTorch torch.nn.functional.softshrink (${ACTIVATION}, softshrink_kernel)`,
    },
  ),
  hardshrink: createOp("hardshrink", { lambd }, (x, { lambd }) => shrink(x, lambd, x), {
    aliases: ["hard_shrink"],
    summary: "0 within lambd of 0, x elsewhere.",
    formula: "abs(x) <= lambd ? 0 : x",
    gradient: "abs(x) > lambd ? 1 : 0; by lambd: 0",
    accuracy: bits,
    domain: "all x; NaN stays NaN, -0 becomes 0",
    source: `PyTorch torch.nn.functional.hardshrink (${ACTIVATION}, hardshrink_kernel)`,
  }),
} as const;
