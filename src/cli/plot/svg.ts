/** @file A picture as SVG: by itself readable on light and on dark, with a title and a description for those who cannot see it. */
import { DARK, DASHES, LIGHT, type Theme } from "./palette.ts";
import type { Jump, Point, View } from "./sample.ts";
import type { DrawnCurve, Panel, Scene } from "./scene.ts";
import { type Tick, ticksOf } from "./ticks.ts";

/** `auto`: as the reader's screen is, by `prefers-color-scheme`. */
export type ThemeName = "auto" | "light" | "dark";

export interface SvgOptions {
  readonly title: string;
  readonly description: string;
  readonly theme: ThemeName;
}

/** Pixels. */
const WIDTH = { one: 680, two: 980 } as const;
const PLOT_HEIGHT = 360;
const EDGE = 24;
/** Left of a plot, for the labels of its y axis; and between two plots. */
const GUTTER = 44;
const BETWEEN = 30;
const LEGEND = { line: 24, sample: 34, gap: 26, letter: 7.9 } as const;
/** Curves with more jumps than these are drawn without dots at the jumps. */
const MOST_DOTS = 12;

/** The picture: one panel, or two side by side. */
export function renderSvg({ labels, panels }: Scene, { title, description, theme }: SvgOptions): string {
  const width = panels.length > 1 ? WIDTH.two : WIDTH.one;
  const entries = labels.length > 1 ? placeLegend(labels, width) : [];
  const legendHeight = entries.length > 0 ? entries.at(-1)!.y + LEGEND.line : 0;
  const top = 62 + legendHeight + 40;
  const height = top + PLOT_HEIGHT + 54;
  const plotWidth = (width - 2 * EDGE - BETWEEN * (panels.length - 1)) / panels.length - GUTTER;
  const plots = panels.map((panel, i) =>
    renderPanel(panel, {
      x: EDGE + GUTTER + i * (GUTTER + plotWidth + BETWEEN),
      y: top,
      width: plotWidth,
      height: PLOT_HEIGHT,
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(description)}</desc>`,
    `<style>\n${styles(labels.length, theme)}</style>`,
    `<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="${EDGE}" y="42">${escaped(shorten(title, width - 2 * EDGE))}</text>`,
    ...entries.map(({ x, y }, i) => renderEntry(labels[i]!, i, EDGE + x, 62 + y)),
    ...plots,
    "</svg>\n",
  ].join("\n");
}

const FONT = `font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif`;
const MONOSPACE = `font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace`;

function styles(curves: number, theme: ThemeName): string {
  const shapes = [
    `text { ${FONT}; font-size: 13px }`,
    `.title { font-size: 20px; font-weight: 600 }`,
    `.label { ${MONOSPACE}; font-size: 13px }`,
    `.name { font-style: italic; font-size: 15px }`,
    ".end { text-anchor: end } .middle { text-anchor: middle }",
    ".grid, .axis, .curve { fill: none }",
    ".curve { stroke-width: 2.5; stroke-linejoin: round }",
    ".dot, .hole { stroke-width: 1.75 }",
    ...DASHES.slice(1, curves).map((dash, i) => `.d${i + 1} { stroke-dasharray: ${dash.join(" ")} }`),
  ];
  const colours = coloursOf(theme === "dark" ? DARK : LIGHT, curves);
  const dark = coloursOf(DARK, curves).map((rule) => `  ${rule}`);
  const media = theme === "auto" ? ["@media (prefers-color-scheme: dark) {", ...dark, "}"] : [];
  return [...shapes, ...colours, ...media, ""].join("\n");
}

function coloursOf(theme: Theme, curves: number): string[] {
  return [
    `.paper { fill: ${theme.paper}; stroke: ${theme.frame} } .hole { fill: ${theme.paper} }`,
    `text { fill: ${theme.text} } .quiet { fill: ${theme.quiet} }`,
    `.grid { stroke: ${theme.grid} } .axis { stroke: ${theme.axis} }`,
    ...theme.curves
      .slice(0, curves)
      .map((colour, i) => `.c${i} { stroke: ${colour} } .dot.c${i} { fill: ${colour} }`),
  ];
}

/** Where each entry stands, from the left and from the top; as many in a line as there is room for. */
function placeLegend(labels: readonly string[], width: number): { x: number; y: number }[] {
  let [x, y] = [0, 0];
  return labels.map((label) => {
    const needed = LEGEND.sample + 8 + label.length * LEGEND.letter;
    if (x > 0 && x + needed > width - 2 * EDGE) [x, y] = [0, y + LEGEND.line];
    const place = { x, y };
    x += needed + LEGEND.gap;
    return place;
  });
}

function renderEntry(label: string, i: number, x: number, y: number): string {
  const line = `<path class="curve c${i} d${i}" d="M${x} ${y + 8}h${LEGEND.sample}"/>`;
  const room = WIDTH.one - 2 * EDGE - LEGEND.sample;
  return `${line}<text class="label" x="${x + LEGEND.sample + 8}" y="${y + 12.5}">${escaped(shorten(label, room))}</text>`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function renderPanel({ name, view, curves }: Panel, box: Box): string {
  const place = placer(view, box);
  const [xs, ys] = [ticksOf(view.x.from, view.x.to, 9), ticksOf(view.y.from, view.y.to, 9)];
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const across = (y: number): string => `M${digits(box.x)} ${digits(place.y(y))}H${digits(right)}`;
  const down = (x: number): string => `M${digits(place.x(x))} ${digits(box.y)}V${digits(bottom)}`;
  const axes = [
    view.x.from <= 0 && view.x.to >= 0 ? down(0) : "",
    view.y.from <= 0 && view.y.to >= 0 ? across(0) : "",
  ];
  const text = (kind: string, x: number, y: number, { label }: Tick): string =>
    `<text class="quiet ${kind}" x="${digits(x)}" y="${digits(y)}">${label.replace("-", "−")}</text>`;
  return [
    `<text class="name" x="${digits(box.x)}" y="${digits(box.y - 12)}">${name}</text>`,
    `<path class="grid" d="${[...xs.map(({ value }) => down(value)), ...ys.map(({ value }) => across(value))].join("")}"/>`,
    `<path class="axis" d="${axes.join("")}"/>`,
    ...xs.map((tick) => text("middle", place.x(tick.value), bottom + 20, tick)),
    ...ys.map((tick) => text("end", box.x - 8, place.y(tick.value) + 4.5, tick)),
    `<text class="name end" x="${digits(right)}" y="${digits(bottom + 38)}">x</text>`,
    ...curves.flatMap((curve, i) => renderCurve(curve, i, place)),
    ...curves.flatMap((curve, i) => renderJumps(curve.jumps, i, place, view)),
  ].join("\n");
}

interface Placer {
  readonly x: (x: number) => number;
  readonly y: (y: number) => number;
}

const placer = (view: View, box: Box): Placer => ({
  x: (x) => box.x + ((x - view.x.from) / (view.x.to - view.x.from)) * box.width,
  y: (y) => box.y + ((view.y.to - y) / (view.y.to - view.y.from)) * box.height,
});

function renderCurve({ lines }: DrawnCurve, i: number, place: Placer): string[] {
  if (lines.length === 0) return [];
  const at = ({ x, y }: Point): string => `${digits(place.x(x))} ${digits(place.y(y))}`;
  const paths = lines.map((line) => `M${line.map(at).join("L")}`);
  return [`<path class="curve c${i} d${i}" d="${paths.join("")}"/>`];
}

/** At a jump a full dot is the value there, and a hollow one a limit that is not taken. */
function renderJumps(jumps: readonly Jump[], i: number, place: Placer, { y: range }: View): string[] {
  if (jumps.length > MOST_DOTS) return [];
  return jumps.flatMap(({ x, left, value, right }) => {
    const limits = new Set([left, right].filter((y) => y !== undefined && y !== value));
    const dots: [string, number | undefined][] = [
      ...[...limits].map((y): [string, number | undefined] => ["hole", y]),
      ["dot", value],
    ];
    return dots
      .filter(([, y]) => y !== undefined && y >= range.from && y <= range.to)
      .map(
        ([kind, y]) =>
          `<circle class="${kind} c${i}" cx="${digits(place.x(x))}" cy="${digits(place.y(y!))}" r="3.25"/>`,
      );
  });
}

/** A hundredth of a pixel is finer than any screen. */
const digits = (value: number): string => String(Math.round(value * 100) / 100);

/** Cut to the room, by the widest that letters are on average. */
const shorten = (text: string, room: number): string => {
  const most = Math.floor(room / 11);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
};

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
