import { describe, expect, it } from "vitest";
import { backward } from "../../src/ops/backward.ts";
import { arithmetic } from "../../src/ops/catalog/arithmetic.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { piecewise } from "../../src/ops/catalog/piecewise.ts";
import type { OpDefinition } from "../../src/ops/definition.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { describeChain, fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { postorder } from "../../src/ops/walk.ts";
import { firstDifference } from "../support/expressions.ts";
import { inputs, outputs } from "./pytorch-bits.ts";
import { gradients, upstream } from "./pytorch-gradients.ts";

function apply(ops: string, ...numbers: number[]): number[] {
  const elements = Float64Array.from(numbers);
  evaluate(fuse(parseChain(ops)), "float64", elements);
  return [...elements];
}

describe("against PyTorch", () => {
  it.each(Object.keys(outputs))("%s gives the same float32 bits", (ops) => {
    const elements = new Float32Array(inputs.slice().buffer);
    evaluate(fuse(parseChain(ops)), "float32", elements);
    const expected = new Float32Array(outputs[ops]!.slice().buffer);
    const at = firstDifference("float32", elements, expected);
    expect(at === -1 ? "equal" : `${inputs[at]!.toString(16)} -> ${elements[at]}, not ${expected[at]}`).toBe(
      "equal",
    );
  });

  it.each(Object.entries(gradients))("%s gives the same float32 bits of its gradient", (ops, expected) => {
    for (const [sort, dx] of Object.entries(expected)) {
      const x = new Float32Array(inputs.slice().buffer);
      const actual = new Float32Array(upstream[sort as keyof typeof upstream].slice().buffer);
      const dy = actual.slice();
      evaluate(backward(parseChain(ops)), "float32", [x, actual]);
      const at = firstDifference("float32", actual, new Float32Array(dx.slice().buffer));
      const text =
        at === -1 ? "equal" : `x ${x[at]}, dy ${dy[at]} -> ${actual[at]}, not ${dx[at]!.toString(16)}`;
      expect(text).toBe("equal");
    }
  });

  it.each([outputs, gradients])("covers all straight pieces and all arithmetic", (table) => {
    const covered = new Set(Object.keys(table).map((ops) => parseChain(ops)[0]!.op.name));
    const ops = Object.keys({ ...piecewise, ...arithmetic });
    expect(ops.filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe("prelu", () => {
  it("takes an axis, which is no part of the expression and has no gradient", () => {
    const chain = parseChain("prelu([0.1, 0.2], axis=1)");
    expect(fuse(chain).channels).toEqual([{ name: "prelu.alpha", values: [0.1, 0.2], axis: 1 }]);
    expect(backward(chain).sums.map(({ name }) => name)).toEqual(["prelu.alpha"]);
    expect(() => parseChain("prelu([0.1, 0.2], axis=0.5)")).toThrow("must be a whole number");
  });
  it("is told without its axis where that is the last one", () => {
    expect(describeChain(parseChain("prelu([1, 2])"))).toBe("prelu(alpha=[1, 2])");
    expect(describeChain(parseChain("prelu([1, 2], -3)"))).toBe("prelu(alpha=[1, 2], axis=-3)");
  });
  it("stands once for each axis in a chain", () => {
    expect(() => fuse(parseChain("prelu([1, 2], 1) | prelu([1, 2])"))).toThrow(
      "prelu.alpha is for axis 1, but prelu#2.alpha is for axis -1",
    );
  });
});

it("rrelu has the middle slope, rounded once", () => {
  expect(apply("rrelu", -48)).toEqual([-11]);
  const elements = Float32Array.of(-1);
  evaluate(fuse(parseChain("rrelu")), "float32", elements);
  expect(elements[0]).toBe(-Math.fround((1 / 8 + 1 / 3) / 2));
  expect(() => parseChain("rrelu(0.5, 0.25)")).toThrow("upper of rrelu (0.25) is below lower (0.5)");
});

describe("leaky_relu", () => {
  it("has slope 0.01 unless told otherwise", () => {
    expect(apply("leaky_relu", -2, 2)).toEqual([-0.02, 2]);
    expect(apply("leaky_relu(0.2)", -2, 2)).toEqual([-0.4, 2]);
  });
  it("keeps -0", () => expect(apply("leaky_relu", -0)).toEqual([-0]));
  it("keeps NaN", () => expect(apply("leaky_relu", Number.NaN)).toEqual([Number.NaN]));
  it("takes slopes above 1 and below 0", () => {
    expect(apply("leaky_relu(3)", -2, 2)).toEqual([-6, 2]);
    expect(apply("leaky_relu(-3)", -2, 2)).toEqual([6, 2]);
  });
});

it("relu, relu6 and clamp keep -0", () => {
  for (const ops of ["relu", "relu6", "clamp(0, 1)", "hard_tanh(0, 1)"]) expect(apply(ops, -0)).toEqual([-0]);
});

it("clamp gives hi where lo is above it", () => {
  expect(apply("clamp(2, -2)", -5, 0, 5, Number.NaN)).toEqual([-2, -2, -2, Number.NaN]);
});

it("threshold replaces what is not above, and keeps NaN", () => {
  expect(apply("threshold(1, 20)", 0, 1, 1.5, Number.NaN)).toEqual([20, 20, 1.5, Number.NaN]);
});

it("sqrt is correctly rounded, where PyTorch with MKL gives 26d8a1b4", () => {
  const elements = new Float32Array(Uint32Array.of(0x0e375145).buffer);
  evaluate(fuse(parseChain("sqrt")), "float32", elements);
  expect(new Uint32Array(elements.buffer)[0]!.toString(16)).toBe("26d8a1b3");
  expect(apply("sqrt", -0, 4, -1)).toEqual([-0, 2, Number.NaN]);
});

it("div by 0 gives infinities and NaN", () => {
  expect(apply("div(0)", 1, -1, 0)).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
});

it("round takes halves to the even number", () => {
  expect(apply("round", 0.5, 1.5, 2.5, -0.5, -1.5, -2.5)).toEqual([0, 2, 2, -0, -2, -2]);
});

describe("every op of the catalog", () => {
  const ops: [string, OpDefinition][] = Object.entries(catalog);

  it.each(ops)("%s stands under its own name", (name, op) => expect(op.name).toBe(name));

  it.each(ops)("%s says what it does, where, and after whom", (_, op) => {
    for (const text of [op.summary, op.formula, op.gradient, op.domain, op.source]) expect(text).not.toBe("");
    for (const spec of op.params) expect(spec.about).not.toBe("");
  });

  it.each(ops)("%s uses each of its parameters, and x", (_, op) => {
    const leaves = postorder(op.expression).flatMap((node) =>
      node.kind === "param" ? [node.name] : node.kind === "input" ? ["x"] : [],
    );
    const params = op.params.filter((spec) => !spec.channelAxis);
    expect(new Set(leaves)).toEqual(new Set(["x", ...params.map((spec) => spec.name)]));
  });

  it.each(ops)("%s is pure data", (_, op) => expect(structuredClone(op)).toEqual(op));

  it("has no alias that is the name of another", () => {
    for (const [, op] of ops)
      for (const alias of op.aliases) expect(Object.keys(catalog)).not.toContain(alias);
  });
});

it("formulas read as people write them", () => {
  expect(catalog.leaky_relu.formula).toBe("x > 0 ? x : alpha * x");
  expect(catalog.relu.formula).toBe("x < 0 ? 0 : x");
  expect(catalog.threshold.formula).toBe("x <= threshold ? value : x");
  expect(catalog.square.formula).toBe("x * x");
  expect(catalog.reciprocal.formula).toBe("1 / x");
});
