import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsAt, keyOf, normalAt, shuffle, uniformAt } from "../../src/train/random.ts";

test("numbers of a stream are uniform: each of 64 cells holds its share, within six deviations", () => {
  const count = 200_000;
  for (const key of [keyOf(1), keyOf(1, 2), keyOf(0)]) {
    const cells = new Float64Array(64);
    for (let i = 0; i < count; i++) cells[Math.floor(uniformAt(key, i) * 64)]! += 1;
    const share = count / 64;
    for (const cell of cells) expect(Math.abs(cell - share)).toBeLessThan(6 * Math.sqrt(share));
  }
});

test("neighbours, and streams of neighbouring keys, do not know of each other", () => {
  const count = 100_000;
  const correlation = (a: (i: number) => number, b: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += (a(i) - 0.5) * (b(i) - 0.5);
    return (sum / count) * 12;
  };
  const [first, second] = [keyOf(7, 0), keyOf(7, 1)];
  const near = (other: (i: number) => number): number =>
    Math.abs(correlation((i) => uniformAt(first, i), other));
  expect(near((i) => uniformAt(first, i + 1))).toBeLessThan(6 / Math.sqrt(count));
  expect(near((i) => uniformAt(second, i))).toBeLessThan(6 / Math.sqrt(count));
});

test("each bit of the input changes each bit of the output about half of the time", () => {
  for (let bit = 0; bit < 31; bit++) {
    const changed = new Float64Array(32);
    for (let i = 0; i < 2000; i++) {
      const difference = bitsAt(3, i) ^ bitsAt(3, i ^ (1 << bit));
      for (let out = 0; out < 32; out++) changed[out]! += (difference >>> out) & 1;
    }
    for (const count of changed) expect(Math.abs(count - 1000)).toBeLessThan(200);
  }
});

test("normal numbers have mean 0, variance 1 and the kurtosis 3 of the normal distribution", () => {
  const count = 200_000;
  let [mean, square, fourth] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const z = normalAt(keyOf(5), i);
    mean += z / count;
    square += z ** 2 / count;
    fourth += z ** 4 / count;
  }
  expect(Math.abs(mean)).toBeLessThan(6 / Math.sqrt(count));
  expect(Math.abs(square - 1)).toBeLessThan((6 * Math.SQRT2) / Math.sqrt(count));
  expect(Math.abs(fourth - 3)).toBeLessThan((6 * Math.sqrt(96)) / Math.sqrt(count));
});

test("a shuffle keeps every item, and its key alone decides the order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 50 }), fc.nat(), (items, seed) => {
      const once = shuffle([...items], keyOf(seed));
      expect([...once].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      expect(shuffle([...items], keyOf(seed))).toEqual(once);
    }),
  );
});

test("every order of three comes up as often", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const order = shuffle([0, 1, 2], keyOf(seed)).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(1000));
});
