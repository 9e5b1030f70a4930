/** @file What is judged, and how large its error may be. */

export type Side = "forward" | "gradient";
export const SIDES: readonly Side[] = ["forward", "gradient"];
export type Group = "exact" | "elementary" | "composite";

/** One op with its parameters: the name under which `reference/catalog.h` has its formula. */
export interface Row {
  readonly ops: string;
  readonly group: Group;
  /** Whether it is plain arithmetic, which rounds at each step as PyTorch does: then float16 is rounded twice. */
  readonly stepwise: boolean;
}

const STEPWISE = ["hard_sigmoid", "hard_swish", "softsign"];
const rows = (group: Group, ...names: readonly string[]): Row[] =>
  names.map((ops) => ({ ops, group, stepwise: group === "exact" || STEPWISE.includes(ops) }));

export const ROWS: readonly Row[] = [
  ...rows("elementary", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "erf", "sin", "cos"),
  ...rows("elementary", "sqrt", "rsqrt", "reciprocal", "square", "pow(2.5)", "pow(-1)", "pow(3)"),
  ...rows("composite", "gelu", "gelu_tanh", "silu", "swish(1.5)", "mish"),
  ...rows(
    "composite",
    "softplus",
    "softplus(2, 20)",
    "log_sigmoid",
    "elu",
    "elu(0.5)",
    "celu",
    "celu(2)",
    "selu",
  ),
  ...rows("composite", "tanhshrink", "softsign", "hard_sigmoid", "hard_swish"),
  ...rows("exact", "leaky_relu", "prelu", "rrelu", "relu", "relu6", "threshold(0.1, -7)", "hard_tanh"),
  ...rows(
    "exact",
    "softshrink",
    "hardshrink",
    "clamp(-0.25, 0.75)",
    "abs",
    "neg",
    "sign",
    "floor",
    "ceil",
    "round",
  ),
  ...rows("exact", "add(1.5)", "sub(1.5)", "mul(0.3)", "div(3)"),
];

/** Largest errors in float32, in units in the last place: 0.5 is what rounding alone makes. */
const LIMITS: Readonly<Record<Group, Readonly<Record<Side, number>>>> = {
  exact: { forward: 0.5, gradient: 0.5 },
  elementary: { forward: 1, gradient: 2 },
  composite: { forward: 2, gradient: 2 },
};
/** Largest errors of the float64 sample. Derivatives are products of functions with an error each. */
export const FLOAT64_LIMITS: Readonly<Record<Side, number>> = { forward: 2, gradient: 4 };

/** What is further off in float64, and why: there is no wider type to compute it in. */
export const FLOAT64_EXCEPTIONS: Readonly<Record<string, { readonly limit: number; readonly why: string }>> =
  {
    gelu: {
      limit: 32,
      why: "below x = -37.5, where the distribution function has lost digits as a subnormal number",
    },
    gelu_tanh: {
      limit: 2000,
      why: "in the lower tail: the argument of exp is rounded, and exp makes its error as many times larger as it is large",
    },
    "swish(1.5)": { limit: 800, why: "as gelu_tanh; `silu`, whose argument is x itself, has no such error" },
    silu: { limit: 400, why: "below x = -708, where the sigmoid has lost digits as a subnormal number" },
    mish: { limit: 400, why: "as silu" },
    tanhshrink: { limit: 4, why: "near 0, where it is a product of quotients" },
  };

export const float64LimitOf = ({ ops }: Row, side: Side): number =>
  Math.max(FLOAT64_LIMITS[side], FLOAT64_EXCEPTIONS[ops]?.limit ?? 0);

export const limitOf = ({ group }: Row, side: Side): number => LIMITS[group][side];
