/**
 * @file Optimisers, as expressions of a parameter, its gradient, the optimiser's own arrays and what changes from step to
 * step. They follow torch/optim (sgd.py, adam.py, adamw.py, rmsprop.py) step by step, in float32.
 */
import { UsageError } from "../errors.ts";
import { add, constant, div, input, mul, type Num, sqrt, sub } from "../ops/expr.ts";

export interface Optimizer {
  readonly name: OptimizerName;
  /** As it is written: `adam(lr=0.001, beta1=0.9, …)`. */
  readonly text: string;
  /** Arrays that it keeps beside each parameter; all begin with zeros. */
  readonly state: readonly string[];
  /** What changes from step to step. */
  readonly scalars: readonly string[];
  /**
   * The values of `scalars`.
   *
   * @param step counted from 0
   * @param rate the learning rate of this step
   */
  scalarsAt(step: number, rate: number): readonly number[];
  /** Inputs: 0 the parameter, 1 its gradient, then `state`, then `scalars`. All is read before anything is replaced. */
  readonly update: { readonly value: Num; readonly state: readonly Num[] };
  /** The learning rate, before any schedule. */
  readonly rate: number;
}

export type OptimizerName = "sgd" | "adam" | "adamw" | "rmsprop";

/** Every setting of an optimiser with its default, as in PyTorch. */
export const OPTIMIZER_SETTINGS = {
  sgd: { lr: 1e-3, momentum: 0, dampening: 0, weight_decay: 0, nesterov: 0 },
  adam: { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0 },
  adamw: { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 },
  rmsprop: { lr: 1e-2, alpha: 0.99, eps: 1e-8, weight_decay: 0, momentum: 0 },
} as const;

export type OptimizerSettings<Name extends OptimizerName> = {
  readonly [Key in keyof (typeof OPTIMIZER_SETTINGS)[Name]]?: number;
};

/**
 * An optimiser by name, with PyTorch's defaults for what is not given.
 *
 * ```ts
 * optimizer("adam", { lr: 3e-4 }).text; // "adam(lr=0.0003, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0)"
 * ```
 *
 * @throws UsageError for a setting that is unknown or out of range
 */
export function optimizer<Name extends OptimizerName>(
  name: Name,
  settings: OptimizerSettings<Name> = {},
): Optimizer {
  const known = OPTIMIZER_SETTINGS[name] as Readonly<Record<string, number>>;
  const given = settings as Readonly<Record<string, number | undefined>>;
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(known, key)) {
      throw new UsageError(`${name} has no setting ${JSON.stringify(key)}`, {
        remedy: `Its settings: ${Object.keys(known).join(", ")}.`,
      });
    }
  }
  const values = Object.fromEntries(Object.keys(known).map((key) => [key, given[key] ?? known[key]!]));
  for (const [key, value] of Object.entries(values)) checkSetting(name, key, value);
  if (values.nesterov && !(values.momentum! > 0 && values.dampening === 0)) {
    throw new UsageError("nesterov of sgd takes a momentum, and no dampening", {
      remedy: "As in sgd(lr=0.1, momentum=0.9, nesterov=true).",
    });
  }
  const text = `${name}(${Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ")})`;
  return { name, text, rate: values.lr!, ...RULES[name](values) };
}

function checkSetting(name: OptimizerName, key: string, value: number): void {
  const [what, fits] = RANGES[key] ?? ["a number from 0", Number.isFinite];
  if (value >= 0 && fits(value)) return;
  throw new UsageError(`${key} of ${name} cannot be ${value}`, { remedy: `Give ${what}.` });
}

type Range = readonly [what: string, fits: (value: number) => boolean];
const BELOW_1: Range = ["a number from 0, below 1", (value) => value < 1];
/** Settings that are not any number from 0. */
const RANGES: Readonly<Record<string, Range>> = {
  ...{ momentum: BELOW_1, beta1: BELOW_1, beta2: BELOW_1, alpha: BELOW_1 },
  nesterov: ["1 or 0, or true or false in text", (value) => value === 0 || value === 1],
};

type Rule = Pick<Optimizer, "state" | "scalars" | "scalarsAt" | "update">;
type Values = Readonly<Record<string, number>>;

const parameter = input(0);
const gradient = input(1);

const RULES: Readonly<Record<OptimizerName, (values: Values) => Rule>> = { sgd, adam, adamw, rmsprop };

/** `torch/optim/sgd.py`, `_single_tensor_sgd`. Its buffer begins as the first gradient, without dampening. */
function sgd(values: Values): Rule {
  const { momentum, dampening, weight_decay, nesterov } = values as Record<string, number>;
  const decayed = decay(gradient, weight_decay!);
  if (momentum === 0) {
    const rate = input(2);
    return {
      state: [],
      scalars: ["rate"],
      scalarsAt: (_, lr) => [lr],
      update: { value: sub(parameter, mul(rate, decayed)), state: [] },
    };
  }
  const [buffer, rate, share] = [input(2), input(3), input(4)];
  const moved = add(mul(momentum!, buffer), mul(share, decayed));
  const step = nesterov ? add(decayed, mul(momentum!, moved)) : moved;
  return {
    state: ["momentum"],
    scalars: ["rate", "share"],
    scalarsAt: (t, lr) => [lr, t === 0 ? 1 : 1 - dampening!],
    update: { value: sub(parameter, mul(rate, step)), state: [moved] },
  };
}

/** `torch/optim/adam.py`, `_single_tensor_adam`. */
function adam(values: Values): Rule {
  return moments(values, decay(gradient, values.weight_decay!), parameter, ["size", "root"]);
}

/** `torch/optim/adamw.py`: the decay is taken from the parameter, and not added to the gradient. */
function adamw(values: Values): Rule {
  const kept = input(6);
  const rule = moments(values, gradient, mul(parameter, kept), ["size", "root", "kept"]);
  return {
    ...rule,
    scalarsAt: (step, rate) => [...rule.scalarsAt(step, rate), 1 - rate * values.weight_decay!],
  };
}

function moments(values: Values, g: Num, from: Num, scalars: readonly string[]): Rule {
  const { beta1, beta2, eps } = values as Record<string, number>;
  const [mean, square, size, root] = [input(2), input(3), input(4), input(5)];
  const first = add(mean, mul(1 - beta1!, sub(g, mean)));
  const second = add(mul(beta2!, square), mul(1 - beta2!, mul(g, g)));
  return {
    state: ["mean", "square"],
    scalars,
    scalarsAt: (step, rate) => [rate / (1 - beta1! ** (step + 1)), Math.sqrt(1 - beta2! ** (step + 1))],
    update: {
      value: sub(from, mul(size, div(first, add(div(sqrt(second), root), constant(eps!))))),
      state: [first, second],
    },
  };
}

/** `torch/optim/rmsprop.py`, `_single_tensor_rmsprop`, not centred. */
function rmsprop(values: Values): Rule {
  const { alpha, eps, weight_decay, momentum } = values as Record<string, number>;
  const g = decay(gradient, weight_decay!);
  const square = add(mul(alpha!, input(2)), mul(1 - alpha!, mul(g, g)));
  const scaled = div(g, add(sqrt(square), constant(eps!)));
  const scalarsAt = (_: number, lr: number): readonly number[] => [lr];
  if (momentum === 0) {
    const value = sub(parameter, mul(input(3), scaled));
    return { state: ["square"], scalars: ["rate"], scalarsAt, update: { value, state: [square] } };
  }
  const buffer = add(mul(momentum!, input(3)), scaled);
  const value = sub(parameter, mul(input(4), buffer));
  return {
    state: ["square", "momentum"],
    scalars: ["rate"],
    scalarsAt,
    update: { value, state: [square, buffer] },
  };
}

function decay(g: Num, weightDecay: number): Num {
  return weightDecay === 0 ? g : add(g, mul(weightDecay, parameter));
}
