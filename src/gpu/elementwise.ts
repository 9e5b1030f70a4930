/** @file The kernel that computes a program's output, one thread for each element. */
import type { Channels } from "../formats/layout.ts";
import type { Num } from "../ops/expr.ts";
import type { Program } from "../ops/program.ts";
import { elementsOf, type RowValues } from "./elements.ts";
import type { KernelStep } from "./kernel-source.ts";
import { KernelText } from "./source.ts";

/** @param output over the program's inputs and those of `rows` */
export function elementwiseStep(
  program: Program,
  output: Num,
  channels: Channels | null,
  rows?: RowValues,
): KernelStep {
  const text = new KernelText();
  const elements = elementsOf(program, channels, rows, "array");
  const { lines, names } = text.compute([output], elements.read(text, "this.thread.x"));
  return {
    kernel: text.build(elements.parameters, [...lines, `return ${names[0]};`]),
    reads: elements.reads,
    takes: elements.takes,
    resultLength: ({ length }) => length,
    result: { kind: "output" },
  };
}
