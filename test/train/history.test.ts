import fc from "fast-check";
import { expect, test } from "vitest";
import { Curve, History, spreadOf } from "../../src/train/history.ts";

test("a curve of few steps has each of them", () => {
  const curve = new Curve();
  for (const value of [5, 3, 4]) curve.add(value);
  expect(curve.points()).toEqual([
    [1, 5],
    [2, 3],
    [3, 4],
  ]);
});

test("a curve of many steps has means over them, in bounded memory, and no step is lost", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), (steps) => {
      const curve = new Curve();
      for (let step = 1; step <= steps; step++) curve.add(step);
      const points = curve.points();
      expect(points.length).toBeLessThanOrEqual(1024);
      // The mean of the numbers of its steps is where a point stands.
      for (const [step, value] of points) expect(value).toBeCloseTo(step, 6);
      expect(points.at(-1)![0]).toBeGreaterThan(steps - 64);
    }),
    { numRuns: 20 },
  );
});

test("a history that was stored goes on as if it had not been", () => {
  const [whole, first] = [new History(), new History()];
  const add = (history: History, step: number): void => {
    history.addStep({ loss: 1 / step, accuracy: 0.5, gradientNorm: step, rate: 0.1 });
    if (step % 7 === 0) history.addLayers({ step, layers: [{ index: 0, gradientNorm: step }] });
    if (step % 1000 === 0) history.addEpoch({ epoch: step / 1000, step, training: { loss: 1 } });
  };
  for (let step = 1; step <= 3000; step++) add(whole, step);
  for (let step = 1; step <= 1501; step++) add(first, step);
  const second = new History(JSON.parse(JSON.stringify(first)));
  for (let step = 1502; step <= 3000; step++) add(second, step);
  expect(JSON.stringify(second)).toBe(JSON.stringify(whole));
});

test("looks at the layers are thinned out when there are many", () => {
  const history = new History();
  for (let step = 1; step <= 5000; step++) history.addLayers({ step, layers: [] });
  expect(history.layers.length).toBeLessThanOrEqual(400);
  expect(history.layers.at(-1)!.step).toBe(5000);
});

test("many learned values are told by their quartiles", () => {
  expect(spreadOf(Float32Array.of(3, 1, 2))).toEqual({ count: 3, values: [3, 1, 2] });
  const many = Float32Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
  expect(spreadOf(many)).toEqual({ count: 101, values: [0, 25, 50, 75, 100] });
});
