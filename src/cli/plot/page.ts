/** @file Charts on a terminal page: side by side where they fit, and apart where marks alone would not tell curves apart. */
import type { Style } from "../style.ts";
import { padEnd } from "../text.ts";
import { renderChart } from "./chart.ts";
import { fitLabel, renderLegend } from "./legend.ts";
import type { Panel, Scene } from "./scene.ts";

/** Cells between two charts. */
const GAP = 2;
/** Below this, a chart gets a line of its own. */
const NARROWEST = 36;
/** So many curves can be told apart by their marks alone, without colour. */
const MOST_WITHOUT_COLOUR = 4;

export interface PageSize {
  readonly width: number;
  /** Lines of one chart. */
  readonly height: number;
}

/** The scene as lines of at most `width` cells. */
export function renderPage(scene: Scene, size: PageSize, style: Style): string[] {
  const { labels, panels } = scene;
  if (labels.length === 1)
    return [fitLabel(labels[0]!, size.width, style), ...arrange(chartsOf(scene, style), size)];
  if (style.colour || labels.length <= MOST_WITHOUT_COLOUR) {
    return [...renderLegend(labels, size.width, style), "", ...arrange(chartsOf(scene, style), size)];
  }
  const height = Math.max(9, Math.round(size.height * 0.7));
  const alone = labels.map((label, i) => ({
    labels: [label],
    panels: panels.map((panel) => onlyCurve(panel, i)),
  }));
  if (panels.length === 1) {
    const blocks = alone.map(
      (each): Block =>
        (width) => [
          padEnd(fitLabel(each.labels[0]!, width, style), width),
          ...chartsOf(each, style)[0]!(width, height),
        ],
    );
    return arrange(blocks, { ...size, height });
  }
  return alone.flatMap((each, i) => [
    ...(i > 0 ? [""] : []),
    ...renderPage(each, { ...size, height }, style),
  ]);
}

/** Lines of exactly `width` cells. */
type Block = (width: number, height: number) => string[];

const chartsOf = ({ panels }: Scene, style: Style): Block[] =>
  panels.map((panel) => (width, height) => renderChart(panel, { width, height }, style));

const onlyCurve = (panel: Panel, i: number): Panel => ({ ...panel, curves: [panel.curves[i]!] });

/** Blocks side by side, as many in a row as are wide enough; at most two, for a curve is easier read large. */
function arrange(blocks: readonly Block[], { width, height }: PageSize): string[] {
  const across = Math.min(2, blocks.length, Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP))));
  const own = Math.floor((width - GAP * (across - 1)) / across);
  const lines: string[] = [];
  for (let first = 0; first < blocks.length; first += across) {
    const row = blocks.slice(first, first + across).map((block) => block(own, height));
    if (first > 0) lines.push("");
    lines.push(...row[0]!.map((_, i) => row.map((each) => each[i]!).join(" ".repeat(GAP))));
  }
  return lines;
}
