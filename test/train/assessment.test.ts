import { expect, test } from "vitest";
import { Assessment } from "../../src/train/assessment.ts";

const log = Math.log;

test("rows are counted by their class and by the likeliest one", () => {
  const assessment = Assessment.for({ kind: "classes", classes: ["a", "b", "c"] }, 3)!;
  const batch = { features: Float32Array.of(1, 2, 3, 4, 9), targets: Float32Array.of(0, 0, 2, 1, 0) };
  const outputs = Float32Array.of(5, 0, 0, /**/ 0, 5, 0, /**/ 0, 0, 5, /**/ 1, 1, 0, /**/ 9, 9, 9);
  assessment.add(batch, outputs, 4);
  expect(assessment.result().confusion).toEqual({
    classes: ["a", "b", "c"],
    counts: [
      [1, 1, 0],
      // Of equal outputs the first one counts.
      [1, 0, 0],
      [0, 0, 1],
    ],
  });
});

test("the ten rows whose likeliest class is the least likely are kept, with their features", () => {
  const rows = 40;
  const assessment = Assessment.for({ kind: "classes", classes: [7, 8] }, 2)!;
  // Row r finds its class with a probability of 0.5 + ((r * 7) % 40) / 100.
  const certainty = (row: number): number => 0.5 + ((row * 7) % rows) / 100;
  const features = Float32Array.from({ length: 2 * rows }, (_, i) => i);
  const outputs = Float32Array.from({ length: 2 * rows }, (_, i) => {
    const share = certainty(i >> 1);
    return log(i % 2 === 0 ? share : 1 - share);
  });
  for (const start of [0, 20]) {
    assessment.add(
      { features: features.slice(2 * start, 2 * start + 40), targets: new Float32Array(20) },
      outputs.slice(2 * start, 2 * start + 40),
      20,
    );
  }
  const { uncertain } = assessment.result();
  const expected = Array.from({ length: rows }, (_, row) => row).sort((a, b) => certainty(a) - certainty(b));
  expect(uncertain.map((row) => row.features[0]! / 2)).toEqual(expected.slice(0, 10));
  const [first] = uncertain;
  expect(first).toMatchObject({ truth: "7", guesses: [{ name: "7" }, { name: "8" }] });
  expect(uncertain[3]!.guesses[0]!.share).toBeCloseTo(0.53, 6);
});

test("one output is the logit of the second of two classes", () => {
  const assessment = Assessment.for({ kind: "classes", classes: [false, true] }, 1)!;
  assessment.add(
    { features: Float32Array.of(1, 2, 3), targets: Float32Array.of(0, 1, 1) },
    Float32Array.of(-2, 3, -1),
    3,
  );
  const { confusion, uncertain } = assessment.result();
  expect(confusion.counts).toEqual([
    [1, 0],
    [1, 1],
  ]);
  expect(uncertain[0]).toMatchObject({ truth: "true", guesses: [{ name: "false" }, { name: "true" }] });
});

test("there is nothing to assess where targets are values", () => {
  expect(Assessment.for({ kind: "values", size: 3 }, 3)).toBeUndefined();
});
