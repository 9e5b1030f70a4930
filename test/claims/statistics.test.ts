import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillNormal, keyOf, shuffled, uniformAt } from "../../examples/claims/support/random.ts";
import {
  mean,
  meanFigure,
  median,
  medianFigure,
  quantile,
  quartiles,
  shareFigure,
  signTest,
} from "../../examples/claims/support/statistics.ts";

const ten = Array.from({ length: 10 }, (_, i) => i + 1);

describe("quantiles", () => {
  it("are linear between neighbours, as NumPy's", () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ middle: 2.5, low: 1.75, high: 3.25 });
    expect(quantile([7], 0.9)).toBe(7);
  });

  it("take infinities as values", () => {
    const never = Number.POSITIVE_INFINITY;
    expect(median([never, never, 3])).toBe(never);
    expect(median([1, 2, never])).toBe(2);
  });
});

describe("intervals", () => {
  it("of the median of ten go from the second to the ninth", () => {
    expect(medianFigure(ten)).toEqual({ middle: 5.5, low: 2, high: 9 });
  });

  it("of the median of few values go from the least to the most", () => {
    expect(medianFigure([3, 1, 2])).toEqual({ middle: 2, low: 1, high: 3 });
  });

  it("of the median hold it 95 times in 100 or more", () => {
    let held = 0;
    for (let seed = 0; seed < 400; seed++) {
      const { low, high } = medianFigure([...fillNormal(new Float64Array(25), keyOf(seed))]);
      if (low <= 0 && 0 <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(370);
  });

  it("of a share are Wilson's: 0 of 100 may be 3.7 %", () => {
    expect(shareFigure(0, 100)).toEqual({ middle: 0, low: 0, high: expect.closeTo(0.037, 3) });
    expect(shareFigure(50, 100).low).toBeCloseTo(0.4038, 4);
  });

  it("of a mean are two standard errors wide to each side", () => {
    const { middle, low, high } = meanFigure([1, 2, 3, 4]);
    expect([middle, high - middle, middle - low]).toEqual([
      2.5,
      expect.closeTo(2 * Math.sqrt(5 / 3 / 4)),
      expect.closeTo(2 * Math.sqrt(5 / 3 / 4)),
    ]);
  });
});

describe("the sign test", () => {
  it("sees a difference when nine of ten pairs agree, and none when eight do", () => {
    const differ = (less: number): number[] => ten.map((_, i) => (i < less ? -1 : 1));
    const zeros = ten.map(() => 0);
    expect([0, 1, 2].map((less) => signTest(differ(less), zeros))).toEqual([1, 1, 0]);
    expect([8, 9, 10].map((less) => signTest(differ(less), zeros))).toEqual([0, -1, -1]);
  });

  it("leaves out ties, also of infinities", () => {
    const never = ten.map(() => Number.POSITIVE_INFINITY);
    expect(signTest(never, never)).toBe(0);
  });

  it("changes its sign when the lists change places", () => {
    const lists = fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: 30 });
    fc.assert(
      fc.property(lists, (pairs) => {
        const [first, second] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
        expect(signTest(first, second) + signTest(second, first)).toBe(0);
      }),
    );
  });
});

describe("random numbers by counting", () => {
  it("are the same for the same key, and others for another", () => {
    const first = fillNormal(new Float64Array(5), keyOf(1, 2));
    expect(fillNormal(new Float64Array(5), keyOf(1, 2))).toEqual(first);
    expect(fillNormal(new Float64Array(5), keyOf(2, 1))).not.toEqual(first);
  });

  it("have the moments of their distributions", () => {
    const normal = [...fillNormal(new Float64Array(100_001), keyOf(3), 2)];
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((x) => x ** 2)) / 4).toBeCloseTo(1, 1);
    expect(mean(normal.map((x) => x ** 4)) / 16).toBeCloseTo(3, 0);
    const uniform = Array.from({ length: 100_000 }, (_, i) => uniformAt(keyOf(4), i));
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    expect(Math.min(...uniform.slice(0, 1000))).toBeGreaterThan(0);
  });

  it("of neighbours have signs that know nothing of each other", () => {
    const values = fillNormal(new Float64Array(200_000), keyOf(5));
    for (const apart of [1, 2, 3, 4, 64]) {
      const same = values.filter((value, i) => value > 0 === values[(i + apart) % values.length]! > 0);
      expect(same.length / values.length).toBeCloseTo(0.5, 2);
    }
  });

  it("shuffle every item to every place", () => {
    const counts = Array.from({ length: 4 }, () => Array<number>(4).fill(0));
    for (let seed = 0; seed < 4000; seed++) {
      for (const [place, item] of shuffled(4, keyOf(seed)).entries()) counts[place]![item]!++;
    }
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});
