/** @file What a picture shows, before it is known how it is drawn: panels, curves, ranges. */
import type { PlotFunction, Subject } from "./function.ts";
import { linesOf } from "./lines.ts";
import { type Range, rangeOf } from "./range.ts";
import { type Jump, type Point, sampleCurve, type View } from "./sample.ts";

export interface Scene {
  readonly labels: readonly string[];
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** `f(x)` or its derivative, `f′(x)`. */
  readonly name: string;
  readonly view: View;
  /** In the order of the labels. */
  readonly curves: readonly DrawnCurve[];
}

export interface DrawnCurve {
  /** Within the view, from left to right. */
  readonly lines: readonly (readonly Point[])[];
  readonly jumps: readonly Jump[];
}

export interface SceneOptions {
  readonly x: Range;
  readonly y: { readonly from?: number | undefined; readonly to?: number | undefined };
}

/** The curves of some functions, and of their derivatives in a second panel where they are there. */
export function sceneOf(subjects: readonly Subject[], { x, y }: SceneOptions): Scene {
  const panel = (name: string, functions: readonly PlotFunction[], given: SceneOptions["y"]): Panel => {
    const view = { x, y: rangeOf(functions, x, given) };
    const curves = functions.map((each) => {
      const { pieces, jumps } = sampleCurve(each, view);
      return { lines: linesOf(pieces, view), jumps };
    });
    return { name, view, curves };
  };
  const values = subjects.map(({ value }) => value);
  const gradients = subjects.flatMap(({ gradient }) => gradient ?? []);
  const panels = [panel("f(x)", values, y)];
  if (gradients.length > 0) panels.push(panel("f′(x)", gradients, {}));
  return { labels: subjects.map(({ label }) => label), panels };
}
