import { Resvg } from "@resvg/resvg-js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { functionOf } from "../../../src/cli/plot/function.ts";
import { renderPage } from "../../../src/cli/plot/page.ts";
import { sceneOf } from "../../../src/cli/plot/scene.ts";
import { renderSvg } from "../../../src/cli/plot/svg.ts";
import { styleFor } from "../../../src/cli/style.ts";
import { displayWidth } from "../../../src/cli/text.ts";
import { arbitraryProgram } from "../../support/expressions.ts";

const end = fc.double({ min: -1e3, max: 1e3, noNaN: true });

it("of any function is drawn: lines run from left to right, within the view, and over finite numbers only", () => {
  const programs = arbitraryProgram({ maxSteps: 8, channels: false });
  const length = fc.double({ min: 0.01, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(programs, end, length, ({ output }, from, length) => {
      const x = { from, to: from + length };
      const subject = { label: "f", ops: "f", value: functionOf(output), gradient: undefined };
      const scene = sceneOf([subject], { x, y: {} });
      const { view, curves } = scene.panels[0]!;
      expect(view.y.to).toBeGreaterThan(view.y.from);
      for (const line of curves[0]!.lines) {
        expect(line.length).toBeGreaterThan(1);
        for (const [i, point] of line.entries()) {
          expect(point.x).toBeGreaterThanOrEqual(i === 0 ? x.from : line[i - 1]!.x);
          expect(point.x).toBeLessThanOrEqual(x.to);
          expect(point.y).toBeGreaterThanOrEqual(view.y.from);
          expect(point.y).toBeLessThanOrEqual(view.y.to);
        }
      }
      const svg = renderSvg(scene, { title: "f", description: "f", theme: "auto" });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(new Resvg(svg, { font: { loadSystemFonts: false } }).width).toBeGreaterThan(0);
      for (const line of renderPage(scene, { width: 60, height: 10 }, styleFor(false, {}))) {
        expect(displayWidth(line)).toBeLessThanOrEqual(60);
      }
    }),
    { numRuns: 100 },
  );
});
