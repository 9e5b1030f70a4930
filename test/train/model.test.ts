/** @file A model: what it is made of, and what it predicts. */
import { describe, expect, it } from "vitest";
import { OpSyntaxError, UsageError } from "../../src/errors.ts";
import { gelu, leakyRelu } from "../../src/index.ts";
import { bind, findOp } from "../../src/ops/op.ts";
import { activation, dense, dropout } from "../../src/train/layers.ts";
import { Model, sequential } from "../../src/train/model.ts";
import { EVERY_LAYER, EVERY_LAYER_INPUT, modelOf, randomRows } from "../support/models.ts";
import { outputs } from "../support/network-reference.ts";

const reference = (model: Model, rows: Float32Array): Float64Array => {
  const tensors = new Map([...model.tensors].map(([name, values]) => [name, Float64Array.from(values)]));
  return outputs(model.network, tensors, Float64Array.from(rows), { training: false });
};

describe("sequential", () => {
  it("takes layers, ops in every form, and text", () => {
    const leaky = findOp("leaky_relu")!;
    const expected = [dense(8), activation(bind(leaky, { alpha: 0.2 })), dropout(0.1), dense(3)];
    expect(sequential(dense(8), leakyRelu.with({ alpha: 0.2 }), dropout(0.1), dense(3)).layers).toEqual(
      expected,
    );
    expect(sequential("dense(8) | leaky_relu(0.2) | dropout(0.1) | dense(3)").layers).toEqual(expected);
    expect(sequential(dense(8), "leaky_relu(0.2)", "dropout(0.1) | dense(3)").layers).toEqual(expected);
    expect(sequential(gelu, leaky).layers).toEqual([activation(findOp("gelu")!), activation(leaky)]);
  });

  it("points at what it cannot read", () => {
    expect(() => sequential("dense(8) | leky_relu")).toThrow(OpSyntaxError);
  });
});

describe("a model", () => {
  it("says so where it is not trained yet", () => {
    const model = sequential("dense(2)");
    expect(model.isTrained).toBe(false);
    expect(() => model.predict(new Float32Array(4))).toThrow(/not trained yet/);
    expect(() => model.network).toThrow(UsageError);
  });

  it.each([
    ["dense(8) | leaky_relu(0.1) | dense(3)", [5], 200],
    [EVERY_LAYER, EVERY_LAYER_INPUT, 13],
  ] as const)("predicts what %s computes", (layers, shape, count) => {
    const model = modelOf(layers, shape);
    const size = shape.reduce((product: number, length) => product * length, 1);
    const rows = randomRows(count, size);
    const expected = reference(model, rows);
    const got = model.predict(rows);
    expect(got.length).toBe(expected.length);
    const worst = Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });

  it("predicts a row alike alone and among others, and none of none", () => {
    const model = modelOf("dense(16) | gelu | dense(4)", [7]);
    const rows = randomRows(301, 7);
    const together = model.predict(rows);
    expect(model.predict(rows.subarray(7 * 300))).toEqual(together.subarray(4 * 300));
    expect(model.predict(new Float32Array(0))).toEqual(new Float32Array(0));
  });

  it("predicts with the weights that it has, whoever predicted before and whatever was changed", () => {
    const [one, other] = [modelOf("dense(3) | tanh", [5]), modelOf("dense(3) | tanh", [5])];
    other.tensors.get("0.bias")!.fill(0.5);
    const row = randomRows(1, 5);
    // Of many rows nothing is kept.
    const fresh = (model: Model): Float32Array => {
      const rows = new Float32Array(20 * 5);
      rows.set(row);
      return model.predict(rows).subarray(0, 3);
    };
    for (const model of [one, one, other, one, other]) expect(model.predict(row)).toEqual(fresh(model));
    const before = one.predict(row);
    one.tensors.get("0.weight")![0]! += 1;
    expect(one.predict(row)).not.toEqual(before);
    expect(one.predict(row)).toEqual(fresh(one));
    one.set({ ...other.trained, network: one.network });
    expect(one.predict(row)).toEqual(fresh(other));
  });

  it("refuses what is no whole number of rows", () => {
    const model = modelOf("dense(2)", [2, 3]);
    expect(() => model.predict(new Float32Array(7))).toThrow(/7 elements are no rows of 6/);
    expect(() => model.predict([1, 2] as unknown as Float32Array)).toThrow(UsageError);
  });

  it("refuses tensors that are not those of its network", () => {
    const { layers, trained } = modelOf("dense(2)", [3]);
    const without = new Map([...trained.tensors].slice(1));
    expect(() => new Model(layers, { ...trained, tensors: without })).toThrow(/0\.weight is missing/);
    const short = new Map(trained.tensors).set("0.bias", new Float32Array(3));
    expect(() => new Model(layers, { ...trained, tensors: short })).toThrow(/0\.bias has 3 values/);
  });
});
