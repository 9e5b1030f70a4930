import { describe, expect, it } from "vitest";
import { bornDeadBounds, bornDeadOfTwo } from "../../examples/claims/support/bounds.ts";
import { keyOf, uniformAt } from "../../examples/claims/support/random.ts";

const WIDTHS = [2, 3, 4, 5, 8];

describe("the bounds on networks that are born dead", () => {
  it("are 0 for one hidden layer, which leaves one ray alive", () => {
    for (const width of WIDTHS) expect(bornDeadBounds(width, 1)).toEqual({ lower: 0, upper: 0 });
  });

  it("for two hidden layers, below is what is exactly true", () => {
    for (const width of WIDTHS) {
      const exact = bornDeadOfTwo(width);
      const { lower, upper } = bornDeadBounds(width, 2);
      expect(lower).toBeCloseTo(exact, 12);
      expect(upper).toBeGreaterThan(exact);
    }
  });

  it("rise with depth, and the lower stays below the upper", () => {
    for (const width of WIDTHS) {
      for (let depth = 2; depth < 100; depth++) {
        const [{ lower, upper }, next] = [bornDeadBounds(width, depth), bornDeadBounds(width, depth + 1)];
        expect(lower).toBeLessThan(upper);
        expect(next.lower).toBeGreaterThan(lower);
        expect(next.upper).toBeGreaterThan(upper);
      }
    }
  });

  it("are what the recursion of the proof gives", () => {
    for (const width of WIDTHS) {
      const one = 2 ** -width;
      const [a1, a2] = [1 - one, 1 - 2 * one - (width - 1) * one ** 2];
      let survives = 1;
      for (let k = 1; k < 40; k++) {
        survives = a2 * survives + (1 - a2 - one ** 2) * a1 ** (k - 1);
        // The first layer leaves two rays, or one.
        const alive = (1 - 2 * one) * survives + 2 * one * a1 ** k;
        expect(bornDeadBounds(width, k + 1).lower).toBeCloseTo(1 - alive, 12);
      }
    }
  });

  it("hold for networks that this test makes itself, also with uniform weights", () => {
    const [networks, width, depth] = [4000, 2, 10];
    let dead = 0;
    for (let network = 0; network < networks; network++) {
      let rays: number[][] = [[1], [-1]];
      for (let layer = 0; layer < depth; layer++) {
        const key = keyOf(network, layer);
        rays = rays.map((ray) =>
          Array.from({ length: width }, (_, i) =>
            Math.max(
              0,
              ray.reduce((sum, x, j) => sum + x * (2 * uniformAt(key, i * ray.length + j) - 1), 0),
            ),
          ),
        );
      }
      if (rays.flat().every((x) => x === 0)) dead++;
    }
    const { lower, upper } = bornDeadBounds(width, depth);
    // Four standard errors.
    expect(dead / networks).toBeGreaterThan(lower - 0.02);
    expect(dead / networks).toBeLessThan(upper + 0.02);
  });
});
