/**
 * @file Ops over rows: each element depends on all of the last axis. Semantics of PyTorch with `dim=-1`.
 *
 * Rows are added in float64, in one order (`row-plan.ts`), and rounded once. What PyTorch has, holds here: a NaN anywhere
 * in a row makes all of softmax, log_softmax and layer_norm NaN, an infinity too where the difference from it is taken;
 * a row of one element is 1 for softmax, 0 for log_softmax and layer_norm; an empty row stays empty.
 */
import { createOp } from "../definition.ts";
import * as e from "../expr.ts";
import { alongRows } from "./accuracy.ts";

const SOFTMAX = "aten/src/ATen/native/cpu/SoftMaxKernel.cpp";
const LAYER_NORM = "aten/src/ATen/native/cpu/layer_norm_kernel.cpp";

export const rowWise = {
  softmax: createOp(
    "softmax",
    {},
    (x) => {
      // The result does not depend on what is subtracted, so no gradient flows through it.
      const shifted = e.exp(e.sub(x, e.detach(e.rowMax(x))));
      return e.div(shifted, e.rowSum(shifted));
    },
    {
      aliases: ["normalized_exponential", "softargmax"],
      summary: "Exponentials of a row, divided by their sum: positive, and 1 together.",
      formula: "exp(x - max(x)) / sum(exp(x - max(x))), over the last axis",
      gradient: "dx = y * (dy - sum(dy * y)), for y = softmax(x)",
      accuracy: alongRows,
      domain: "all x; rows with NaN or +infinity, and rows of -infinity alone, become NaN",
      source: `PyTorch torch.nn.functional.softmax with dim=-1 (${SOFTMAX}, vec_host_softmax_lastdim)`,
    },
  ),
  log_softmax: createOp(
    "log_softmax",
    {},
    (x) => {
      // Apart from the largest ones, whose exponentials are 1, the sum may be far below one unit of 1: log1p keeps it. Both
      // differences are then of negative numbers, and nothing cancels. An infinite maximum is NaN in x - max.
      const largest = e.detach(e.rowMax(x));
      const shifted = e.sub(x, largest);
      const isLargest = e.eq(x, largest);
      const others = e.rowSum(e.where(isLargest, shifted, e.exp(shifted)));
      const ties = e.sub(e.rowSum(e.where(isLargest, 1, 0)), 1);
      return e.sub(shifted, e.log1p(e.add(ties, others)));
    },
    {
      aliases: ["logsoftmax"],
      summary: "The logarithm of softmax, exact where softmax is near 0 or 1.",
      formula: "x - max(x) - log(sum(exp(x - max(x)))), over the last axis",
      gradient: "dx = dy - softmax(x) * sum(dy)",
      accuracy: alongRows,
      domain: "all x; rows with NaN or +infinity, and rows of -infinity alone, become NaN",
      source: `PyTorch torch.nn.functional.log_softmax with dim=-1 (${SOFTMAX}, vec_log_softmax_lastdim_kernel)`,
    },
  ),
  l2_normalize: createOp(
    "l2_normalize",
    { eps: { default: 1e-12, about: "Least number to divide by." } },
    (x, { eps }) => {
      const norm = e.sqrt(e.rowSum(e.mul(x, x)));
      return e.div(x, e.where(e.lt(norm, eps), eps, norm));
    },
    {
      aliases: ["normalize", "unit_norm", "l2_norm"],
      summary: "A row divided by its Euclidean length.",
      formula: "x / max(sqrt(sum(x * x)), eps), over the last axis",
      gradient:
        "dx = (dy - y * sum(dy * y)) / length, for y = x / length; dy / eps where the length is below eps",
      accuracy: alongRows,
      domain:
        "all x; a row with NaN becomes NaN; with an infinity, NaN there and 0 elsewhere, and in float64 also where the sum of the squares is above 1.8e308",
      source: "PyTorch torch.nn.functional.normalize with p=2, dim=-1 (torch/nn/functional.py)",
    },
  ),
  layer_norm: createOp(
    "layer_norm",
    { eps: { default: 1e-5, about: "Added to the variance." } },
    (x, { eps }) => {
      const centred = e.sub(x, e.div(e.rowSum(x), e.rowLength));
      const variance = e.div(e.rowSum(e.mul(centred, centred)), e.rowLength);
      return e.div(centred, e.sqrt(e.add(variance, eps)));
    },
    {
      aliases: ["layernorm", "layer_normalization", "standardize"],
      summary:
        "A row with its mean subtracted, divided by its standard deviation. No learned scale and shift.",
      formula: "(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), over the last axis",
      gradient: "dx = (dy - mean(dy) - y * mean(dy * y)) / sqrt(variance + eps), for y = layer_norm(x)",
      accuracy: alongRows,
      domain: "all x; rows with NaN or an infinity become NaN",
      source: `PyTorch torch.nn.functional.layer_norm over the last axis, without weight and bias (${LAYER_NORM})`,
    },
  ),
};
