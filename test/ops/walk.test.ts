import fc from "fast-check";
import { expect, it } from "vitest";
import { add, gt, mul, type Num, where, x } from "../../src/ops/expr.ts";
import { operands, postorder } from "../../src/ops/walk.ts";
import { arbitraryProgram } from "../support/expressions.ts";

it("lists operands before their users, and each node once", () => {
  fc.assert(
    fc.property(arbitraryProgram(), ({ output }) => {
      const order = postorder(output);
      expect(new Set(order).size).toBe(order.length);
      expect(order.at(-1)).toBe(output);
      order.forEach((node, i) => {
        for (const operand of operands(node)) expect(order.slice(0, i)).toContain(operand);
      });
    }),
  );
});

it("goes from left to right", () => {
  const test = gt(x, 0);
  const scaled = mul(0.1, x);
  const kinds = postorder(where(test, x, scaled)).map((node) => node.kind);
  expect(kinds).toEqual(["input", "const", "compare", "const", "binary", "where"]);
});

it("neither overflows on a deep expression nor explodes on a shared one", () => {
  let deep: Num = x;
  for (let i = 0; i < 200_000; i++) deep = add(deep, deep);
  expect(postorder(deep)).toHaveLength(200_001);
});
