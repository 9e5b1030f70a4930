import { expect, test } from "vitest";
import { OpSyntaxError, UsageError } from "../../src/errors.ts";
import { lossText, parseClassWeights, parseLoss, resolveClassWeights } from "../../src/train/loss-text.ts";
import type { Loss } from "../../src/train/losses.ts";

const LOSSES: readonly (readonly [text: string, loss: Loss])[] = [
  ["cross_entropy", { kind: "cross_entropy", smoothing: 0 }],
  ["cross_entropy(smoothing=0.1)", { kind: "cross_entropy", smoothing: 0.1 }],
  ["mse", { kind: "mse" }],
  ["mae", { kind: "mae" }],
  ["huber(delta=2)", { kind: "huber", delta: 2 }],
  ["bce_with_logits", { kind: "bce_with_logits" }],
];

test.each(LOSSES)("%s is that loss, and written so again", (text, loss) => {
  expect(parseLoss(text)).toEqual(loss);
  expect(lossText(loss)).toBe(text);
});

test("the delta of huber may be left out, and go by its place", () => {
  expect(parseLoss("huber")).toEqual({ kind: "huber", delta: 1 });
  expect(parseLoss("huber(0.5)")).toEqual({ kind: "huber", delta: 0.5 });
});

const WRONG: readonly (readonly [text: string, says: RegExp, remedy?: RegExp])[] = [
  ["cross_entrophy", /unknown loss/, /Did you mean cross_entropy/],
  ["nn.CrossEntropyLoss", /unknown loss/, /Did you mean cross_entropy/],
  ["bce", /unknown loss/, /Did you mean bce_with_logits/],
  ["quax", /unknown loss/, /Known: cross_entropy/],
  ["mse(1)", /takes no values/],
  ["huber(gamma=1)", /no setting "gamma"/, /It has delta/],
  ["huber(0)", /delta of huber cannot be 0/],
  ["huber(wide)", /must be a number/],
  ["mse | mae", /one loss/],
];

for (const [text, says, remedy] of WRONG) {
  test(`${text} is an error that says what to write`, () => {
    try {
      parseLoss(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OpSyntaxError);
      expect((error as OpSyntaxError).message).toMatch(says);
      if (remedy) expect((error as OpSyntaxError).remedy).toMatch(remedy);
    }
  });
}

test("class weights go in order, by name, or balance the classes", () => {
  const classes = ["cat", "dog", "a, b"];
  const resolve = (text: string): readonly number[] =>
    resolveClassWeights(parseClassWeights(text), classes, [10, 30, 0]);
  expect(resolve("1, 2, 0.5")).toEqual([1, 2, 0.5]);
  expect(resolve("[1, 2, 0.5]")).toEqual([1, 2, 0.5]);
  expect(resolve("dog=3")).toEqual([1, 3, 1]);
  expect(resolve("dog=3, cat = 0")).toEqual([0, 3, 1]);
  expect(resolve('{"a, b": 2}')).toEqual([1, 1, 2]);
  // Each class that there is counts as much as the others: 10 * 2 = 30 * 2/3.
  expect(resolve("balanced")).toEqual([2, 40 / 60, 0]);
});

test("class weights that fit nothing are an error", () => {
  for (const text of ["heavy", "1, x", "cat=", "-1, 2", "{oops", '{"cat": "2"}']) {
    expect(() => parseClassWeights(text)).toThrow(UsageError);
  }
  expect(() => resolveClassWeights([1, 2], ["a", "b", "c"], [1, 1, 1])).toThrow(
    /2 class weights for 3 classes/,
  );
  expect(() => resolveClassWeights([0, 0], ["a", "b"], [1, 1])).toThrow(/no row counts/);
  expect(() => resolveClassWeights({ x: 1 }, ["a"], [1])).toThrow(/no class "x"/);
});
