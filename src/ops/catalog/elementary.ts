/** @file Functions of mathematics. */
import { createOp } from "../definition.ts";
import * as e from "../expr.ts";
import { bitsForward, correctlyRounded, elementaryFunction } from "./accuracy.ts";
import { everywhere, rectified, UNARY } from "./sources.ts";

const UNARY_OPS = "aten/src/ATen/native/UnaryOps.cpp";
const unary = (name: string, kernel = `${name}_kernel`): string =>
  `PyTorch torch.${name} (${UNARY}, ${kernel})`;

export const elementary = {
  exp: createOp("exp", {}, (x) => e.exp(x), {
    aliases: ["exponential"],
    summary: "The exponential function.",
    gradient: "exp(x)",
    accuracy: elementaryFunction,
    domain: "all x; NaN stays NaN, -infinity becomes 0",
    source: unary("exp"),
  }),
  expm1: createOp("expm1", {}, (x) => e.expm1(x), {
    aliases: ["exp_minus_one"],
    summary: "exp(x) - 1, exact near 0.",
    gradient: "exp(x)",
    accuracy: elementaryFunction,
    domain: `${rectified}, -infinity becomes -1`,
    source: unary("expm1"),
  }),
  log: createOp("log", {}, (x) => e.log(x), {
    aliases: ["ln", "logarithm"],
    summary: "The natural logarithm.",
    gradient: "1 / x",
    accuracy: elementaryFunction,
    domain: "x >= 0; NaN below, -infinity at 0 and -0",
    source: unary("log"),
  }),
  log1p: createOp("log1p", {}, (x) => e.log1p(x), {
    aliases: ["log_one_plus"],
    summary: "log(1 + x), exact near 0.",
    gradient: "1 / (1 + x)",
    accuracy: elementaryFunction,
    domain: "x >= -1; NaN below, -infinity at -1, -0 stays -0",
    source: unary("log1p"),
  }),
  erf: createOp("erf", {}, (x) => e.erf(x), {
    aliases: ["error_function"],
    summary: "The error function.",
    gradient: "2 / sqrt(pi) * exp(-x^2)",
    accuracy: elementaryFunction,
    domain: `${rectified}, the infinities become -1 and 1`,
    source: unary("erf"),
  }),
  pow: createOp(
    "pow",
    { c: { about: "The exponent.", aliases: ["exponent", "power", "p", "y"] } },
    (x, { c }) => e.pow(x, c),
    {
      aliases: ["power"],
      summary: "x to the power of c.",
      gradient: "c * x^(c - 1), 0 for c = 0; by c: log(x) * x^c, 0 at x = 0 for c >= 0",
      accuracy: elementaryFunction,
      domain:
        "all x for whole c, else x >= 0 with NaN below; the special cases are those of C and IEEE 754, so NaN to the power of 0 is 1",
      source: "PyTorch torch.pow (aten/src/ATen/native/cpu/PowKernel.cpp, pow_tensor_scalar_kernel)",
    },
  ),
  sqrt: createOp("sqrt", {}, (x) => e.sqrt(x), {
    aliases: ["square_root"],
    summary: "The square root, correctly rounded.",
    gradient: "1 / (2 * sqrt(x))",
    accuracy: correctlyRounded,
    domain: "x >= 0; NaN below, -0 stays -0",
    source: unary("sqrt"),
  }),
  rsqrt: createOp("rsqrt", {}, (x) => e.rsqrt(x), {
    aliases: ["inverse_sqrt", "reciprocal_sqrt"],
    summary: "One over the square root.",
    gradient: "-1 / (2 * x * sqrt(x))",
    accuracy: elementaryFunction,
    domain: "x >= 0; NaN below, infinity at 0 and -infinity at -0",
    source: unary("rsqrt"),
  }),
  square: createOp("square", {}, (x) => e.mul(x, x), {
    aliases: ["sqr", "pow2"],
    summary: "x times itself.",
    gradient: "2 * x",
    accuracy: bitsForward,
    domain: everywhere,
    source: `PyTorch torch.square (${UNARY_OPS}, square; cpu/PowKernel.cpp)`,
  }),
  reciprocal: createOp("reciprocal", {}, (x) => e.reciprocal(x), {
    aliases: ["inverse", "inv", "recip"],
    summary: "One over x; 0 gives an infinity of its sign.",
    gradient: "-1 / x^2",
    accuracy: bitsForward,
    domain: everywhere,
    source: unary("reciprocal"),
  }),
  sin: createOp("sin", {}, (x) => e.sin(x), {
    aliases: ["sine"],
    summary: "The sine of x radians.",
    gradient: "cos(x)",
    accuracy: elementaryFunction,
    domain: `${rectified}, the infinities become NaN`,
    source: unary("sin"),
  }),
  cos: createOp("cos", {}, (x) => e.cos(x), {
    aliases: ["cosine"],
    summary: "The cosine of x radians.",
    gradient: "-sin(x)",
    accuracy: elementaryFunction,
    domain: `${everywhere}, the infinities become NaN`,
    source: unary("cos"),
  }),
} as const;
