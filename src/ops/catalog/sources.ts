/** @file Files of PyTorch 2.13 that the catalog cites, and words that many of its entries share. */
export const ACTIVATION = "aten/src/ATen/native/cpu/Activation.cpp";
export const CLAMP = "aten/src/ATen/native/cpu/TensorCompareKernel.cpp";
export const BINARY = "aten/src/ATen/native/cpu/BinaryOpsKernel.cpp";
export const UNARY = "aten/src/ATen/native/cpu/UnaryOpsKernel.cpp";

export const everywhere = "all x; NaN stays NaN";
export const rectified = "all x; NaN stays NaN, -0 stays -0";
