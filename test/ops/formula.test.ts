import { expect, it } from "vitest";
import * as e from "../../src/ops/expr.ts";
import { formatNumber, formulaOf, quote } from "../../src/ops/formula.ts";

const { x } = e;
const p = e.param("p");

it.each<[string, e.Num]>([
  ["x > 0 ? x : p * x", e.where(e.gt(x, 0), x, e.mul(p, x))],
  ["(x + 1) * p", e.mul(e.add(x, 1), p)],
  ["x - 1 - p", e.sub(e.sub(x, 1), p)],
  ["x - (1 - p)", e.sub(x, e.sub(1, p))],
  ["x / (p * x)", e.div(x, e.mul(p, x))],
  ["-(x + 1)", e.neg(e.add(x, 1))],
  ["-(-x)", e.neg(e.neg(x))],
  ["min(max(x, -1), inf)", e.min(e.max(x, -1), Number.POSITIVE_INFINITY)],
  ["round(abs(x))", e.round(e.abs(x))],
  ["x < 0 ? (x == p ? -0 : 1) : x1", e.where(e.lt(x, 0), e.where(e.eq(x, p), -0, 1), e.input(1))],
])("writes %s", (text, expression) => expect(formulaOf(expression)).toBe(text));

it("cuts a formula that would be endless", () => {
  let deep: e.Num = x;
  for (let i = 0; i < 100_000; i++) deep = e.add(deep, deep);
  expect(formulaOf(deep)).toContain("...");
  expect(formulaOf(deep).length).toBeLessThan(1000);
});

it("formats numbers so that they read back the same", () => {
  for (const value of [0, -0, 0.1, 1e-7, -1e21, 5e-324]) expect(Number(formatNumber(value))).toBe(value);
  expect(formatNumber(Number.NEGATIVE_INFINITY)).toBe("-inf");
});

it("quotes anything, at a bounded length", () => {
  expect(quote("a\nb")).toBe('"a\\nb"');
  expect(quote(undefined)).toBe("undefined");
  expect(quote(Object.create(null))).toBe("[object Object]");
  expect(quote("long".repeat(1000)).length).toBeLessThan(70);
});
