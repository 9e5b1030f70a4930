/** @file A panel as text: braille dots where the terminal can show them, axes, and marks on the curves for the legend. */
import type { Style } from "../style.ts";
import { padEnd, padStart } from "../text.ts";
import { brailleOf, Canvas } from "./canvas.ts";
import { AXIS, markOf, PaintedLine } from "./marks.ts";
import type { Range } from "./range.ts";
import type { Point } from "./sample.ts";
import type { Panel } from "./scene.ts";
import { type Tick, ticksOf } from "./ticks.ts";

export interface ChartSize {
  /** Cells of every line. */
  readonly width: number;
  /** Lines, with the name above and the x axis and its labels below. */
  readonly height: number;
}

/** Lines that a chart has beside its curves. */
const AROUND = 3;
/** Cells between marks of one curve, where there are few curves. */
const MARK_EVERY = 16;

/** A panel in `height` lines of exactly `width` cells. */
export function renderChart(panel: Panel, { width, height }: ChartSize, style: Style): string[] {
  const { x, y } = panel.view;
  const rows = Math.max(3, height - AROUND);
  const yTicks = ticksOf(y.from, y.to, Math.max(3, Math.floor(rows / 2)));
  const gutter = Math.max(1, ...yTicks.map(({ label }) => label.length)) + 2;
  const columns = Math.max(8, width - gutter);
  const xTicks = ticksOf(x.from, x.to, Math.max(3, Math.min(9, Math.floor(columns / 6))));
  const grid = new Grid(panel, new Canvas(columns, rows, style.unicode));
  const body = renderBody(panel, grid, yTicks, gutter, style);
  const places = xTicks.map((tick) => grid.columnOf(tick.value));
  return [
    padEnd(" ".repeat(gutter) + panel.name, width),
    ...body,
    style.dim(`${" ".repeat(gutter - 1)}${renderAxis(places, columns, style)}`),
    style.dim(padEnd(renderLabels(xTicks, places, gutter, width), width)),
  ];
}

/** Where x and y are: in dots of the canvas, and in cells. */
class Grid {
  readonly canvas: Canvas;
  readonly #x: Range;
  readonly #y: Range;

  constructor({ view }: Panel, canvas: Canvas) {
    [this.canvas, this.#x, this.#y] = [canvas, view.x, view.y];
  }

  dotAcross(x: number): number {
    const { from, to } = this.#x;
    return ((x - from) / (to - from)) * (this.canvas.columns * this.canvas.across - 1);
  }
  dotDown(y: number): number {
    const { from, to } = this.#y;
    return ((to - y) / (to - from)) * (this.canvas.rows * this.canvas.down - 1);
  }
  columnOf(x: number): number {
    return Math.floor(Math.round(this.dotAcross(x)) / this.canvas.across);
  }
  rowOf(y: number): number {
    return Math.floor(Math.round(this.dotDown(y)) / this.canvas.down);
  }
  /** The x in the middle of a column. */
  xAt(column: number): number {
    const { columns, across } = this.canvas;
    const share = ((column + 0.5) * across - 0.5) / (columns * across - 1);
    return this.#x.from + share * (this.#x.to - this.#x.from);
  }
  /** The column and the row of the axes; -1 where they are out of view. */
  origin(): [column: number, row: number] {
    const holdsZero = ({ from, to }: Range): boolean => from <= 0 && to >= 0;
    return [holdsZero(this.#x) ? this.columnOf(0) : -1, holdsZero(this.#y) ? this.rowOf(0) : -1];
  }
}

function renderBody(
  panel: Panel,
  grid: Grid,
  ticks: readonly Tick[],
  gutter: number,
  style: Style,
): string[] {
  const { canvas } = grid;
  drawCurves(panel, grid);
  const marks = panel.curves.length > 1 ? marksOf(panel, grid) : new Map<number, number>();
  const labels = new Map(ticks.map(({ value, label }) => [grid.rowOf(value), label]));
  const [zeroColumn, zeroRow] = grid.origin();
  const signs = style.unicode ? { edge: "│┤", axes: "┼│─" } : { edge: "|+", axes: "+:." };
  return Array.from({ length: canvas.rows }, (_, row) => {
    const label = labels.get(row);
    const line = new PaintedLine(style);
    line.add(`${padStart(label ?? "", gutter - 2)} ${signs.edge[label === undefined ? 0 : 1]}`, AXIS);
    for (let column = 0; column < canvas.columns; column++) {
      const { dots, owner } = canvas.cell(column, row);
      const mark = marks.get(row * canvas.columns + column);
      if (mark !== undefined) line.add(markOf(mark, style), mark);
      else if (dots !== 0) line.add(style.unicode ? brailleOf(dots) : markOf(owner, style), owner);
      else if (column === zeroColumn) line.add(signs.axes[row === zeroRow ? 0 : 1]!, AXIS);
      else line.add(row === zeroRow ? signs.axes[2]! : " ", AXIS);
    }
    return line.text();
  });
}

function drawCurves({ curves }: Panel, grid: Grid): void {
  for (const [i, { lines }] of curves.entries()) {
    for (const line of lines) {
      line.slice(1).forEach((b, k) => {
        const a = line[k]!;
        grid.canvas.line(i, grid.dotAcross(a.x), grid.dotDown(a.y), grid.dotAcross(b.x), grid.dotDown(b.y));
      });
    }
  }
}

/**
 * Where the marks stand: number of the cell to number of the curve. Each curve has columns of its own, so that where
 * several run on one line the marks of all are seen.
 */
function marksOf({ curves }: Panel, grid: Grid): Map<number, number> {
  const { columns } = grid.canvas;
  const every = Math.max(MARK_EVERY, 3 * curves.length);
  const marks = new Map<number, number>();
  for (const [i, { lines }] of curves.entries()) {
    for (let column = Math.round(((i + 0.5) * every) / curves.length); column < columns; column += every) {
      const y = heightAt(lines, grid.xAt(column));
      if (y !== undefined) marks.set(grid.rowOf(y) * columns + column, i);
    }
  }
  return marks;
}

function heightAt(lines: readonly (readonly Point[])[], x: number): number | undefined {
  for (const line of lines) {
    const next = line.findIndex((point, i) => i > 0 && line[i - 1]!.x <= x && point.x >= x);
    if (next < 0) continue;
    const [a, b] = [line[next - 1]!, line[next]!];
    return b.x > a.x ? a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y) : a.y;
  }
  return undefined;
}

function renderAxis(places: readonly number[], columns: number, { unicode }: Style): string {
  const [corner, flat, tee] = unicode ? "└─┴" : "+-+";
  const line = Array.from({ length: columns }, (_, i) => (places.includes(i) ? tee : flat));
  return corner + line.join("");
}

/** The labels of the x axis, each centred under its tick, its sign aside, where it does not run into the one before. */
function renderLabels(
  ticks: readonly Tick[],
  places: readonly number[],
  gutter: number,
  width: number,
): string {
  let line = "";
  ticks.forEach(({ label }, i) => {
    const sign = label.startsWith("-") ? 1 : 0;
    const centred = gutter + places[i]! - sign - Math.floor((label.length - sign - 1) / 2);
    const start = Math.max(0, Math.min(width - label.length, centred));
    if (start > line.length || line === "") line = line.padEnd(start) + label;
  });
  return line;
}
