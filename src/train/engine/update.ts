/** @file The optimiser's update of a part of the parameters, with the gradient clipped and the values kept where they must stay. */
import { input, mul, type Num } from "../../ops/expr.ts";
import { Interner } from "../../ops/intern.ts";
import { compileUpdate, type RunUpdate } from "../../workers/update.ts";
import type { Optimizer } from "../optimizers.ts";
import type { ParameterPart } from "./layer.ts";
import type { Tools } from "./tools.ts";

/** What of an optimiser crosses to workers. */
export interface UpdateRule {
  readonly update: Optimizer["update"];
  readonly scalars: number;
  /** Whether the last scalar, beyond those of the optimiser, is a factor for the gradient. */
  readonly clips: boolean;
}

/** Numbers that a step's update reads. */
export function scalarsOf({ scalars, clips }: UpdateRule): number {
  return scalars + (clips ? 1 : 0);
}

/** `max_norm / (norm + 1e-6)`, at most 1: torch/nn/utils/clip_grad.py. */
export function clipFactor(most: number, norm: number): number {
  return Math.min(1, most / (norm + 1e-6));
}

const FLOAT_BYTES = 4;

export class Updater {
  readonly #tools: Tools;
  readonly #run: RunUpdate;

  constructor(tools: Tools, rule: UpdateRule) {
    this.#tools = tools;
    this.#run = tools.instance<{ run: RunUpdate }>("update", () => compile(rule)).run;
  }

  /** @param scalars their address */
  run({ parameter, first, rows, columns, stride }: ParameterPart, scalars: number): void {
    const { value, gradient, state } = parameter;
    const arrays = [value, gradient, ...state];
    const isWhole = columns === stride || rows === 1;
    const [runs, length] = isWhole ? [1, rows * columns] : [rows, columns];
    for (let row = 0; row < runs; row++) {
      const offset = FLOAT_BYTES * (first + row * stride);
      this.#run(length, ...arrays.map((address) => address + offset), scalars);
      this.#keep(parameter.spec.keep, value + offset, length);
    }
  }

  #keep(keep: readonly [number, number] | undefined, address: number, count: number): void {
    if (!keep) return;
    const [least, most] = keep;
    const values = this.#tools.floats(address, count);
    for (const [i, value] of values.entries()) values[i] = Math.min(Math.max(value, least), most);
  }
}

function compile({ update, scalars, clips }: UpdateRule): Uint8Array<ArrayBuffer> {
  const inputs = 2 + update.state.length;
  const factor = input(inputs + scalars);
  const nodes = new Interner();
  const clipped = (expression: Num): Num =>
    nodes.copy(expression, (leaf) =>
      clips && leaf.kind === "input" && leaf.index === 1 ? mul(factor, leaf) : leaf,
    );
  return compileUpdate({
    inputs,
    scalars: scalars + (clips ? 1 : 0),
    outputs: [
      { target: 0, value: clipped(update.value) },
      ...update.state.map((value, i) => ({ target: 2 + i, value: clipped(value) })),
    ],
  });
}
