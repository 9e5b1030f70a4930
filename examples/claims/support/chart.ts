/**
 * @file Charts as SVG, with the colours of `sluice plot`: lines with marks and intervals, and bands, in one or more panels;
 * readable on light and on dark, with a title and a description for those who cannot see them.
 */
import { DARK, DASHES, LIGHT, type Theme } from "../../../src/cli/plot/palette.ts";
import { type Tick, ticksOf } from "../../../src/cli/plot/ticks.ts";

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly log?: boolean;
  /** Default: round numbers. */
  readonly ticks?: readonly Tick[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** An interval around y. */
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  /** Series of the same name have the same look, and one entry in the legend. */
  readonly name: string;
  /** `line` with marks; `marks` alone; `rule`: a thin line without marks, for what a theory says; `band`: from low to high. */
  readonly kind: "line" | "marks" | "rule" | "band";
  readonly points: readonly Point[];
  /** Which colour and dashes; default: by the order of the names. */
  readonly look?: number;
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Chart {
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  /** Panels side by side. */
  readonly columns: number;
}

const WIDTH = 980;
const EDGE = 24;
const GUTTER = 58;
const PLOT_HEIGHT = 250;
const ROW_HEIGHT = PLOT_HEIGHT + 96;
const LETTER = 7.2;

export function renderChart({ title, description, panels, columns }: Chart): string {
  const legend = legendOf(panels);
  const lines = placeLegend(legend);
  const top = 60 + (lines.at(-1)?.y ?? 0) + 34;
  const rows = Math.ceil(panels.length / columns);
  const height = top + rows * ROW_HEIGHT + 8;
  const room = (WIDTH - 2 * EDGE) / columns;
  const drawn = panels.map((panel, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const left = EDGE + column * room + GUTTER;
    const box = { left, top: top + row * ROW_HEIGHT + 24, width: room - GUTTER - 14, height: PLOT_HEIGHT };
    return renderPanel(panel, box, legend, i);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(description)}</desc>`,
    `<style>\n${styles(legend)}</style>`,
    `<rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="${EDGE}" y="38">${escaped(title)}</text>`,
    ...lines.map(({ entry, x, y }) => renderEntry(entry, x, 62 + y)),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

interface Entry {
  readonly name: string;
  readonly kind: Series["kind"];
  readonly look: number;
}

function legendOf(panels: readonly Panel[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { name, kind, look } of panels.flatMap(({ series }) => series)) {
    if (!entries.has(name)) {
      entries.set(name, { name, kind, look: look ?? entries.size % LIGHT.curves.length });
    }
  }
  return [...entries.values()];
}

function placeLegend(legend: readonly Entry[]): { entry: Entry; x: number; y: number }[] {
  let [x, y] = [EDGE, 0];
  return legend.map((entry) => {
    const width = 40 + entry.name.length * LETTER + 22;
    if (x > EDGE && x + width > WIDTH - EDGE) [x, y] = [EDGE, y + 22];
    const place = { entry, x, y };
    x += width;
    return place;
  });
}

function renderEntry({ name, kind, look }: Entry, x: number, y: number): string {
  const marks: Record<Series["kind"], string> = {
    line: `<path class="line c${look} d${look}" d="M${x} ${y}h30"/><circle class="mark f${look}" cx="${x + 15}" cy="${y}" r="3.5"/>`,
    marks: `<circle class="mark f${look}" cx="${x + 15}" cy="${y}" r="3.5"/>`,
    rule: `<path class="rule c${look}" d="M${x} ${y}h30"/>`,
    band: `<rect class="band f${look}" x="${x}" y="${y - 6}" width="30" height="12"/>`,
  };
  return `${marks[kind]}<text x="${x + 38}" y="${y + 4.5}">${escaped(name)}</text>`;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a value lies on its axis, from 0 to 1. */
function shareOf({ from, to, log }: Axis, value: number): number {
  return log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
}

function renderPanel(panel: Panel, box: Box, legend: readonly Entry[], index: number): string {
  const { title, x: horizontal, y: vertical, series } = panel;
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  const placeX = (value: number): number => box.left + shareOf(horizontal, value) * box.width;
  const placeY = (value: number): number => bottom - shareOf(vertical, value) * box.height;
  const [across, up] = [ticks(horizontal, 8), ticks(vertical, 6)];
  const grid = [
    ...across.map(({ value }) => `M${short(placeX(value))} ${box.top}V${bottom}`),
    ...up.map(({ value }) => `M${short(box.left)} ${short(placeY(value))}H${short(right)}`),
  ];
  const text = (kind: string, x: number, y: number, label: string): string =>
    `<text class="quiet ${kind}" x="${short(x)}" y="${short(y)}">${escaped(label.replace("-", "−"))}</text>`;
  const looks = new Map(legend.map(({ name, look }) => [name, look]));
  return [
    `<clipPath id="clip${index}"><rect x="${short(box.left - 5)}" y="${box.top - 5}" width="${short(box.width + 10)}" height="${box.height + 10}"/></clipPath>`,
    `<text class="name" x="${short(box.left)}" y="${box.top - 10}">${escaped(title)}</text>`,
    `<path class="grid" d="${grid.join("")}"/>`,
    `<path class="axis" d="M${short(box.left)} ${box.top}V${bottom}H${short(right)}"/>`,
    ...across.map(({ value, label }) => text("middle", placeX(value), bottom + 18, label)),
    ...up.map(({ value, label }) => text("end", box.left - 7, placeY(value) + 4.5, label)),
    text("middle", (box.left + right) / 2, bottom + 38, horizontal.label),
    `<text class="quiet middle" transform="translate(${short(box.left - 46)} ${(box.top + bottom) / 2}) rotate(-90)">${escaped(vertical.label)}</text>`,
    `<g clip-path="url(#clip${index})">`,
    ...series.map((each) => renderSeries(each, looks.get(each.name)!, placeX, placeY)),
    "</g>",
  ].join("\n");
}

function renderSeries(
  { kind, points }: Series,
  look: number,
  placeX: (value: number) => number,
  placeY: (value: number) => number,
): string {
  const seen = points.filter(({ y }) => Number.isFinite(placeY(y)));
  const at = (x: number, y: number): string => `${short(placeX(x))} ${short(placeY(y))}`;
  if (kind === "band") {
    const there = points.map(({ x, y, high = y }) => at(x, high));
    const back = points.map(({ x, y, low = y }) => at(x, low)).reverse();
    return `<path class="band f${look}" d="M${[...there, ...back].join("L")}z"/>`;
  }
  const path = `M${seen.map(({ x, y }) => at(x, y)).join("L")}`;
  if (seen.length === 0) return "";
  if (kind === "rule") return `<path class="rule c${look}" d="${path}"/>`;
  const spans = seen
    .filter(({ low, high }) => low !== undefined && high !== undefined && low < high)
    .map(({ x, low, high }) => `M${at(x, low!)}L${at(x, high!)}`);
  return [
    kind === "line" ? `<path class="line c${look} d${look}" d="${path}"/>` : "",
    spans.length > 0 ? `<path class="span c${look}" d="${spans.join("")}"/>` : "",
    ...seen.map(
      ({ x, y }) =>
        `<circle class="mark f${look}" cx="${short(placeX(x))}" cy="${short(placeY(y))}" r="3.5"/>`,
    ),
  ].join("");
}

function ticks(axis: Axis, most: number): readonly Tick[] {
  if (axis.ticks) return axis.ticks;
  if (!axis.log) return ticksOf(axis.from, axis.to, most);
  const [first, last] = [Math.ceil(Math.log10(axis.from)), Math.floor(Math.log10(axis.to))];
  const step = Math.max(1, Math.ceil((last - first) / most));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return powers
    .filter((power) => power % step === 0)
    .map((power) => ({ value: 10 ** power, label: power === 0 ? "1" : `10${superscript(power)}` }));
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = Object.fromEntries(
  [..."0123456789-"].map((digit, i) => [digit, "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"[i]!]),
);
const superscript = (power: number): string =>
  [...String(power)].map((digit) => SUPERSCRIPTS[digit]).join("");

function styles(legend: readonly Entry[]): string {
  const looks = [...new Set(legend.map(({ look }) => look))];
  const shapes = [
    `text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; font-size: 13px }`,
    ".title { font-size: 19px; font-weight: 600 } .name { font-weight: 600 }",
    ".end { text-anchor: end } .middle { text-anchor: middle }",
    ".grid, .axis, .line, .span, .rule { fill: none }",
    ".line { stroke-width: 2; stroke-linejoin: round } .span { stroke-width: 1.5 } .rule { stroke-width: 1.25 }",
    ".band { fill-opacity: 0.25 } .mark { stroke-width: 1 }",
    ...looks
      .filter((look) => DASHES[look]!.length > 0)
      .map((look) => `.d${look} { stroke-dasharray: ${DASHES[look]!.join(" ")} }`),
  ];
  const dark = coloursOf(DARK, looks).map((rule) => `  ${rule}`);
  return [
    ...shapes,
    ...coloursOf(LIGHT, looks),
    "@media (prefers-color-scheme: dark) {",
    ...dark,
    "}",
    "",
  ].join("\n");
}

function coloursOf(
  { paper, frame, grid, axis, text, quiet, curves }: Theme,
  looks: readonly number[],
): string[] {
  return [
    `.paper { fill: ${paper}; stroke: ${frame} } .mark { stroke: ${paper} }`,
    `text { fill: ${text} } .quiet { fill: ${quiet} } .grid { stroke: ${grid} } .axis { stroke: ${axis} }`,
    ...looks.map((look) => `.c${look} { stroke: ${curves[look]} } .f${look} { fill: ${curves[look]} }`),
  ];
}

/** A hundredth of a pixel is finer than any screen. */
const short = (value: number): string => String(Math.round(value * 100) / 100);

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
