import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ticksOf } from "../../../src/cli/plot/ticks.ts";

const labels = (from: number, to: number, most: number): string[] =>
  ticksOf(from, to, most).map(({ label }) => label);

describe("ticks", () => {
  it("are where a person would put them", () => {
    expect(labels(-4, 4, 9)).toEqual(["-4", "-3", "-2", "-1", "0", "1", "2", "3", "4"]);
    expect(labels(-0.06, 1.06, 9)).toEqual(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    expect(labels(-1.1, 4.4, 9)).toEqual(["-1", "0", "1", "2", "3", "4"]);
    expect(labels(0, 1e9, 5)).toEqual(["0", "5e8", "1e9"]);
  });

  it("are round, within the range, evenly spaced, and neither many nor few", () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const width = fc.integer({ min: -2, max: 6 }).map((power) => 1.7 * 10 ** power);
    fc.assert(
      fc.property(number, width, fc.integer({ min: 3, max: 12 }), (from, length, most) => {
        const to = from + length;
        const values = ticksOf(from, to, most).map(({ value }) => value);
        expect(values.length).toBeLessThanOrEqual(most);
        expect(values.length).toBeGreaterThan(most / 3 - 1);
        const slack = 1e-6 * length;
        for (const [i, value] of values.entries()) {
          expect(value).toBeGreaterThanOrEqual(from - slack);
          expect(value).toBeLessThanOrEqual(to + slack);
          if (i > 1) expect(value - values[i - 1]!).toBeCloseTo(values[1]! - values[0]!, 6);
        }
        const [factor] = (values[1]! - values[0]!).toExponential(5).split("e");
        if (values.length > 1) expect(["1.00000", "2.00000", "5.00000"]).toContain(factor);
      }),
    );
  });

  it("come to an end where neighbours are so close that counting by one gets nowhere", () => {
    for (const from of [1e16, -1e16, 4.4942328371557883e307]) {
      const ticks = ticksOf(from, from + 4 * Math.abs(from) * Number.EPSILON, 9);
      expect(new Set(ticks.map(({ value }) => value)).size).toBe(ticks.length);
      expect(ticks.length).toBeLessThanOrEqual(9);
    }
  });

  it("have labels that differ, and that read back as their values", () => {
    for (const [from, to] of [
      [-4, 4],
      [0.1, 0.3],
      [1e-9, 3e-9],
      [-2e7, 5e7],
      [0.999, 1.001],
    ] as const) {
      const ticks = ticksOf(from, to, 8);
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      for (const { value, label } of ticks) expect(Number(label)).toBeCloseTo(value, 12);
    }
  });
});
