import { describe, expect, it } from "vitest";
import { computationOf } from "../../../src/ops/compute.ts";
import { evaluate } from "../../../src/ops/evaluate.ts";
import { constant, input, pow, sub, x } from "../../../src/ops/expr.ts";
import { toProgram } from "../../../src/ops/fuse.ts";
import type { Program } from "../../../src/ops/program.ts";
import { postorder } from "../../../src/ops/walk.ts";
import { at, float32Sample, results, table, unit32, unit64 } from "./measure.ts";

/** x to the power of y, from two arrays. */
const program: Program = {
  ...toProgram(x),
  key: "pow of two inputs",
  inputs: 2,
  output: pow(input(0), input(1)),
};

function powers<A extends Float32Array | Float64Array>(base: A, y: A): A {
  const result = base.slice() as A;
  if (result instanceof Float32Array) evaluate(program, "float32", [result, y as Float32Array]);
  else evaluate(program, "float64", [result, y as Float64Array]);
  return result;
}

const SPECIAL = [
  ...[0, 0.5, 1, 1.5, 2, 3, 1e30, 2 ** 53 - 1, 2 ** 53, 2 ** 80, 2 ** -1074, 1 + 2 ** -23, 1 - 2 ** -24],
  Infinity,
].flatMap((number) => [number, -number]);
SPECIAL.push(Number.NaN);

/** As C has it: JavaScript gives NaN for powers of 1 and -1 where C gives 1. */
function powerOfC(base: number, y: number): number {
  return base === 1 || (base === -1 && Math.abs(y) === Infinity) ? 1 : base ** y;
}

it("is off by less than 1.01 units of float64 at the hardest points", () => {
  const rows = table("pow");
  const base = Float64Array.from(rows, ([b]) => b!);
  const y = Float64Array.from(rows, ([, e]) => e!);
  const got = powers(base, y);
  expect(rows.length).toBeGreaterThan(250);
  for (const [i, [b, e, exact, rest]] of rows.entries()) {
    if (!Number.isFinite(exact)) expect(got[i]).toBe(exact);
    else
      expect(Math.abs((got[i]! - exact!) / unit64(exact!) - rest!), `${b} ** ${e}`).toBeLessThan(
        Math.abs(exact!) < 2 ** -1022 ? 1.01 : 0.75,
      );
  }
});

it("is off by little more than half a unit of float32", () => {
  const sample = float32Sample().filter((_, i) => i % 2 === 0);
  const exponents = sample.map(
    (base, i) => ((i % 37) / 18.5 - 1) * (150 / Math.max(1, Math.abs(Math.log2(base)))),
  );
  const got = powers(sample, exponents);
  let worst = 0;
  for (let i = 0; i < sample.length; i++) {
    const exact = sample[i]! ** exponents[i]!;
    if (!Number.isFinite(Math.fround(exact))) expect(got[i]).toBe(Math.fround(exact));
    else worst = Math.max(worst, Math.abs(got[i]! - exact) / unit32(exact));
  }
  expect(worst).toBeLessThan(0.503);
});

describe.each([
  ["float32", Float32Array, unit32],
  ["float64", Float64Array, unit64],
] as const)("the special cases of IEEE 754 in %s", (dtype, array, unit) => {
  const pairs = SPECIAL.flatMap((base) => SPECIAL.map((y) => [base, y] as const));
  const check = (base: number, y: number, got: number): void => {
    const rounded = array.of(powerOfC(array.of(base)[0]!, y))[0]!;
    const near = Number.isFinite(rounded) && rounded !== 0 && Math.abs(got - rounded) <= 2 * unit(rounded);
    if (!near) expect(got, `${base} ** ${y}`).toBe(rounded);
  };

  it("hold for any exponent", () => {
    const bases = pairs.map(([base]) => base);
    const exponents = pairs.map(([, y]) => y);
    const got =
      dtype === "float32"
        ? powers(Float32Array.from(bases), Float32Array.from(exponents))
        : powers(Float64Array.from(bases), Float64Array.from(exponents));
    for (const [i, [base, y]] of pairs.entries()) check(base, array.of(y)[0]!, got[i]!);
  });

  it("hold for constant exponents", () => {
    for (const y of [...SPECIAL, -2, 4, -4, 5, 8, 15, -15, 16, 17, -17, 0.25]) {
      const fixed = toProgram(pow(x, constant(y)));
      const got =
        dtype === "float32"
          ? results(fixed, dtype, Float32Array.from(SPECIAL))
          : results(fixed, dtype, Float64Array.from(SPECIAL));
      for (const [i, base] of SPECIAL.entries()) check(base, y, got[i]!);
    }
  });
});

it("takes products for small whole exponents, and for those that derivatives make", () => {
  const steps = (exponent: Parameters<typeof pow>[1]): number =>
    postorder(computationOf(toProgram(pow(x, exponent)), "float32").output).length;
  expect(steps(2)).toBe(2);
  expect(steps(sub(4, 1))).toBe(3);
  expect(steps(0)).toBe(1);
  expect(at(toProgram(pow(x, sub(4, 1))), "float64", -3)).toBe(-27);
});
