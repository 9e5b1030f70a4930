/** @file Lines made ready to draw: cut at the edges of the view, and rid of points that change nothing. */
import type { Point, View } from "./sample.ts";

type Line = readonly Point[];

/** Of the view's sides: how far a point may lie from the line that replaces it. */
const PRECISION = 1 / 4000;

/** The pieces of a curve as they are seen; pieces that meet become one line. */
export function linesOf(pieces: readonly Line[], view: View): Point[][] {
  const lines: Point[][] = [];
  for (const piece of pieces) {
    for (const part of clip(piece, view)) {
      const line = simplify(part, view);
      const last = lines.at(-1);
      const [end, start] = [last?.at(-1), line[0]!];
      if (end && last && end.x === start.x && end.y === start.y) last.push(...line.slice(1));
      else lines.push(line);
    }
  }
  return lines;
}

/** The parts of a line between `y.from` and `y.to`, with ends on the edge where it leaves. */
export function clip(line: Line, { y }: View): Point[][] {
  const parts: Point[][] = [];
  let part: Point[] = [];
  const end = (): void => {
    if (part.length > 1) parts.push(part);
    part = [];
  };
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1]!, line[i]!];
    const low = Math.min(a.y, b.y);
    const high = Math.max(a.y, b.y);
    if (high < y.from || low > y.to) {
      end();
      continue;
    }
    const [start, stop] = [cut(a, b, y), cut(b, a, y)];
    if (part.length === 0) part.push(start);
    part.push(stop);
    if (stop !== b) end();
  }
  end();
  return parts;
}

/** Point `a`, or where the line from it to `b` enters the view. */
function cut(a: Point, b: Point, y: View["y"]): Point {
  const edge = a.y > y.to ? y.to : a.y < y.from ? y.from : undefined;
  if (edge === undefined) return a;
  return { x: a.x + ((edge - a.y) / (b.y - a.y)) * (b.x - a.x), y: edge };
}

/** Douglas and Peucker's algorithm: keeps the point that is farthest off, and looks at both sides of it again. */
export function simplify(line: Line, { x, y }: View): Point[] {
  const us = line.map((point) => (point.x - x.from) / (x.to - x.from));
  const vs = line.map((point) => (point.y - y.from) / (y.to - y.from));
  const kept = new Uint8Array(line.length);
  const open: [number, number][] = [[0, line.length - 1]];
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    const [first, last] = span;
    kept[first] = kept[last] = 1;
    const [du, dv] = [us[last]! - us[first]!, vs[last]! - vs[first]!];
    const length = Math.hypot(du, dv);
    let [farthest, most] = [0, PRECISION / 2];
    for (let i = first + 1; i < last; i++) {
      const [u, v] = [us[i]! - us[first]!, vs[i]! - vs[first]!];
      const off = length === 0 ? Math.hypot(u, v) : Math.abs(u * dv - v * du) / length;
      if (off > most) [farthest, most] = [i, off];
    }
    if (farthest > 0) open.push([first, farthest], [farthest, last]);
  }
  return line.filter((_, i) => kept[i] === 1);
}
