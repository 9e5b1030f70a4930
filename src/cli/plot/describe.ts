/** @file A picture in words: for those who hear it, and for scripts. */
import { formatValue } from "../units.ts";
import type { PlotFunction, Subject } from "./function.ts";
import type { Range } from "./range.ts";
import type { Panel, Scene } from "./scene.ts";

/** `leaky_relu(0.2): -0.8 at x = -4, 0 at x = 0, 4 at x = 4.`, a sentence for each curve and each derivative. */
export function describe(subjects: readonly Subject[], { from, to }: Range): string {
  const places = from < 0 && to > 0 ? [from, 0, to] : [from, to];
  const values = ({ valuesAt }: PlotFunction): string =>
    Array.from(valuesAt(Float64Array.from(places)), (y, i) => {
      return `${Number.isNaN(y) ? "no value" : formatValue(y)} at x = ${formatValue(places[i]!)}`;
    }).join(", ");
  const sentences = subjects.flatMap(({ label, value, gradient }) => [
    `${label}: ${values(value)}.`,
    ...(gradient ? [`Its derivative: ${values(gradient)}.`] : []),
  ]);
  return sentences.join(" ");
}

/** What `--json` prints: the points that are drawn, line by line; between two lines a curve is torn, or out of view. */
export function toObject(subjects: readonly Subject[], { panels }: Scene, { from, to }: Range) {
  const [values, gradients] = panels;
  const linesOf = (panel: Panel | undefined, i: number) =>
    panel?.curves[i]?.lines.map((line) => line.map(({ x, y }) => [x, y]));
  return {
    command: "plot",
    ...{ from, to },
    curves: subjects.map(({ label, ops }, i) => ({
      ...{ label, ops, value: linesOf(values, i) },
      ...(gradients ? { gradient: linesOf(gradients, i) } : {}),
    })),
  };
}
