import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { add, constant, gt, input, mul, type Num, param, where, x } from "../../src/ops/expr.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { allOps, bind, defineOp, findOp, type OpDefinition } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";

function failure(act: () => unknown): UsageError {
  try {
    act();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("defineOp", () => {
  it("makes an op that chains find by name", () => {
    const op = defineOp("my_relu", { slope: 1 }, (x, { slope }) => mul(x, slope));
    expect(findOp("my_relu")).toBe(op);
    expect(allOps().at(-1)).toBe(op);
    const elements = Float32Array.of(3);
    evaluate(fuse(parseChain("my_relu(slope=2) | add(1)")), "float32", elements);
    expect(elements[0]).toBe(7);
  });

  it("types the parameters by the keys of the defaults", () => {
    const op = defineOp("my_typed", { slope: 1 }, (x, { slope }) => mul(x, slope));
    bind(op, { slope: 2 });
    // @ts-expect-error: there is no such parameter
    expect(() => bind(op, { slop: 2 })).toThrow(UsageError);
    // @ts-expect-error: there is no such parameter
    expect(() => defineOp("my_mistyped", { slope: 1 }, (x, { slop }) => mul(x, slop))).toThrow(UsageError);
  });

  it("writes the formula from the expression", () => {
    const op = defineOp("my_formula", { k: 2 }, (x, { k }) => where(gt(x, k), x, add(x, k)));
    expect(op.formula).toBe("x > k ? x : x + k");
  });

  it("takes required parameters, and ones per channel", () => {
    const op = defineOp("my_scale", { by: { perChannel: true, about: "Factor." } }, (x, { by }) =>
      mul(x, by),
    );
    expect(bind(op, { by: [1, 2] }).values).toEqual({ by: [1, 2] });
    expect(failure(() => bind(op)).remedy).toBe("Write my_scale(by).");
  });

  it("takes a plain number for an expression", () => {
    expect(defineOp("my_zero", {}, () => 0).expression).toEqual(constant(0));
  });

  it("takes an expression as deep as memory allows", () => {
    const build = () => {
      let deep: Num = x;
      for (let i = 0; i < 50_000; i++) deep = add(deep, 1);
      return deep;
    };
    const elements = Float64Array.of(0.5);
    evaluate(fuse([bind(defineOp("my_deep", {}, build))]), "float64", elements);
    expect(elements[0]).toBe(50_000.5);
  });

  it.each(["MyOp", "my-op", "1op", "", "_op", "my op", "ä"])("refuses the name %j", (name) => {
    expect(failure(() => defineOp(name, {}, (x) => x)).remedy).toContain("snake_case");
  });

  it("refuses the names of the catalog, and its own", () => {
    expect(failure(() => defineOp("relu", {}, (x) => x)).message).toBe('there is an op "relu" already');
    defineOp("my_twice", {}, (x) => x);
    expect(() => defineOp("my_twice", {}, (x) => x)).toThrow(UsageError);
  });

  it("refuses parameter names that a chain could not write, and x", () => {
    expect(() => defineOp("my_bad", { "a-b": 1 }, (x) => x)).toThrow(
      '"a-b" cannot be the name of a parameter of my_bad',
    );
    expect(() => defineOp("my_bad", { x: 1 }, (x) => x)).toThrow("called x");
  });

  it("refuses a default that is no value", () => {
    expect(() => defineOp("my_bad", { k: Number.NaN }, (x) => x)).toThrow(
      "the default of k of my_bad cannot be NaN",
    );
  });

  it.each<[string, unknown]>([
    ["a truth value", gt(x, 0)],
    ["nothing", undefined],
    ["a text", "x + 1"],
    ["another input", input(1)],
    ["a parameter it does not declare", param("ghost")],
    ["a part that is nothing", { kind: "unary", fn: "neg", x: undefined }],
    ["a truth value as a number", { kind: "unary", fn: "neg", x: gt(x, 0) }],
    ["a number as a truth value", { kind: "where", test: x, a: x, b: x }],
  ])("refuses an expression that is or has %s", (_, expression) => {
    expect(() => defineOp("my_bad", {}, () => expression as Num)).toThrow(/^the expression of my_bad/);
    expect(findOp("my_bad")).toBeUndefined();
  });
});

describe("bind", () => {
  it("fills in the defaults", () => {
    expect(bind(catalog.leaky_relu).values).toEqual({ alpha: 0.01 });
    expect(bind(catalog.hard_tanh, { max_val: 5 }).values).toEqual({ min_val: -1, max_val: 5 });
    expect(bind(catalog.leaky_relu, { alpha: undefined }).values).toEqual({ alpha: 0.01 });
  });

  it("keeps -0 and infinities", () => {
    expect(bind(catalog.add, { c: -0 }).values).toEqual({ c: -0 });
    const open = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
    expect(bind(catalog.clamp, open).values).toEqual(open);
  });

  it("copies lists, of any sort", () => {
    const slopes = [0.1, 0.2];
    const bound = bind(catalog.prelu, { alpha: slopes });
    slopes[0] = 9;
    expect(bound.values).toEqual({ alpha: [0.1, 0.2], axis: -1 });
    expect(bind(catalog.prelu, { alpha: Float64Array.of(1, 2) }).values.alpha).toEqual([1, 2]);
  });

  it("takes a list of one value as that value", () => {
    expect(bind(catalog.prelu, { alpha: [0.5] }).values).toEqual({ alpha: 0.5, axis: -1 });
  });

  it.each<[keyof typeof catalog, Record<string, unknown>, string, string | undefined]>([
    [
      "leaky_relu",
      { negative_slope: 1 },
      'leaky_relu has no parameter "negative_slope"',
      "Did you mean alpha?",
    ],
    ["leaky_relu", { alhpa: 1 }, 'leaky_relu has no parameter "alhpa"', "Did you mean alpha?"],
    ["clamp", { lo: 0, max: 1 }, 'clamp has no parameter "max"', "Did you mean hi?"],
    ["clamp", { qqqqqq: 0 }, 'clamp has no parameter "qqqqqq"', "Its parameters: lo, hi."],
    ["relu", { alpha: 0 }, 'relu has no parameter "alpha"', "relu has no parameters."],
    ["relu", { toString: 0 }, 'relu has no parameter "toString"', "relu has no parameters."],
    [
      "threshold",
      { value: 0 },
      "threshold needs a value for threshold",
      "Write threshold(threshold, value).",
    ],
    ["mul", { c: "2" }, 'c of mul must be a number, not "2"', undefined],
    ["mul", { c: null }, "c of mul must be a number, not null", undefined],
    ["mul", { c: 2n }, "c of mul must be a number, not 2", undefined],
    ["mul", { c: Number.NaN }, "c of mul cannot be NaN", undefined],
    ["mul", { c: [1, 2] }, "c of mul is one number, not a list", undefined],
    ["prelu", { alpha: [] }, "alpha of prelu is an empty list; give one number per channel", undefined],
    ["prelu", { alpha: [1, Number.NaN] }, "value 1 of alpha of prelu cannot be NaN", undefined],
    ["prelu", { alpha: [1, "2"] }, 'value 1 of alpha of prelu must be a number, not "2"', undefined],
    ["leaky_relu", { alpha: Number.POSITIVE_INFINITY }, "alpha of leaky_relu must be finite", undefined],
    ["hard_tanh", { max_val: -2 }, "max_val of hard_tanh (-2) is below min_val (-1)", undefined],
  ])("refuses %s with %o", (name, values, message, remedy) => {
    const op: OpDefinition = catalog[name];
    const error = failure(() => bind(op, values as Record<string, number>));
    expect(error.message).toBe(message);
    expect(error.remedy).toBe(remedy);
  });

  it("refuses values that are no object", () => {
    expect(() => bind(catalog.leaky_relu, 0.1 as never)).toThrow("must be an object");
    expect(() => bind(catalog.leaky_relu, null as never)).toThrow("must be an object");
  });
});
