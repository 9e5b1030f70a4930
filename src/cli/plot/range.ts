/** @file The range of y that a picture shows: all of the curves, except what runs up a pole. */
import type { PlotFunction } from "./function.ts";

export interface Range {
  readonly from: number;
  readonly to: number;
}

const SAMPLES = 1024;
/** Of the values of a curve with a pole, the share at that side that may lie outside, before the margin. */
const TAIL = 0.1;

/** A range of y for all of the functions on `x`; its ends may be given. */
export function rangeOf(
  functions: readonly PlotFunction[],
  x: Range,
  given: { readonly from?: number | undefined; readonly to?: number | undefined } = {},
): Range {
  const own = functions.map((each) => valuesOf(each, x)).filter((range) => range !== undefined);
  let from = finite(Math.min(...own.map((range) => range.from)));
  let to = finite(Math.max(...own.map((range) => range.to)));
  // Nothing to see anywhere.
  if (own.length === 0) [from, to] = [-1, 1];
  // The axis belongs into the picture where it is near.
  if (from > 0 && from < 0.4 * to) from = 0;
  if (to < 0 && to > 0.4 * from) to = 0;
  const flat = Math.max(1, Math.abs(from), Math.abs(to)) * 1e-9;
  const margin = to - from > flat ? 0.06 * (to - from) : Math.max(1, 0.1 * Math.abs(to));
  const range = { from: given.from ?? from - margin, to: given.to ?? to + margin };
  if (range.to > range.from) return range;
  // One end is given, and leaves all curves outside.
  return given.from === undefined
    ? { from: range.to - Math.max(1, Math.abs(range.to)), to: range.to }
    : { from: range.from, to: range.from + Math.max(1, Math.abs(range.from)) };
}

/** A quarter of the largest float64, so that the length of the range is finite, margins included. */
const LARGEST = 2 ** 1022;
const finite = (y: number): number => Math.max(-LARGEST, Math.min(LARGEST, y));

function valuesOf({ valuesAt }: PlotFunction, x: Range): Range | undefined {
  const width = (x.to - x.from) / SAMPLES;
  const xs = Float64Array.from({ length: SAMPLES + 1 }, (_, i) => x.from + i * width);
  const ys = valuesAt(xs);
  const places = Array.from(ys.keys()).filter((i) => Number.isFinite(ys[i]));
  if (places.length === 0) return undefined;
  places.sort((a, b) => ys[a]! - ys[b]!);
  const at = (share: number): number => ys[places[Math.round(share * (places.length - 1))]!]!;
  const middle = at(0.5);
  const reach = 0.75 * (at(1 - TAIL) - at(TAIL));
  const away: PlotFunction["valuesAt"] = (near) => valuesAt(near).map((y) => y - middle);
  const isPole = (place: number): boolean => growsNear(away, xs[place]!, width, ys[place]! - middle);
  return {
    from: isPole(places[0]!) ? at(TAIL) - reach : at(0),
    to: isPole(places.at(-1)!) ? at(1 - TAIL) + reach : at(1),
  };
}

/**
 * Whether a closer and closer look round the highest sample, or the lowest, finds heights that are larger by far. At a
 * pole it does; a peak has a top, and a logarithm grows too slowly to ruin the picture.
 */
function growsNear(heightsAt: PlotFunction["valuesAt"], x: number, width: number, height: number): boolean {
  let [place, highest] = [x, height];
  for (let reach = width; reach > width / 1000; reach /= 4) {
    const near = Float64Array.from({ length: 17 }, (_, i) => place + (reach * (i - 8)) / 8);
    heightsAt(near).forEach((other, i) => {
      if (Number.isFinite(other) && other / highest > 1) [place, highest] = [near[i]!, other];
    });
  }
  return highest / height >= 4;
}
