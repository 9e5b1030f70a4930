/** @file Curves over the steps of a training, as SVG in the page. */
import { type Tick, ticksOf } from "../plot/ticks.ts";
import { formatCount } from "../units.ts";
import { digits, escaped, figure } from "./html.ts";

export type Point = readonly [x: number, y: number];

export interface ChartCurve {
  readonly label: string;
  readonly points: readonly Point[];
  /** Drawn thin below a line that smooths it. */
  readonly noisy?: boolean;
}

export interface LineChart {
  readonly title: string;
  /** What there is to see, in a sentence. */
  readonly about: string;
  readonly curves: readonly ChartCurve[];
  /** Whether y counts in powers of ten; values that are not above 0 are left out. */
  readonly logarithmic?: boolean;
  /** Ends of the y axis; by the curves where they are left out. */
  readonly from?: number;
  readonly to?: number;
}

/** Pixels. */
const [WIDTH, HEIGHT] = [520, 250];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, WIDTH - 8, 10, HEIGHT - 34];
/** Points of a curve over which its smooth line goes, as a share of all of them. */
const SMOOTH = 1 / 40;

/** A figure; the empty string where there is nothing to draw. */
export function renderLines({ title, about, curves, logarithmic = false, from, to }: LineChart): string {
  const shown = curves
    .map((curve) => ({
      ...curve,
      points: curve.points.filter(([, y]) => Number.isFinite(y) && (!logarithmic || y > 0)),
    }))
    .filter(({ points }) => points.length > 0);
  if (shown.length === 0) return "";
  const unit = logarithmic ? Math.log10 : (y: number): number => y;
  const x = { from: 0, to: Math.max(1, ...shown.flatMap(({ points }) => points.map(([step]) => step))) };
  const y = rangeOf(shown, unit, { from, to });
  const across = (step: number): number => LEFT + ((step - x.from) / (x.to - x.from)) * (RIGHT - LEFT);
  const down = (value: number): number =>
    BOTTOM - ((unit(value) - y.from) / (y.to - y.from)) * (BOTTOM - TOP);
  const place = (points: readonly Point[]): string =>
    points.map(([step, value]) => `${digits(across(step))},${digits(down(value))}`).join(" ");
  const scale = {
    left: LEFT,
    right: RIGHT,
    top: TOP,
    bottom: BOTTOM,
    x0: x.from,
    x1: x.to,
    y0: y.from,
    y1: y.to,
  };
  const svg = [
    `<svg class="lines" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}" data-scale='${JSON.stringify({ ...scale, log: logarithmic })}'>`,
    ...renderAxes(stepTicks(x.to), across, logarithmic ? powersOf(y) : ticksOf(y.from, y.to, 6), down),
    ...shown.flatMap(({ label, points, noisy }, i) => [
      ...(noisy ? [`<polyline class="curve c${i} thin" points="${place(points)}"/>`] : []),
      `<polyline class="curve c${i} d${i}" data-label="${escaped(label)}" points="${place(noisy ? smooth(points) : points)}"/>`,
      ...(points.length === 1 ? [dot(i, across(points[0]![0]), down(points[0]![1]))] : []),
    ]),
    `<line class="hair" y1="${TOP}" y2="${BOTTOM}"/>`,
    ...shown.map((_, i) => `<circle class="mark c${i}" r="4"/>`),
    "</svg>",
  ];
  return figure(title, about, renderLegend(shown.map(({ label }) => label)), svg.join("\n"));
}

const dot = (i: number, x: number, y: number): string =>
  `<circle class="c${i}" cx="${digits(x)}" cy="${digits(y)}" r="3"/>`;

function rangeOf(
  curves: readonly ChartCurve[],
  unit: (y: number) => number,
  given: { readonly from: number | undefined; readonly to: number | undefined },
): { from: number; to: number } {
  const values = curves.flatMap(({ points }) => points.map(([, y]) => unit(y)));
  const [least, most] = values.reduce(([a, b], y) => [Math.min(a, y), Math.max(b, y)], [Infinity, -Infinity]);
  const flat = most - least <= 1e-9 * Math.max(1e-9, Math.abs(most));
  const margin = flat ? 0.1 * Math.abs(most) || 0.05 : 0.05 * (most - least);
  return { from: given.from ?? least - margin, to: given.to ?? most + margin };
}

function renderAxes(
  xs: readonly Tick[],
  across: (x: number) => number,
  ys: readonly Tick[],
  down: (y: number) => number,
): string[] {
  const lines = ys.map(({ value }) => `M${LEFT} ${digits(down(value))}H${RIGHT}`).join("");
  return [
    `<path class="grid" d="${lines}"/>`,
    `<path class="axis" d="M${LEFT} ${BOTTOM}H${RIGHT}"/>`,
    ...ys.map(
      ({ value, label }) =>
        `<text class="end" x="${LEFT - 8}" y="${digits(down(value) + 4)}">${minus(label)}</text>`,
    ),
    ...xs.map(
      ({ value, label }) =>
        `<text class="middle" x="${digits(across(value))}" y="${BOTTOM + 18}">${minus(label)}</text>`,
    ),
    `<text class="end" x="${RIGHT}" y="${BOTTOM + 32}">step</text>`,
  ];
}

/** Steps are whole numbers. */
const stepTicks = (to: number): Tick[] =>
  ticksOf(0, to, 7)
    .filter(({ value }) => Number.isInteger(value))
    .map(({ value }) => ({ value, label: formatCount(value) }));

/** Ticks of a logarithmic axis: powers of ten, and between them 2 and 5 where there are few. */
function powersOf({ from, to }: { readonly from: number; readonly to: number }): Tick[] {
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const factors = to - from < 2 ? [1, 2, 5] : [1];
  const ticks: Tick[] = [];
  for (let power = Math.floor(from); power <= to; power++) {
    if (power % every !== 0) continue;
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (Math.log10(value) >= from && Math.log10(value) <= to)
        ticks.push({ value, label: shortNumber(value) });
    }
  }
  return ticks.length > 1 ? ticks : ticksOf(10 ** from, 10 ** to, 5);
}

const shortNumber = (value: number): string =>
  value >= 0.001 && value < 1e5
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(0).replace("e+", "e");

const minus = (label: string): string => label.replace("-", "−");

function renderLegend(labels: readonly string[]): string {
  if (labels.length < 2) return "";
  const entries = labels.map(
    (label, i) =>
      `<span><svg viewBox="0 0 26 10"><path class="curve c${i} d${i}" d="M1 5h24"/></svg>${escaped(label)}</span>`,
  );
  return `<div class="legend">${entries.join("")}</div>`;
}

/** Each point as the mean of those around it: at the start of as many as lie before it, for there a loss falls fast. */
function smooth(points: readonly Point[]): Point[] {
  const reach = Math.floor(points.length * SMOOTH);
  const sums = [0];
  for (const [, y] of points) sums.push(sums.at(-1)! + y);
  return points.map(([x], i) => {
    const [first, last] = [i - Math.min(reach, i), Math.min(points.length - 1, i + Math.min(reach, i))];
    return [x, (sums[last + 1]! - sums[first]!) / (last + 1 - first)];
  });
}
