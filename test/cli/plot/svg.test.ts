import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { subjectsOf } from "../../../src/cli/plot/function.ts";
import { sceneOf } from "../../../src/cli/plot/scene.ts";
import { renderSvg, type ThemeName } from "../../../src/cli/plot/svg.ts";

function draw(
  texts: readonly string[],
  { grad = false, theme = "auto" as ThemeName, title = "Title" } = {},
): string {
  const subjects = texts.flatMap((text) => subjectsOf(text, grad));
  const scene = sceneOf(subjects, { x: { from: -4, to: 4 }, y: {} });
  return renderSvg(scene, { title, description: "Description", theme });
}

const count = (svg: string, part: RegExp): number => [...svg.matchAll(part)].length;

describe("the SVG", () => {
  it("is XML that a strict reader takes, whatever the texts", () => {
    for (const svg of [
      draw(["relu"]),
      draw(["leaky_relu(0.2)", "reciprocal", "sqrt"], { grad: true }),
      draw(["relu"], { title: `<b>"&'</b>` }),
      draw(["sub(100) | sqrt"]),
    ]) {
      const { width, height } = new Resvg(svg);
      expect(width).toBeGreaterThan(height);
    }
    expect(() => new Resvg(draw(["relu"]).replace("</style>", ""))).toThrow();
  });

  it("tells those who cannot see it what it shows", () => {
    const svg = draw(["relu"], { title: "a < b" });
    expect(svg).toMatch(
      /^<svg [^>]*role="img" aria-labelledby="title desc">\n<title id="title">a &lt; b<\/title>/,
    );
    expect(svg).toContain('<desc id="desc">Description</desc>');
  });

  it("has a line, a colour and a dash for each curve, and an entry in the legend where there are several", () => {
    const one = draw(["relu"]);
    expect(count(one, /<path class="curve /g)).toBe(1);
    expect(count(one, /class="label"/g)).toBe(0);
    const three = draw(["relu", "abs", "sqrt"], { grad: true });
    for (const i of [0, 1, 2])
      expect(count(three, new RegExp(`<path class="curve c${i} d${i}"`, "g"))).toBe(3);
    expect(count(three, /class="label"/g)).toBe(3);
    expect(three).toContain(".d2 { stroke-dasharray");
  });

  it("names the panels, and puts the derivatives into their own", () => {
    expect(draw(["relu"])).toContain(">f(x)</text>");
    expect(draw(["relu"])).not.toContain("f′(x)");
    expect(draw(["relu"], { grad: true })).toContain(">f′(x)</text>");
  });

  it("is light and dark as the reader's screen is, unless it is told", () => {
    expect(draw(["relu"])).toContain("@media (prefers-color-scheme: dark)");
    expect(draw(["relu"])).toMatch(/\.paper { fill: #ffffff/);
    expect(draw(["relu"], { theme: "light" })).not.toContain("@media");
    expect(draw(["relu"], { theme: "dark" })).not.toContain("#ffffff");
  });

  it("draws inside its plots: no point beyond the frame", () => {
    const svg = draw(["reciprocal", "square", "sqrt | log"], { grad: true });
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
    for (const [, path] of svg.matchAll(/class="curve[^"]*" d="([^"]*)"/g)) {
      for (const [, x, y] of path!.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)) {
        expect(Number(x)).toBeGreaterThan(20);
        expect(Number(x)).toBeLessThan(width! - 20);
        expect(Number(y)).toBeGreaterThan(20);
        expect(Number(y)).toBeLessThan(height! - 20);
      }
    }
  });

  it("marks the value at a jump with a full dot, and limits that are not taken with hollow ones", () => {
    const svg = draw(["sign"]);
    expect(count(svg, /<circle class="dot /g)).toBe(1);
    expect(count(svg, /<circle class="hole /g)).toBe(2);
    expect(count(draw(["mul(10) | round"]), /<circle/g)).toBe(0);
  });

  it("is small", () => {
    expect(draw(["relu", "elu", "gelu", "silu", "tanh"], { grad: true }).length).toBeLessThan(20_000);
  });
});
