/**
 * @file Losses: what a row costs, and how that changes with the network's output. In float64, row by row.
 *
 * The loss of a batch is the mean over its rows, each with its weight, as PyTorch has it:
 * `sum(weight_i * loss_i) / sum(weight_i)`, where loss_i is the mean over the row's elements where a row has several.
 */
import { UsageError } from "../errors.ts";

/** A loss as plain data. What it computes and how it takes means is what PyTorch's module of that name does. */
export type Loss = (
  | {
      readonly kind: "cross_entropy";
      /** The share of the target that all classes get alike; `label_smoothing` in PyTorch. */
      readonly smoothing: number;
    }
  | { readonly kind: "mse" }
  | { readonly kind: "mae" }
  /** Quadratic up to an error of `delta`, linear beyond. */
  | { readonly kind: "huber"; readonly delta: number }
  /** Binary cross entropy of sigmoid(output); a target is 0 or 1, or between them. */
  | { readonly kind: "bce_with_logits" }
) & {
  /** Of targets that are classes: what a row of each counts. */
  readonly classWeights?: readonly number[];
};

/** Numbers one after the other, from an index on. */
export interface Run {
  readonly of: Float32Array | Float64Array;
  readonly at: number;
}

/** A loss made ready for rows of one size. */
export interface RowLoss {
  /** What the row counts by its class; 1 without class weights. */
  weightOf(target: Run): number;
  /**
   * The loss of one row, times what it counts by its class.
   *
   * @param gradient where the derivatives by the outputs go, times `scale`; left out, there are none
   */
  lossOf(output: Run, target: Run, gradient?: Run, scale?: number): number;
  /** Whether the outputs say the row's class; nothing where targets are no classes. */
  isCorrect?(output: Run, target: Run): boolean;
}

/**
 * @param outputs elements of the network's output for a row
 * @param targetSize numbers of a row's target
 * @throws UsageError where loss, outputs and targets do not fit each other
 */
export function rowLoss(loss: Loss, outputs: number, targetSize: number): RowLoss {
  const size = loss.kind === "cross_entropy" ? 1 : outputs;
  if (targetSize !== size) {
    throw new UsageError(
      `${loss.kind} of ${outputs} outputs takes ${size === 1 ? "one number" : `${size} numbers`} as a row's target, not ${targetSize}`,
      { remedy: "Let the last layer have as many units as there are classes, or values to predict." },
    );
  }
  const { classWeights } = loss;
  const classes = loss.kind === "cross_entropy" ? outputs : loss.kind === "bce_with_logits" ? 2 : 0;
  if (classWeights && (classWeights.length !== classes || !classWeights.every(isWeight))) {
    throw new UsageError(
      classes === 0
        ? `${loss.kind} has no classes that could have weights`
        : `the class weights of ${loss.kind} must be ${classes} numbers from 0`,
    );
  }
  if (loss.kind === "cross_entropy") return crossEntropy(outputs, loss.smoothing, classWeights);
  if (loss.kind === "bce_with_logits") return binary(outputs, classWeights);
  const ofError = ERRORS[loss.kind](loss as { delta: number });
  return { weightOf: () => 1, lossOf: meanOf(outputs, ofError) };
}

const isWeight = (weight: number): boolean => Number.isFinite(weight) && weight >= 0;

/** The loss of one element, whose derivative goes into `slope`. */
type ElementLoss = (output: number, target: number) => number;
/** Of the element before. */
let slope = 0;

const ERRORS = {
  mse: () => (output: number, target: number) => {
    const error = output - target;
    slope = 2 * error;
    return error * error;
  },
  mae: () => (output: number, target: number) => {
    const error = output - target;
    slope = Math.sign(error);
    return Math.abs(error);
  },
  huber: ({ delta }: { readonly delta: number }) => {
    if (!(delta > 0))
      throw new UsageError(`the delta of huber is ${delta}`, { remedy: "Give a number above 0." });
    return (output: number, target: number) => {
      const error = output - target;
      const size = Math.abs(error);
      if (size > delta) {
        slope = delta * Math.sign(error);
        return delta * (size - delta / 2);
      }
      slope = error;
      return (error * error) / 2;
    };
  },
} as const;

/** The mean over a row's elements. */
function meanOf(size: number, ofElement: ElementLoss): RowLoss["lossOf"] {
  return (output, target, gradient, scale = 1) => {
    let total = 0;
    for (let i = 0; i < size; i++) {
      total += ofElement(output.of[output.at + i]!, target.of[target.at + i]!);
      if (gradient) gradient.of[gradient.at + i] = (slope * scale) / size;
    }
    return total / size;
  };
}

/** As `torch.nn.BCEWithLogitsLoss`, of max(x, 0) - x t + log(1 + exp(-|x|)). */
function binary(outputs: number, weights: readonly number[] | undefined): RowLoss {
  const mean = meanOf(outputs, (x, t) => {
    const below = Math.exp(-Math.abs(x));
    slope = (x >= 0 ? 1 : below) / (1 + below) - t;
    return Math.max(x, 0) - x * t + Math.log1p(below);
  });
  const weightOf = ({ of, at }: Run): number => (weights ? weights[of[at]! > 0.5 ? 1 : 0]! : 1);
  return {
    weightOf,
    lossOf: (output, target, gradient, scale = 1) => {
      const weight = weightOf(target);
      return weight * mean(output, target, gradient, scale * weight);
    },
    isCorrect: (output, target) => {
      for (let i = 0; i < outputs; i++) {
        if (output.of[output.at + i]! > 0 !== target.of[target.at + i]! > 0.5) return false;
      }
      return true;
    },
  };
}

/**
 * Of log(sum(exp(x))) - x_y, where the largest x is taken off first. With label smoothing e over K classes, as PyTorch
 * (aten/src/ATen/native/LossNLL.cpp, cross_entropy_loss_label_smoothing): (1 - e) of that, and e / K of its sum over
 * all classes, each with the class's weight.
 */
function crossEntropy(classes: number, smoothing: number, weights: readonly number[] | undefined): RowLoss {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new UsageError(`the label smoothing is ${smoothing}`, { remedy: "Give a number from 0 to 1." });
  }
  const weightOf = ({ of, at }: Run): number => (weights ? weights[of[at]!]! : 1);
  const spread = smoothing / classes;
  const allWeights = weights ? weights.reduce((total, weight) => total + weight, 0) : classes;
  /** Of the row at hand: exp(x - max). */
  const parts = new Float64Array(classes);
  return {
    weightOf,
    lossOf: (output, target, gradient, scale = 1) => {
      const { of, at } = output;
      const label = target.of[target.at]!;
      // Not even an index: NaN, which stops the training, instead of a wrong number.
      if (!(Number.isInteger(label) && label >= 0 && label < classes)) return Number.NaN;
      let largest = of[at]!;
      for (let c = 1; c < classes; c++) largest = Math.max(largest, of[at + c]!);
      let sum = 0;
      for (let c = 0; c < classes; c++) {
        const part = Math.exp(of[at + c]! - largest);
        parts[c] = part;
        sum += part;
      }
      const logSum = Math.log(sum) + largest;
      const hard = (1 - smoothing) * (weights ? weights[label]! : 1);
      let loss = hard * (logSum - of[at + label]!);
      if (smoothing > 0) {
        for (let c = 0; c < classes; c++) loss += spread * (weights?.[c] ?? 1) * (logSum - of[at + c]!);
      }
      if (gradient) {
        const all = hard + spread * allWeights;
        for (let c = 0; c < classes; c++) {
          let change = (all * parts[c]!) / sum - spread * (weights?.[c] ?? 1);
          if (c === label) change -= hard;
          gradient.of[gradient.at + c] = change * scale;
        }
      }
      return loss;
    },
    isCorrect: ({ of, at }, target) => {
      let best = 0;
      for (let c = 1; c < classes; c++) if (of[at + c]! > of[at + best]!) best = c;
      return best === target.of[target.at];
    },
  };
}
