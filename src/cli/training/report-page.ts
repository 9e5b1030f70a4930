/** @file The report of a training: one HTML page that needs nothing else, for light and for dark screens. */
import type { Assessed } from "../../train/assessment.ts";
import type { LayerStatistics } from "../../train/engine/engine.ts";
import type { History, LayersRecord } from "../../train/history.ts";
import { MOST_CURVES } from "../plot/palette.ts";
import { formatCount } from "../units.ts";
import { renderConfusion } from "./confusion.ts";
import { renderHistogram } from "./histogram.ts";
import { escaped, section } from "./html.ts";
import { type ChartCurve, type Point, renderLines } from "./lines.ts";
import { imageSize, renderPicture } from "./pictures.ts";
import { SCRIPT, styleSheet } from "./style-sheet.ts";

export interface Report {
  readonly title: string;
  /** What the training was, in a line. */
  readonly subtitle: string;
  /** What counts most, as in "accuracy", "97.4%". */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly history: History;
  /** Of all layers, as in `0 dense`. */
  readonly layers: readonly string[];
  /** At the end. */
  readonly statistics: readonly LayerStatistics[];
  /** Of the rows held out. */
  readonly assessed: Assessed | undefined;
  /** Of a row. */
  readonly featureShape: readonly number[];
  /** Everything that the training was told, and what it chose. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

export function renderReport(report: Report): string {
  const { title, subtitle, facts } = report;
  const told = facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${styleSheet()}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p class="mono quiet">${escaped(subtitle)}</p>
<dl class="facts">${told.join("")}</dl>
${[progress(report), layers(report), values(report), heldOut(report), settings(report)].join("\n")}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function progress({ history }: Report): string {
  const { epochs } = history;
  const has = (which: "training" | "validation", what: "loss" | "accuracy"): Point[] =>
    epochs.flatMap((epoch): Point[] => {
      const value = epoch[which]?.[what];
      return value === undefined ? [] : [[epoch.step, value]];
    });
  const curves = (what: "loss" | "accuracy"): ChartCurve[] => [
    { label: "training", points: history[what].points(), noisy: true },
    { label: "held out", points: has("validation", what) },
  ];
  return section(
    "Loss and accuracy",
    "",
    `<div class="charts">`,
    renderLines({
      title: "Loss",
      about: "Of the batch of each step; and after each epoch, of the rows held out.",
      curves: curves("loss"),
    }),
    renderLines({
      title: "Accuracy",
      about: "The share of rows whose class has the largest output.",
      curves: curves("accuracy"),
      ...{ from: lowest(history), to: 1 },
    }),
    renderLines({
      title: "Learning rate",
      about: "What the optimiser takes at each step.",
      curves: [{ label: "learning rate", points: history.rate.points() }],
      from: 0,
    }),
    renderLines({
      title: "Gradient norm",
      about: "Of all gradients together, before clipping.",
      curves: [{ label: "gradient norm", points: history.gradientNorm.points(), noisy: true }],
      logarithmic: true,
    }),
    "</div>",
  );
}

/** Where the axis of accuracies begins: at 0 unless all are high, and below 1, where it ends. */
function lowest({ accuracy, epochs }: History): number {
  const heldOut = epochs.map(({ validation }) => validation?.accuracy ?? 1);
  const least = Math.min(1, ...accuracy.points().map(([, y]) => y), ...heldOut);
  return least > 0.8 ? Math.min(0.9, Math.floor(least * 10) / 10) : 0;
}

function layers({ history, layers: names }: Report): string {
  const charts = [
    ...inGroups(
      "Gradient norm of each layer",
      "A layer far below the others learns slowly.",
      true,
      names,
      history,
      (each) => each.gradientNorm,
    ),
    ...inGroups(
      "Dead units",
      "The share of an activation's units that are 0 for a whole batch.",
      false,
      names,
      history,
      (each) => each.dead,
    ),
    ...learned(history.layers, names),
  ].filter((chart) => chart !== "");
  if (charts.length === 0) return "";
  return section("Layers over time", "", `<div class="charts">`, ...charts, "</div>");
}

/** As many charts as the layers need, for there are only so many looks of curves. */
function inGroups(
  title: string,
  about: string,
  logarithmic: boolean,
  names: readonly string[],
  { layers: records }: History,
  read: (layer: LayersRecord["layers"][number]) => number | undefined,
): string[] {
  const curves = names.flatMap((label, index): ChartCurve[] => {
    const points = pointsOf(records, index, read);
    return points.length === 0 ? [] : [{ label, points }];
  });
  return chunks(curves).map((part, i) =>
    renderLines({
      title: i === 0 ? title : `${title}, continued`,
      about: i === 0 ? about : "",
      curves: part,
      ...(logarithmic ? { logarithmic } : { from: 0 }),
    }),
  );
}

const pointsOf = (
  records: readonly LayersRecord[],
  index: number,
  read: (layer: LayersRecord["layers"][number]) => number | undefined,
): Point[] =>
  records.flatMap(({ step, layers: each }): Point[] => {
    const layer = each.find((one) => one.index === index);
    const value = layer && read(layer);
    return value === undefined ? [] : [[step, value]];
  });

const chunks = (curves: readonly ChartCurve[]): (readonly ChartCurve[])[] =>
  Array.from({ length: Math.ceil(curves.length / MOST_CURVES) }, (_, i) =>
    curves.slice(i * MOST_CURVES, (i + 1) * MOST_CURVES),
  );

/** A chart for each layer that learns a slope: all of its values, or how they are spread. */
function learned(records: readonly LayersRecord[], names: readonly string[]): string[] {
  return names.map((name, index) => {
    const find = ({ layers: each }: LayersRecord) => each.find((one) => one.index === index)?.learned;
    const { count, values = [] } = records.map(find).findLast(Boolean) ?? {};
    const labels = count === values.length ? values.map((_, i) => `channel ${i}`) : SPREAD;
    const curves = values.map((_, i): ChartCurve => {
      const points = pointsOf(records, index, (layer) => layer.learned?.values[i]);
      return { label: values.length === 1 ? "value" : labels[i]!, points };
    });
    const about = count === values.length ? "" : `${formatCount(count!)} channels, and how they are spread.`;
    return renderLines({ title: `Learned by ${name}`, about, curves });
  });
}

const SPREAD = ["least", "lower quarter", "middle", "upper quarter", "most"];

function values({ statistics, layers: names }: Report): string {
  const figures = statistics.flatMap(({ layer, weights, activations }) => [
    ...(weights ? [renderHistogram(`${names[layer]}: weights`, weights, false)] : []),
    ...(activations ? [renderHistogram(`${names[layer]}: outputs`, activations, true)] : []),
  ]);
  if (figures.length === 0) return "";
  return section(
    "Values at the end",
    "Weights, and what the layers gave for the last batch.",
    `<div class="small">`,
    ...figures,
    "</div>",
  );
}

function heldOut({ assessed, featureShape }: Report): string {
  if (!assessed) return "";
  const { confusion, uncertain } = assessed;
  const rows = confusion.counts.flat().reduce((sum, count) => sum + count, 0);
  const matrix = section(
    "Which classes are mixed up",
    `Of ${formatCount(rows)} rows held out. Colour goes by the square root of the share of a row, so that mistakes are seen.`,
    renderConfusion(confusion),
  );
  if (!imageSize(featureShape) || uncertain.length === 0) return matrix;
  const pictures = uncertain.map((row) => renderPicture(row, featureShape));
  return (
    matrix +
    section(
      "The least certain",
      "Of the rows held out, those whose likeliest class is the least likely.",
      `<div class="pictures">`,
      ...pictures,
      "</div>",
    )
  );
}

function settings({ settings: all }: Report): string {
  const rows = all.map(
    ([name, value]) => `<tr><th>${escaped(name)}</th><td class="mono">${escaped(value)}</td></tr>`,
  );
  return section("Settings", "", `<figure><table>${rows.join("")}</table></figure>`);
}
