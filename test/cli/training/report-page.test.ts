import { expect, test } from "vitest";
import type { Report } from "../../../src/cli/training/report-page.ts";
import { renderReport } from "../../../src/cli/training/report-page.ts";
import { History } from "../../../src/train/history.ts";
import { madeUpReport } from "../../support/training.ts";

const report = madeUpReport();
const page = renderReport(report);

/** The chart of that title. */
function chart(title: string, html = page): string {
  const found = new RegExp(`<svg class="lines"[^>]*aria-label="${title}"[\\s\\S]*?</svg>`).exec(html);
  return found?.[0] ?? "";
}
/** Points of each labelled curve. */
function curves(svg: string): Record<string, number[][]> {
  const found = [...svg.matchAll(/<polyline class="[^"]*" data-label="([^"]*)" points="([^"]*)"/g)];
  return Object.fromEntries(
    found.map(([, label, points]) => [
      label,
      points!.split(" ").map((point) => point.split(",").map(Number)),
    ]),
  );
}
/** Where the axes lie, and what they hold. */
const scaleOf = (
  svg: string,
): Readonly<Record<"left" | "right" | "top" | "bottom" | "x0" | "x1" | "y0" | "y1", number>> =>
  JSON.parse(/data-scale='([^']*)'/.exec(svg)![1]!);
const lengths = (svg: string): Record<string, number> =>
  Object.fromEntries(Object.entries(curves(svg)).map(([label, points]) => [label, points.length]));

test("the page needs nothing else: no file, no network", () => {
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).not.toMatch(/https?:|<link|<img|@import|url\(|src=/);
});

test("it is for light and for dark screens", () => {
  expect(page).toContain("color-scheme: light dark");
  expect(page).toMatch(/@media \(prefers-color-scheme: dark\) \{ :root \{ --paper: #111111/);
});

test("each curve has a point for each of its numbers", () => {
  expect(lengths(chart("Loss"))).toEqual({ training: 600, "held out": 6 });
  expect(lengths(chart("Accuracy"))).toEqual({ training: 600, "held out": 6 });
  expect(lengths(chart("Learning rate"))).toEqual({ "learning rate": 600 });
  expect(lengths(chart("Gradient norm"))).toEqual({ "gradient norm": 600 });
  const looks = 120;
  expect(lengths(chart("Gradient norm of each layer"))).toEqual({
    "0 dense": looks,
    "2 dense": looks,
    "4 dense": looks,
  });
  expect(lengths(chart("Dead units"))).toEqual({ "1 prelu": looks, "3 prelu": looks });
  expect(lengths(chart("Learned by 1 prelu"))).toEqual({ value: looks });
  expect(lengths(chart("Learned by 3 prelu"))).toEqual({
    ...{ least: looks, "lower quarter": looks, middle: looks, "upper quarter": looks, most: looks },
  });
});

test("points lie where their numbers are", () => {
  const svg = chart("Loss");
  const { left, right, top, bottom, x0, x1, y0, y1 } = scaleOf(svg);
  const points = curves(svg)["held out"]!;
  for (const [i, { step, validation }] of report.history.epochs.entries()) {
    const [x, y] = points[i]!;
    expect(x0 + ((x! - left) / (right - left)) * (x1 - x0)).toBeCloseTo(step, 0);
    expect(y0 + ((bottom - y!) / (bottom - top)) * (y1 - y0)).toBeCloseTo(validation!.loss, 1);
  }
});

test("histograms, the confusion matrix, the least certain rows and the settings are there", () => {
  expect(page.match(/<svg class="histogram"/g)).toHaveLength(8);
  expect(page).toContain('aria-label="3 prelu: outputs"');
  const cells = report.assessed!.confusion.counts.flat().filter((count) => count > 0).length;
  expect(page.match(/<rect class="(right|wrong)"/g)).toHaveLength(cells);
  expect(page).toContain("<title>190 of 204: 0 taken for 0</title>");
  expect(page.match(/<svg class="picture"/g)).toHaveLength(10);
  expect(page).toContain("3 (40%), 0 (35%)");
  expect(page).toContain("<th>batch</th>");
});

test("names from files are text, whatever they hold", () => {
  expect(page).toContain("a &lt;b&gt; &amp; c");
  const classes = ["<script>alert(1)</script>", "b&b"];
  const counts = [
    [3, 1],
    [0, 2],
  ];
  const evil: Report = {
    ...report,
    title: "<script>",
    assessed: { confusion: { classes, counts }, uncertain: [] },
  };
  const html = renderReport(evil);
  expect(html.match(/<script>/g)).toHaveLength(1);
});

test("what there is nothing of is left out", () => {
  const history = new History();
  history.addStep({ loss: 2, gradientNorm: 0, rate: 0.1 });
  const html = renderReport({ ...report, history, statistics: [], assessed: undefined });
  expect(chart("Accuracy", html)).toBe("");
  expect(chart("Gradient norm", html)).toBe("");
  expect(lengths(chart("Loss", html))).toEqual({ training: 1 });
  expect(chart("Loss", html)).toMatch(/<circle class="c0" cx="[\d.]+" cy="[\d.]+" r="3"/);
  expect(html).not.toMatch(
    /Layers over time|Values at the end|mixed up|least certain|NaN|undefined|Infinity/,
  );
});

test("many classes are told by what is mixed up most", () => {
  const classes = Array.from({ length: 60 }, (_, i) => `class ${i}`);
  const counts = classes.map((_, truth) =>
    classes.map((__, predicted) => (predicted === truth + 1 ? truth : 0)),
  );
  const html = renderReport({ ...report, assessed: { confusion: { classes, counts }, uncertain: [] } });
  expect(html).not.toContain('<svg class="matrix"');
  expect(html).toContain('<tr><td>class 58</td><td>class 59</td><td class="number">58</td></tr>');
});

test("rows that are no images have no pictures; images of three colours do", () => {
  const plain = renderReport({ ...report, featureShape: [784] });
  expect(plain).not.toContain('<svg class="picture"');
  const features = Float32Array.from({ length: 3 * 4 * 4 }, (_, i) => i);
  const row = { truth: "a", guesses: [{ name: "a", share: 1 }], features };
  const assessed = { ...report.assessed!, uncertain: [row] };
  expect(renderReport({ ...report, assessed, featureShape: [3, 4, 4] })).toMatch(/fill="rgb\(0 85 170\)"/);
});

test("the axis of accuracies holds all of them: 1 throughout, and rows held out that do worse", () => {
  const accuracies = (training: readonly number[], accuracy: number): string => {
    const history = new History();
    for (const each of training) history.addStep({ loss: 1, accuracy: each, gradientNorm: 1, rate: 0.1 });
    const step = training.length;
    history.addEpoch({ epoch: 1, step, training: { loss: 1 }, validation: { loss: 1, accuracy } });
    return chart("Accuracy", renderReport({ ...report, history }));
  };
  expect(curves(accuracies([1, 1, 1], 1)).training).toHaveLength(3);
  const worse = accuracies([0.9, 0.95, 1], 0.4);
  const [[, down]] = curves(worse)["held out"] as [[number, number]];
  expect(down).toBeLessThan(scaleOf(worse).bottom);
});
