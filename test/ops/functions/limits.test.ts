import { describe, expect, it } from "vitest";
import { add, exp, expm1, log, mul, type Num, pow, x } from "../../../src/ops/expr.ts";
import { float16ToNumber, float64ToFloat16 } from "../../../src/ops/float16.ts";
import { toProgram } from "../../../src/ops/fuse.ts";
import { at, NAMES, type Name, PLAIN, programOf, results } from "./measure.ts";

describe.each(["float32", "float64"] as const)("in %s", (dtype) => {
  const value = (name: Name, of: number): number => at(programOf(name), dtype, of);

  it.each(NAMES)("%s keeps NaN", (name) => {
    expect(value(name, Number.NaN)).toBeNaN();
  });

  it.each(["expm1", "log1p", "tanh"] as const)("%s keeps the sign of zero, and tiny numbers", (name) => {
    const tiny = dtype === "float32" ? 2 ** -149 : 2 ** -1074;
    for (const same of [0, -0, tiny, -tiny, 3 * tiny]) expect(value(name, same)).toBe(same);
  });

  it("goes to the limits at the infinities", () => {
    expect(NAMES.map((name) => [name, value(name, Infinity), value(name, -Infinity)])).toEqual([
      ["exp", Infinity, 0],
      ["expm1", Infinity, -1],
      ["log", Infinity, Number.NaN],
      ["log1p", Infinity, Number.NaN],
      ["sigmoid", 1, 0],
      ["softplus", Infinity, 0],
      ["tanh", 1, -1],
    ]);
  });

  it("goes to the limits at the largest numbers", () => {
    const large = dtype === "float32" ? 2 ** 127 : Number.MAX_VALUE;
    expect(NAMES.map((name) => [name, value(name, -large)])).toEqual([
      ["exp", 0],
      ["expm1", -1],
      ["log", Number.NaN],
      ["log1p", Number.NaN],
      ["sigmoid", 0],
      ["softplus", 0],
      ["tanh", -1],
    ]);
    expect(value("softplus", large)).toBe(large);
    expect(value("exp", large)).toBe(Infinity);
  });

  it("gives exact results at 0 and 1", () => {
    expect(value("exp", 0)).toBe(1);
    expect(value("exp", -0)).toBe(1);
    expect(value("sigmoid", 0)).toBe(0.5);
    expect(value("sigmoid", -0)).toBe(0.5);
    expect(value("log", 1)).toBe(0);
  });

  it("knows the logarithms of zeros and of negative numbers", () => {
    expect(value("log", 0)).toBe(-Infinity);
    expect(value("log", -0)).toBe(-Infinity);
    expect(value("log", -1)).toBeNaN();
    expect(value("log", -1e-40)).toBeNaN();
    expect(value("log1p", -1)).toBe(-Infinity);
    expect(value("log1p", -1.5)).toBeNaN();
  });
});

it.each(NAMES)("%s is correctly rounded in float16, for every number", (name) => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const got = results(programOf(name), "float16", bits);
  for (const [i, word] of got.entries()) {
    const exact = PLAIN[name](float16ToNumber(i));
    if (Number.isNaN(exact)) expect(float16ToNumber(word)).toBeNaN();
    else if (word !== float64ToFloat16(exact)) expect(float16ToNumber(word), `${name} of ${i}`).toBe(exact);
  }
});

it("overflows in a chain of float32 only where float64 does", () => {
  const of = (output: Num, element: number): number => at(toProgram(output), "float32", element);
  expect(of(log(exp(x)), 600)).toBe(600);
  expect(of(log(exp(x)), -600)).toBe(-600);
  expect(of(log(exp(x)), 800)).toBe(Infinity);
  expect(of(log(exp(x)), -800)).toBe(-Infinity);
  expect(of(log(expm1(x)), 800)).toBe(Infinity);
  expect(of(log(add(1, mul(x, 0))), 5)).toBe(0);
  expect(of(pow(exp(x), x), 0)).toBe(1);
});
