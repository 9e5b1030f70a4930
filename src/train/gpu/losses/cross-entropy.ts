/** @file Cross entropy of softmax, as `losses.ts` has it: the largest output of a row is taken off first. */
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import { KernelText } from "../../../gpu/source.ts";
import type { Loss } from "../../losses.ts";
import { sumLines } from "../sums.ts";
import type { LossText } from "./text.ts";

const [X, Y] = ["this.thread.x", "this.thread.y"];

export function crossEntropy(
  { smoothing, classWeights }: Extract<Loss, { kind: "cross_entropy" }>,
  classes: number,
): LossText {
  const weights = classWeights ?? Array<number>(classes).fill(1);
  const spread = smoothing / classes;
  const hard = weights.map((weight) => (1 - smoothing) * weight);
  const soft = weights.map((weight) => spread * weight);
  const all = spread * weights.reduce((total, weight) => total + weight, 0);
  // In one array, for a kernel reads eight at most.
  const constants = (text: KernelText): void => text.array("classes", Float32Array.from([...hard, ...soft]));
  const hardOf = (c: string): string => `this.constants.classes[${c}]`;
  const softOf = (c: string): string => `this.constants.classes[${classes} + ${c}]`;
  return {
    rows: extremes(classes),
    gradient(text) {
      constants(text);
      const label = `(targets[${Y}] | 0)`;
      const shifted = `y[${Y} * ${classes} + ${X}] - rows[${Y}]`;
      const exponential = text.callFunction("exp", [shifted]);
      const whole = `${hardOf(label)} + ${text.hidden(all)}`;
      return {
        lines: [
          `const own = ${X} === ${label} ? ${hardOf(label)} : 0.0;`,
          `const part = ${exponential} / rows[${Y} + this.output.y];`,
        ],
        value: `(${whole}) * part - ${softOf(X)} - own`,
      };
    },
    result(text) {
      constants(text);
      const label = `(targets[${X}] | 0)`;
      const at = (c: string): string => `y[${X} * ${classes} + ${c}]`;
      const log = text.callFunction("log", [`rows[${X} + this.output.x]`]);
      // The label is the first of the largest: none before it is as large, and none behind it is larger.
      return [
        `const logSum = ${log};`,
        `const below = rows[${X}] - ${at(label)};`,
        ...(smoothing > 0
          ? sumLines("others", classes, (c) => ({
              value: `${softOf(c)} * (logSum + (rows[${X}] - ${at(c)}))`,
            }))
          : ["const others = 0.0;"]),
        `const loss = ${hardOf(label)} * (logSum + below) + others;`,
        ...sumLines("before", classes, (c) => ({
          value: `(${c} < ${label} ? (${at(c)} >= ${at(label)} ? 1.0 : 0.0) : (${at(c)} > ${at(label)} ? 1.0 : 0.0))`,
        })),
        "const correct = before === 0.0 ? 1.0 : 0.0;",
      ];
    },
  };
}

/** The largest output of each row, and behind those the sum of exp(x - largest). */
function extremes(classes: number): KernelSource {
  const text = new KernelText();
  const at = (c: string): string => `y[${X} * ${classes} + ${c}]`;
  const sum = sumLines("total", classes, (c) => ({
    value: text.callFunction("exp", [`${at(c)} - largest`]),
  }));
  const body = [
    `let largest = ${at("0")};`,
    `for (let i = 1; i < ${classes}; i++) {`,
    `  largest = ${text.call("most", "largest", at("i"))};`,
    "}",
    ...sum,
    `return ${Y} === 0 ? largest : total;`,
  ];
  return { ...text.build([["y", "table"]], body), plane: true };
}
