/** @file A chain of ops as functions to draw: its value and its derivative, of x alone. */
import { UsageError } from "../../errors.ts";
import { backward } from "../../ops/backward.ts";
import type { BoundOp } from "../../ops/definition.ts";
import { evaluate } from "../../ops/evaluate.ts";
import { constant, type Num } from "../../ops/expr.ts";
import { describeChain, fuse, toProgram } from "../../ops/fuse.ts";
import { Interner } from "../../ops/intern.ts";
import { parseChain } from "../../ops/parse.ts";
import type { Program } from "../../ops/program.ts";
import { postorder } from "../../ops/walk.ts";
import { branchesOf } from "./branches.ts";

/** A function of one number, computed in float64 for many at once. */
export interface PlotFunction {
  readonly valuesAt: (xs: Float64Array) => Float64Array;
  /**
   * A number that tells which branches the expression takes at each x: it is the same wherever all comparisons have the
   * same outcome. Between two equal ones the function is smooth.
   */
  readonly branchesAt: (xs: Float64Array) => Float64Array;
}

/** One entry of the legend. */
export interface Subject {
  readonly label: string;
  /** The chain with every parameter. */
  readonly ops: string;
  readonly value: PlotFunction;
  readonly gradient: PlotFunction | undefined;
}

/**
 * What a chain's text stands for: one function, or one for each channel of its lists.
 *
 * @throws OpSyntaxError for a text that is no chain
 * @throws UsageError for an op over rows: its value at x depends on the rest of the row
 * @throws UnsupportedError where the gradient is asked for and an op has none
 */
export function subjectsOf(text: string, withGradient: boolean): Subject[] {
  const chain = parseChain(text);
  const lengths = new Set(chain.flatMap(({ values }) => Object.values(values).map(lengthOf)));
  lengths.delete(1);
  if (lengths.size === 0) return [subjectOf(chain, text.trim().replace(/\s+/g, " "), withGradient)];
  // Fusing checks that all lists have the same length.
  const [channels] = fuse(chain).channels;
  return channels!.values.map((_, i) => {
    const single = chain.map((link) => ofChannel(link, i));
    return subjectOf(single, describeChain(single), withGradient);
  });
}

const lengthOf = (value: number | readonly number[]): number =>
  typeof value === "number" ? 1 : value.length;

function ofChannel({ op, values }: BoundOp, channel: number): BoundOp {
  const settled = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === "number" ? value : value[channel]!,
  ]);
  return { op, values: Object.fromEntries(settled) };
}

/** One function, for a chain whose parameters have one value each. */
export function subjectOf(chain: readonly BoundOp[], label: string, withGradient: boolean): Subject {
  const program = fuse(chain);
  const { output } = program;
  if (!isElementwise(output)) {
    throw new UsageError(`${label} has no curve: what it makes of a number depends on the rest of its row`, {
      remedy: "Leave it out: ops over rows (softmax, layer_norm and their like) cannot be drawn.",
    });
  }
  return {
    label,
    ops: describeChain(chain),
    value: functionOf(output),
    gradient: withGradient ? functionOf(derivativeOf(backward(chain))) : undefined,
  };
}

export const isElementwise = (expression: Num): boolean =>
  postorder(expression).every(({ kind }) => kind !== "reduce" && kind !== "rowLength");

/** dx of the backward program for dy = 1. */
function derivativeOf({ output }: Program): Num {
  return new Interner().copy(output, (leaf) =>
    leaf.kind === "input" && leaf.index === 1 ? constant(1) : leaf,
  );
}

export function functionOf(expression: Num): PlotFunction {
  const at = (program: Program) => (xs: Float64Array) => {
    const values = xs.slice();
    evaluate(program, "float64", values);
    return values;
  };
  return { valuesAt: at(toProgram(expression)), branchesAt: at(toProgram(branchesOf(expression))) };
}
