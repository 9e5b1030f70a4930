import { existsSync, readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { type Chart, renderChart } from "../../examples/claims/support/chart.ts";
import type { Result } from "../../examples/claims/support/finding.ts";
import { CLAIMS, PAGE, readResults, renderPage } from "../../examples/claims/support/page.ts";

const CHART: Chart = {
  title: "Left & right",
  description: "Two panels.",
  columns: 2,
  panels: [1, 2].map((panel) => ({
    title: `panel ${panel}`,
    x: { label: "x", from: 1, to: 100, log: true },
    y: { label: "y", from: 0, to: 10 },
    series: [
      { name: "line", kind: "line", points: [1, 10, 100].map((x) => ({ x, y: 5, low: 4, high: 6 })) },
      { name: "band", kind: "band", points: [1, 100].map((x) => ({ x, y: 5, low: 2, high: 8 })) },
      { name: "marks", kind: "marks", points: [{ x: 10, y: 9 }] },
      { name: "rule", kind: "rule", points: [1, 100].map((x) => ({ x, y: 1 })) },
    ],
  })),
};

describe("a chart", () => {
  const svg = renderChart(CHART);

  it("is a picture with marks in it", () => {
    const picture = new Resvg(svg).render();
    expect([picture.width, picture.height]).toEqual([980, expect.any(Number)]);
    expect(new Set(picture.pixels).size).toBeGreaterThan(20);
  });

  it("has a title, a description, and colours for dark", () => {
    expect(svg).toContain('<title id="title">Left &amp; right</title>');
    expect(svg).toContain('<desc id="desc">Two panels.</desc>');
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
  });

  it("names each series once, and places points by their axes", () => {
    expect(svg.match(/>marks</g)).toHaveLength(1);
    const centres = [...svg.matchAll(/<circle class="mark f0" cx="([\d.]+)" cy="([\d.]+)"/g)].slice(1, 4);
    const [first, second, third] = centres.map(([, x]) => Number(x));
    expect(third! - second!).toBeCloseTo(second! - first!, 1);
    expect(new Set(centres.map(([, , y]) => y)).size).toBe(1);
  });

  it("leaves out what is not finite, and does not fail", () => {
    const [panel] = CHART.panels;
    const points = [{ x: 1, y: Number.POSITIVE_INFINITY }];
    const chart = {
      ...CHART,
      panels: [{ ...panel!, series: [{ name: "never", kind: "line", points } as const] }],
    };
    expect(renderChart(chart)).not.toMatch(/NaN|Infinity/);
  });
});

const RESULT: Result = {
  name: "vanishing",
  title: "A title",
  said: "Something is said.",
  sources: ["A source, doi 1"],
  method: "Measured.",
  verdict: "holds if",
  because: "Something else is so.",
  figure: "1 (0 to 2).",
  details: ["A paragraph.", { caption: "A table", head: ["a", "b"], rows: [["1", "2"]] }],
  picture: "What it shows.",
  numbers: {},
};

describe("the page", () => {
  it("tells claim, verdict, figure, picture, table and source", () => {
    const page = renderPage([RESULT]);
    for (const part of [
      "> Something is said.",
      "**Verdict: holds if.** Something else is so.",
      "1 (0 to 2).",
      "![What it shows.](images/claims/vanishing.svg)",
      "| a | b |\n| --- | --- |\n| 1 | 2 |",
      "- A source, doi 1",
      "[A title](#a-title)",
    ]) {
      expect(page).toContain(part);
    }
  });

  it("is what the results give", () => {
    expect(readFileSync(PAGE, "utf8")).toBe(renderPage(readResults()));
  });

  it("has a picture and a verdict for each claim", () => {
    const results = readResults();
    expect(results.map(({ name }) => name)).toEqual(CLAIMS);
    for (const { name, verdict } of results) {
      expect(["holds", "holds if", "does not hold"]).toContain(verdict);
      const picture = new URL(`images/claims/${name}.svg`, PAGE);
      expect(existsSync(picture)).toBe(true);
      expect(() => new Resvg(readFileSync(picture, "utf8")).render()).not.toThrow();
    }
  });
});
