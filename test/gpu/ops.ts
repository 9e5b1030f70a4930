/** @file The elementwise ops of the catalog, with parameters, by what a GPU makes of them. */

/** Straight pieces: the bits of the CPU. */
export const STRAIGHT = [
  ...["leaky_relu(0.2)", "prelu(0.3)", "rrelu", "relu", "relu6", "threshold(0.1, -7)", "hard_tanh"],
  ...["softshrink", "hardshrink", "clamp(-0.25, 0.75)", "abs", "neg", "sign", "floor", "ceil", "round"],
  ...["add(1.5)", "sub(1.5)", "mul(0.3)", "div(3)", "hard_sigmoid"],
];

/** The others: within bounds. */
export const CURVED = [
  ...["exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf", "sin", "cos", "sqrt", "rsqrt", "reciprocal"],
  ...[
    "square",
    "pow(2.5)",
    "pow(-1.7)",
    "pow(3)",
    "pow(-1)",
    "pow(0.5)",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
  ],
  ...["swish(1.5)", "softplus", "softplus(1.7, 20)", "log_sigmoid", "elu", "elu(0.7)", "celu", "celu(1.3)"],
  ...["selu", "tanhshrink", "softsign", "hard_swish"],
];
