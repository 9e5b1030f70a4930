/** @file Ops that round once at most: arithmetic with a number, bounds, signs and whole numbers. */
import { createOp } from "../definition.ts";
import * as e from "../expr.ts";
import { bits, bitsWithParameter } from "./accuracy.ts";
import { BINARY, CLAMP, everywhere, rectified, UNARY } from "./sources.ts";

const operand = { about: "The number.", aliases: ["other", "value", "scalar", "constant", "factor"] };
const noGradient = "0; NaN too has gradient 0";

export const arithmetic = {
  add: createOp("add", { c: operand }, (x, { c }) => e.add(x, c), {
    aliases: ["plus"],
    summary: "Adds a number.",
    gradient: "1; by c: 1",
    accuracy: bitsWithParameter,
    domain: "all x; NaN where an infinity meets its opposite",
    source: "PyTorch torch.add (aten/src/ATen/native/ufunc/add.h)",
  }),
  sub: createOp("sub", { c: operand }, (x, { c }) => e.sub(x, c), {
    aliases: ["subtract", "minus"],
    summary: "Subtracts a number.",
    gradient: "1; by c: -1",
    accuracy: bitsWithParameter,
    domain: "all x; NaN where an infinity meets itself",
    source: "PyTorch torch.sub, which is add with alpha = -1 (aten/src/ATen/native/BinaryOps.cpp, sub_out)",
  }),
  mul: createOp("mul", { c: operand }, (x, { c }) => e.mul(x, c), {
    aliases: ["multiply", "times", "scale"],
    summary: "Multiplies by a number.",
    gradient: "c; by c: x",
    accuracy: bits,
    domain: "all x; NaN where 0 meets an infinity",
    source: `PyTorch torch.mul (${BINARY}, mul_kernel)`,
  }),
  div: createOp("div", { c: operand }, (x, { c }) => e.div(x, c), {
    aliases: ["divide", "true_divide"],
    summary: "Divides by a number; by 0 gives an infinity, as IEEE 754 says.",
    gradient: "1 / c; by c: -x / c^2",
    accuracy: bits,
    domain: "all x; NaN for 0 / 0 and for infinity / infinity",
    source: `PyTorch torch.div (${BINARY}, div_true_kernel)`,
  }),
  clamp: createOp(
    "clamp",
    {
      lo: { about: "Lower bound.", aliases: ["min", "low", "min_val", "a_min"] },
      hi: { about: "Upper bound; wins where it is below lo.", aliases: ["max", "high", "max_val", "a_max"] },
    },
    (x, { lo, hi }) => {
      // At the bounds x has the gradient, and NaN has none.
      const kept = e.where(e.eq(x, x), x, 0);
      const raised = e.where(e.lt(x, lo), lo, kept);
      return e.derivedAs(e.clamp(x, lo, hi), e.where(e.gt(e.where(e.lt(x, lo), lo, x), hi), hi, raised));
    },
    {
      aliases: ["clip", "clip_by_value"],
      summary: "x kept between lo and hi.",
      formula: "min(max(x, lo), hi)",
      gradient: "lo <= x <= hi ? 1 : 0; by lo: x < lo ? 1 : 0; by hi: x > hi ? 1 : 0",
      accuracy: bits,
      domain: rectified,
      source: `PyTorch torch.clamp (${CLAMP}, clamp_scalar_kernel_impl)`,
    },
  ),
  abs: createOp("abs", {}, (x) => e.abs(x), {
    aliases: ["absolute", "fabs"],
    summary: "The absolute value: the sign bit cleared.",
    gradient: "sign(x), 0 at 0",
    accuracy: bits,
    domain: everywhere,
    source: `PyTorch torch.abs (${UNARY}, abs_kernel)`,
  }),
  neg: createOp("neg", {}, (x) => e.neg(x), {
    aliases: ["negative", "negate"],
    summary: "The sign bit flipped; 0 becomes -0.",
    gradient: "-1",
    accuracy: bits,
    domain: everywhere,
    source: `PyTorch torch.neg (${UNARY}, neg_kernel)`,
  }),
  sign: createOp("sign", {}, (x) => e.where(e.gt(x, 0), 1, e.where(e.lt(x, 0), -1, 0)), {
    aliases: ["sgn", "signum"],
    summary: "1 above zero, -1 below, 0 at zero.",
    gradient: noGradient,
    accuracy: bits,
    domain: "all x; NaN and -0 become 0",
    source: `PyTorch torch.sign (${UNARY}, sign_kernel)`,
  }),
  floor: createOp("floor", {}, (x) => e.floor(x), {
    summary: "The nearest whole number that is not above x.",
    gradient: noGradient,
    accuracy: bits,
    domain: rectified,
    source: `PyTorch torch.floor (${UNARY}, floor_kernel)`,
  }),
  ceil: createOp("ceil", {}, (x) => e.ceil(x), {
    aliases: ["ceiling"],
    summary: "The nearest whole number that is not below x.",
    gradient: noGradient,
    accuracy: bits,
    domain: rectified,
    source: `PyTorch torch.ceil (${UNARY}, ceil_kernel)`,
  }),
  round: createOp("round", {}, (x) => e.round(x), {
    aliases: ["rint", "nearbyint"],
    summary: "The nearest whole number; halves go to the even one.",
    gradient: noGradient,
    accuracy: bits,
    domain: rectified,
    source: `PyTorch torch.round (${UNARY}, round_kernel)`,
  }),
} as const;
