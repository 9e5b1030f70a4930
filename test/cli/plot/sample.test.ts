import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { subjectsOf } from "../../../src/cli/plot/function.ts";
import { sceneOf } from "../../../src/cli/plot/scene.ts";

const x = { from: -4, to: 4 };
const sceneFor = (text: string, range = x) => sceneOf(subjectsOf(text, true), { x: range, y: {} });
const [VALUE, GRADIENT] = [0, 1];
const curveOf = (text: string, panel = VALUE, range = x) => sceneFor(text, range).panels[panel]!.curves[0]!;
const pointsOf = (text: string, panel = VALUE) =>
  curveOf(text, panel).lines.map((line) => line.map((p) => [p.x, p.y]));

describe("a curve of straight pieces", () => {
  it("has its kinks, and no other points", () => {
    expect(pointsOf("leaky_relu(0.2)")).toEqual([
      [
        [-4, -0.8],
        [0, 0],
        [4, 4],
      ],
    ]);
    expect(pointsOf("hard_tanh")).toEqual([
      [
        [-4, -1],
        [-1, -1],
        [1, 1],
        [4, 1],
      ],
    ]);
    expect(pointsOf("sub(0.3) | abs")).toEqual([
      [
        [-4, 4.3],
        [0.3, 0],
        [4, 3.7],
      ],
    ]);
  });

  it("hits kinks that lie between all samples", () => {
    fc.assert(
      fc.property(fc.double({ min: -3.9, max: 3.9, noNaN: true }), (kink) => {
        const [line] = curveOf(`sub(${kink}) | relu`).lines;
        expect(line).toHaveLength(3);
        expect(line![1]!.x).toBeCloseTo(kink, 10);
        expect(line![1]!.y).toBeCloseTo(0, 10);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a curve is torn", () => {
  it("at jumps, each side of which ends at the jump", () => {
    expect(pointsOf("threshold(0.5, -1)")).toEqual([
      [
        [-4, -1],
        [0.5, -1],
      ],
      [
        [0.5, 0.5],
        [4, 4],
      ],
    ]);
    expect(pointsOf("sign")).toEqual([
      [
        [-4, -1],
        [0, -1],
      ],
      [
        [0, 1],
        [4, 1],
      ],
    ]);
    expect(curveOf("sign").jumps).toEqual([{ x: 0, left: -1, value: 0, right: 1 }]);
    expect(curveOf("round").lines).toHaveLength(9);
  });

  it("but not where jumps are too many to be seen: there it is drawn as they look together", () => {
    const { lines, jumps } = curveOf("mul(1e9) | round");
    expect(lines.map((line) => line.map(({ x }) => x))).toEqual([[-4, 4]]);
    expect(jumps).toEqual([]);
  });

  it("where its derivative jumps, with the value that is taken there", () => {
    expect(pointsOf("leaky_relu(0.2)", GRADIENT)).toEqual([
      [
        [-4, 0.2],
        [0, 0.2],
      ],
      [
        [0, 1],
        [4, 1],
      ],
    ]);
    expect(curveOf("leaky_relu(0.2)", GRADIENT).jumps).toEqual([{ x: 0, left: 0.2, value: 0.2, right: 1 }]);
  });

  const poles = [
    "reciprocal",
    "square | reciprocal",
    "sub(0.123) | reciprocal",
    "sub(1) | mul(3) | reciprocal | square",
  ];
  it.each(poles)("at the poles of %s, also between samples", (text) => {
    for (const range of [x, { from: -4, to: 4.1 }, { from: -3.7, to: 5.3 }]) {
      for (const { view, curves } of sceneFor(text, range).panels) {
        const { lines } = curves[0]!;
        expect(lines.length).toBe(2);
        // No line goes from one edge of the picture to the other.
        for (const line of lines) {
          const ys = line.map(({ y }) => y);
          expect(Math.max(...ys) - Math.min(...ys)).toBeLessThan(0.99 * (view.y.to - view.y.from));
        }
      }
    }
  });

  it("from what has no value", () => {
    for (const text of ["sqrt", "log", "rsqrt"]) {
      const [line, ...more] = curveOf(text).lines;
      expect(more).toEqual([]);
      expect(line![0]!.x).toBeGreaterThanOrEqual(0);
      expect(line![0]!.x).toBeLessThan(0.2);
      expect(line!.at(-1)!.x).toBe(4);
    }
    expect(pointsOf("sqrt")[0]![0]).toEqual([0, 0]);
    expect(curveOf("sub(100) | sqrt").lines).toEqual([]);
  });
});

describe("a smooth curve", () => {
  it.each([
    "square",
    "tanh",
    "mul(40) | square | add(1) | sqrt | reciprocal",
    "sigmoid | square",
    "mul(30) | tanh",
  ])("%s is followed to less than a pixel, by few points", (text) => {
    const { lines } = curveOf(text);
    const { view } = sceneFor(text).panels[VALUE]!;
    expect(lines).toHaveLength(1);
    const [line] = lines;
    expect(line!.length).toBeLessThan(200);
    const { valuesAt } = subjectsOf(text, false)[0]!.value;
    for (let i = 1; i < line!.length; i++) {
      const [a, b] = [line![i - 1]!, line![i]!];
      const shares = [0.25, 0.5, 0.75];
      const ys = valuesAt(Float64Array.from(shares, (share) => a.x + share * (b.x - a.x)));
      const width = (b.x - a.x) / 8;
      const height = (b.y - a.y) / (view.y.to - view.y.from);
      shares.forEach((share, k) => {
        const above = (ys[k]! - (a.y + share * (b.y - a.y))) / (view.y.to - view.y.from);
        // The distance from the line, of the sides of the picture.
        const off = (Math.abs(above) * width) / Math.hypot(width, height);
        expect(off).toBeLessThan(1 / 1000);
      });
    }
  });

  it("is found where it is far narrower than the first samples lie apart", () => {
    const { lines } = curveOf("mul(1000) | hard_tanh");
    expect(lines[0]!.map(({ x, y }) => [x, y])).toEqual([
      [-4, -1],
      [-0.001, -1],
      [0.001, 1],
      [4, 1],
    ]);
  });
});

describe("a chain that has no curve", () => {
  it.each(["softmax", "relu | layer_norm | relu", "log_softmax"])("%s is refused", (text) => {
    expect(() => subjectsOf(text, false)).toThrow(
      /has no curve: what it makes of a number depends on the rest/,
    );
  });
});

it("a list of slopes gives a curve for each", () => {
  const subjects = subjectsOf("prelu([0.1, 0.5]) | mul(2)", true);
  expect(subjects.map(({ label }) => label)).toEqual([
    "prelu(alpha=0.1) | mul(c=2)",
    "prelu(alpha=0.5) | mul(c=2)",
  ]);
  const at = Float64Array.of(-1);
  expect(subjects.map(({ value }) => value.valuesAt(at)[0])).toEqual([-0.2, -1]);
  expect(subjects.map(({ gradient }) => gradient!.valuesAt(at)[0])).toEqual([0.2, 1]);
});
