import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestOp } from "../../src/ops/op.ts";
import { editDistance, nearest } from "../../src/ops/suggest.ts";

describe("nearest", () => {
  it.each([
    ["LeakyReLU", "leaky_relu"],
    ["leakyrelu", "leaky_relu"],
    ["LeakyRelu", "leaky_relu"],
    ["leaky-relu", "leaky_relu"],
    ["LEAKY_RELU", "leaky_relu"],
    ["torch.nn.LeakyReLU", "leaky_relu"],
    ["tf.nn.leaky_relu", "leaky_relu"],
    ["leaky_rleu", "leaky_relu"],
    ["laky_relu", "leaky_relu"],
    ["lrelu", "leaky_relu"],
    ["PReLU", "prelu"],
    ["ReLU6", "relu6"],
    ["hardtanh", "hard_tanh"],
    ["Hardtanh", "hard_tanh"],
    ["clip", "clamp"],
    ["multiply", "mul"],
    ["tresholt", "threshold"],
    ["Abs", "abs"],
    ["negative", "neg"],
  ])("takes %s for %s", (word, name) => expect(nearestOp(word)).toBe(name));

  it("has nothing to say to a word like no other", () => {
    expect(nearestOp("convolution")).toBeUndefined();
    expect(nearestOp("")).toBeUndefined();
    expect(nearestOp("relu".repeat(100_000))).toBeUndefined();
  });

  it("takes a name before an alias, and the first of equals", () => {
    const known = [{ name: "one", aliases: ["map"] }, { name: "mad" }, { name: "max" }];
    expect(nearest("maq", known)).toBe("mad");
    expect(nearest("map", known)).toBe("one");
  });
});

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["abc", "", 3],
    ["abc", "abd", 1],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("of %j and %j is %i", (a, b, distance) => expect(editDistance(a, b)).toBe(distance));

  it("is the same both ways, 0 only for equals, and at most the longer length", () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
