/** @file Losses that are a mean over the elements of a row, each an expression of an output and its target. */
import * as e from "../../../ops/expr.ts";
import { gt, input, lt, mul, type Num, sub, where } from "../../../ops/expr.ts";
import type { Loss } from "../../losses.ts";
import { sumLines } from "../sums.ts";
import type { LossText } from "./text.ts";

const [X, Y] = ["this.thread.x", "this.thread.y"];

/** The loss of one element, of its output x and its target t. */
interface ElementLoss {
  readonly value: Num;
  readonly slope: Num;
}

const [x, t] = [input(0), input(1)];
const error = sub(x, t);
const signOf = (of: Num): Num => where(gt(of, 0), 1, where(lt(of, 0), -1, of));

function elementLoss(loss: Exclude<Loss, { kind: "cross_entropy" }>): ElementLoss {
  switch (loss.kind) {
    case "mse":
      return { value: mul(error, error), slope: mul(2, error) };
    case "mae":
      return { value: e.abs(error), slope: signOf(error) };
    case "huber": {
      const { delta } = loss;
      const size = e.abs(error);
      const isFar = gt(size, delta);
      return {
        value: where(isFar, mul(delta, sub(size, delta / 2)), mul(0.5, mul(error, error))),
        slope: where(isFar, mul(delta, signOf(error)), error),
      };
    }
    case "bce_with_logits":
      return {
        // NaN is no number above 0, and stays in the last term.
        value: e.add(sub(where(gt(x, 0), x, 0), mul(x, t)), e.log1p(e.exp(e.neg(e.abs(x))))),
        slope: sub(e.sigmoid(x), t),
      };
  }
}

export function ofElements(loss: Exclude<Loss, { kind: "cross_entropy" }>, size: number): LossText {
  const { value, slope } = elementLoss(loss);
  const classWeights = loss.kind === "bce_with_logits" ? loss.classWeights : undefined;
  const weight = (target: string): string =>
    classWeights ? `(${target} > 0.5 ? ${classWeights[1]} : ${classWeights[0]}) * ` : "";
  const read =
    (row: string, c: string) =>
    (index: number): string =>
      `${["y", "targets"][index]}[${row} * ${size} + ${c}]`;
  return {
    gradient(text) {
      const { lines, names } = text.compute([slope], read(Y, X));
      // A class weight is the row's, by its first target.
      return { lines, value: `${weight(`targets[${Y} * ${size}]`)}${names[0]} / ${size}` };
    },
    result(text) {
      const sum = sumLines("total", size, (c) => {
        const { lines, names } = text.compute([value], read(X, c));
        return { lines, value: names[0]! };
      });
      const wrong = sumLines("wrong", size, (c) => {
        const [output, target] = [read(X, c)(0), read(X, c)(1)];
        return {
          value: `(${output} > 0.0 ? (${target} > 0.5 ? 0.0 : 1.0) : (${target} > 0.5 ? 1.0 : 0.0))`,
        };
      });
      const isClasses = loss.kind === "bce_with_logits";
      return [
        ...sum,
        `const loss = ${weight(`targets[${X} * ${size}]`)}total / ${size};`,
        ...(isClasses ? [...wrong, "const correct = wrong === 0.0 ? 1.0 : 0.0;"] : ["const correct = 0.0;"]),
      ];
    },
  };
}
