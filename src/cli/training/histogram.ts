/** @file Histograms of the report: how the values of a layer are spread. */
import type { Histogram } from "../../train/engine/engine.ts";
import { ticksOf } from "../plot/ticks.ts";
import { formatCount } from "../units.ts";
import { digits, escaped, figure } from "./html.ts";

/** Pixels. */
const [WIDTH, HEIGHT] = [240, 110];
const BOTTOM = HEIGHT - 20;

/** A figure; `second` gives the bars another colour. */
export function renderHistogram(
  title: string,
  { least: from, most: to, counts }: Histogram,
  second: boolean,
): string {
  const most = Math.max(1, ...counts);
  const width = WIDTH / counts.length;
  const gap = Math.min(1, width / 5);
  const bars = counts.map((count, i) => {
    const height = (count / most) * (BOTTOM - 6);
    return count === 0
      ? ""
      : `M${digits(i * width)} ${BOTTOM}v${digits(-Math.max(0.75, height))}h${digits(width - gap)}V${BOTTOM}z`;
  });
  const across = (value: number): number => ((value - from) / (to - from || 1)) * WIDTH;
  const ticks =
    to > from ? ticksOf(from, to, 5) : [{ value: from, label: String(Number(from.toPrecision(4))) }];
  const labels = ticks.map(({ value, label }) => {
    const x = Math.max(10, Math.min(WIDTH - 10, across(value)));
    return `<text class="middle" x="${digits(x)}" y="${HEIGHT - 4}">${label.replace("-", "−")}</text>`;
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  const svg = [
    `<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<path class="bars${second ? " second" : ""}" d="${bars.join("")}"/>`,
    `<path class="axis" d="M0 ${BOTTOM}H${WIDTH}"/>`,
    ...labels,
    "</svg>",
  ];
  return figure(title, `${formatCount(total)} values`, svg.join("\n"));
}
