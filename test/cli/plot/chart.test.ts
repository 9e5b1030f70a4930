import { describe, expect, it } from "vitest";
import { renderChart } from "../../../src/cli/plot/chart.ts";
import { subjectsOf } from "../../../src/cli/plot/function.ts";
import { renderPage } from "../../../src/cli/plot/page.ts";
import { sceneOf } from "../../../src/cli/plot/scene.ts";
import { styleFor } from "../../../src/cli/style.ts";
import { displayWidth } from "../../../src/cli/text.ts";

const plain = styleFor(false, {});
const colour = styleFor(true, { TERM: "xterm" });
const ascii = styleFor(false, { TERM: "dumb" });

const sceneFor = (texts: readonly string[], grad = false) =>
  sceneOf(
    texts.flatMap((text) => subjectsOf(text, grad)),
    { x: { from: -4, to: 4 }, y: {} },
  );
const page = (
  texts: readonly string[],
  { width = 80, height = 16, style = plain, grad = false } = {},
): string[] => renderPage(sceneFor(texts, grad), { width, height }, style);

describe("a chart in the terminal", () => {
  it.each([20, 41, 80, 133])("is exactly %d cells wide, and as high as asked", (width) => {
    for (const style of [plain, colour, ascii]) {
      const lines = renderChart(
        sceneFor(["leaky_relu(0.2)", "reciprocal"]).panels[0]!,
        { width, height: 12 },
        style,
      );
      expect(lines.map(displayWidth)).toEqual(new Array(12).fill(width));
    }
  });

  it("shows the curve, the axes and round numbers", () => {
    const lines = page(["leaky_relu(0.5)"], { width: 40, height: 12 });
    expect(lines.map((line) => line.trimEnd())).toEqual([
      "leaky_relu(0.5)",
      "    f(x)",
      " 4 ┤                  │               ⢀⠤",
      "   │                  │            ⣀⠔⠊⠁",
      "   │                  │        ⢀⡠⠒⠉",
      " 2 ┤                  │     ⣀⠔⠊⠁",
      "   │                  │ ⢀⡠⠔⠉",
      " 0 ┤─────────────────⣀⡤⠊⠁───────────────",
      "   │          ⣀⡠⠤⠔⠒⠉⠉ │",
      "   │   ⣀⣀⠤⠔⠒⠉⠉        │",
      "-2 ┤⠒⠊⠉               │",
      "   └┴────────┴────────┴───────┴────────┴",
      "   -4       -2        0       2        4",
    ]);
  });

  it("without Braille characters is drawn with letters", () => {
    const text = page(["relu", "neg"], { style: ascii }).join("\n");
    expect(text).toMatch(/^o relu {3}\+ neg\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
    expect(text.replace("f(x)", "")).toMatch(/^[\x00-\x7f]*$/);
  });

  it("has a mark for each curve, in the legend and on the curve", () => {
    const [legend, , ...lines] = page(["relu", "abs", "neg"]);
    expect(legend).toBe("● relu   ▲ abs   ■ neg");
    for (const mark of ["●", "▲", "■"]) expect(lines.join("").split(mark).length).toBeGreaterThan(2);
  });

  it("shows the marks of curves that run on the same line", () => {
    const text = page(["relu", "relu6", "hard_tanh | relu | mul(0)"]).slice(1).join("");
    for (const mark of ["●", "▲", "■"]) expect(text).toContain(mark);
  });

  it("colours curves where it may, and then only them", () => {
    expect(page(["relu", "abs"]).join("")).not.toContain("\x1b");
    const lines = page(["relu", "abs"], { style: colour });
    expect(lines[0]).toBe("\x1b[34m●\x1b[39m relu   \x1b[33m▲\x1b[39m abs");
    expect(lines.join("")).toContain("\x1b[2m");
  });
});

describe("a page of charts", () => {
  const five = ["relu", "relu6", "abs", "neg", "square"];
  const titles = (lines: readonly string[]): number => lines.join("\n").split("f(x)").length - 1;

  it("has one chart where curves can be told apart, else one for each", () => {
    expect(titles(page(five.slice(0, 4)))).toBe(1);
    expect(titles(page(five))).toBe(5);
    expect(titles(page(five, { style: colour }))).toBe(1);
  });

  it("puts value and derivative side by side where they fit", () => {
    expect(page(["relu"], { grad: true })[1]).toMatch(/f\(x\) +f′\(x\)/);
    expect(page(["relu"], { grad: true, width: 60 })[1]).not.toContain("f′(x)");
    expect(page(["relu"], { grad: true, width: 60 }).join("\n")).toContain("f′(x)");
  });

  it.each([24, 40, 80, 120])("fits %d columns", (width) => {
    for (const grad of [false, true]) {
      for (const texts of [
        ["relu"],
        five,
        ["mul(0.5) | leaky_relu(0.25) | add(0.125) | relu6 | square", "abs"],
      ]) {
        for (const line of page(texts, { width, grad }))
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });
});
