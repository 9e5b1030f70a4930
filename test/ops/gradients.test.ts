/** @file Gradients made by rule agree with finite differences in float64: every op, every parameter, and chains of ops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { bind } from "../../src/ops/bind.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import type { BoundOp, OpDefinition } from "../../src/ops/definition.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import type { Num } from "../../src/ops/expr.ts";
import { fuse } from "../../src/ops/fuse.ts";
import type { Program } from "../../src/ops/program.ts";
import { postorder } from "../../src/ops/walk.ts";

/** A step so small that the curve is straight, and so large that the difference has digits left. */
const STEP = 1e-6;
/** Error of the central difference, relative to the terms it is made of. */
const TOLERANCE = 1e-5;

const isElementwise = ({ expression }: OpDefinition): boolean =>
  !postorder(expression).some(({ kind }) => kind === "reduce");
const ops: readonly OpDefinition[] = Object.values<OpDefinition>(catalog).filter(isElementwise);

/** The chain's value at `x`. */
function forward(chain: readonly BoundOp[], x: number): number {
  const elements = Float64Array.of(x);
  evaluate(fuse(chain), "float64", elements);
  return elements[0]!;
}

/** What an expression of a backward program is for an upstream gradient of 1. */
function derivative(program: Program, output: Num, x: number): number {
  const dy = Float64Array.of(1);
  evaluate({ ...program, output, sums: [] }, "float64", [Float64Array.of(x), dy]);
  return dy[0]!;
}

/** The slope of `f` at 0 offset; `undefined` where it has none to measure: at a kink, a jump or an edge of its domain. */
function slope(f: (offset: number) => number): number | undefined {
  const [left, middle, right] = [f(-STEP), f(0), f(STEP)];
  if (![left, middle, right].every(Number.isFinite)) return undefined;
  const [before, after] = [(middle - left) / STEP, (right - middle) / STEP];
  const scale = 1 + Math.abs(before) + Math.abs(middle);
  return Math.abs(after - before) > 1e-3 * scale ? undefined : (right - left) / (2 * STEP);
}

/** Whether a gradient was there to compare. */
function compare(measured: number | undefined, byRule: number, value: number, what: string): boolean {
  if (measured === undefined) return false;
  const error = Math.abs(byRule - measured) / (1 + Math.abs(measured) + Math.abs(value));
  expect(error, `${what}: ${byRule} by rule, ${measured} measured`).toBeLessThan(TOLERANCE);
  return true;
}

/** Compares dx and every parameter's gradient; gives how many there were to compare. */
function compareAll(chain: readonly BoundOp[], x: number): number {
  const program = backward(chain);
  const value = forward(chain, x);
  const where = `${chain.map(({ op, values }) => `${op.name} ${JSON.stringify(values)}`).join(" | ")} at ${x}`;
  const dx = slope((offset) => forward(chain, x + offset));
  let compared = Number(compare(dx, derivative(program, program.output, x), value, `dx of ${where}`));
  let at = 0;
  for (const [link, { op, values }] of chain.entries()) {
    for (const { name } of op.params.filter(({ channelAxis }) => !channelAxis)) {
      const sum = program.sums[at++]!;
      const shifted = (offset: number): number => {
        const shiftedValues = { ...values, [name]: (values[name] as number) + offset };
        return forward(chain.with(link, { op, values: shiftedValues }), x);
      };
      expect(sum.name).toContain(`.${name}`);
      const byRule = derivative(program, sum.term, x);
      compared += Number(compare(slope(shifted), byRule, value, `${sum.name} of ${where}`));
    }
  }
  return compared;
}

/** Off round numbers, where kinks and jumps are: fast-check is fond of those. */
const arbitraryBetween = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 1000, max: max * 1000 - 1 }).map((thousandths) => (thousandths + 0.3141) / 1000);
const arbitraryValue = arbitraryBetween(0.1, 2);

/** An op with random values for its parameters, near its defaults where it has some. */
function arbitraryOp(op: OpDefinition): fc.Arbitrary<BoundOp> {
  return fc.tuple(...op.params.map(() => arbitraryValue)).map((factors) => {
    const values: Record<string, number> = {};
    op.params.forEach((spec, i) => {
      if (spec.channelAxis) return;
      const value = (spec.default || 1) * factors[i]!;
      values[spec.name] = spec.notBelow === undefined ? value : Math.max(value, values[spec.notBelow]! + 0.1);
    });
    return bind(op, values);
  });
}

const arbitraryX = arbitraryBetween(-6, 6);

describe.each(ops.map((op) => [op.name, op] as const))("the gradient of %s", (_, op) => {
  it("agrees with differences, by x and by each parameter", () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryOp(op), arbitraryX, (bound, x) => {
        compared += compareAll([bound], x);
      }),
      { numRuns: 50 },
    );
    expect(compared).toBeGreaterThan(15);
  });
});

it("the gradient of a chain of any ops agrees with differences, by x and by each parameter", () => {
  let compared = 0;
  const arbitraryLink = fc.constantFrom(...ops).chain(arbitraryOp);
  const arbitraryChain = fc.array(arbitraryLink, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(arbitraryChain, arbitraryX, (chain, x) => {
      // Where a link's value is large, a difference of two such values has few digits; and 0, where relu leaves half of
      // all x, is the edge of what sqrt takes.
      const values = chain.map((_, i) => Math.abs(forward(chain.slice(0, i + 1), x)));
      fc.pre(values.every((value) => value > 0.01 && value < 100));
      compared += compareAll(chain, x);
    }),
    { numRuns: 150 },
  );
  expect(compared).toBeGreaterThan(60);
});
