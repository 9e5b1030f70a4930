/** @file The confusion matrix: how often a class was taken for another. */
import type { Confusion } from "../../train/assessment.ts";
import { formatCount, formatShare } from "../units.ts";
import { digits, escaped } from "./html.ts";

/** More classes than these are told as a list of what was mixed up most. */
const MOST_CLASSES = 40;
const MOST_PAIRS = 20;
/** Classes up to which each cell has room for its count. */
const WITH_COUNTS = 20;

export function renderConfusion({ classes, counts }: Confusion): string {
  return classes.length <= MOST_CLASSES ? renderMatrix(classes, counts) : renderPairs(classes, counts);
}

/** Rows are the true classes; a cell is the darker, the larger its share of its row. */
function renderMatrix(classes: readonly string[], counts: readonly (readonly number[])[]): string {
  const cell = Math.max(14, Math.min(46, 560 / classes.length));
  const letters = Math.min(14, Math.max(...classes.map((each) => each.length)));
  const [left, top] = [28 + Math.max(4, letters) * 8, 44];
  const side = cell * classes.length;
  const [width, height] = [left + side + 64, top + side + 8];
  const short = (text: string): string => escaped(text.length > 14 ? `${text.slice(0, 13)}…` : text);
  const cells = counts.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, predicted) => {
      if (count === 0) return [];
      const share = count / total;
      // By its square root: a mistake of one in a hundred is to be seen.
      const opacity = digits(Math.max(0.08, Math.sqrt(share)));
      const [x, y] = [left + predicted * cell, top + truth * cell];
      const kind = truth === predicted ? "right" : "wrong";
      const tip = `${formatCount(count)} of ${formatCount(total)}: ${classes[truth]} taken for ${classes[predicted]}`;
      const told = `<rect class="${kind}" x="${digits(x)}" y="${digits(y)}" width="${digits(cell - 1.5)}" height="${digits(cell - 1.5)}" rx="3" fill-opacity="${opacity}"><title>${escaped(tip)}</title></rect>`;
      const label = `<text class="middle count${share > 0.45 ? " on" : ""}" x="${digits(x + cell / 2 - 0.75)}" y="${digits(y + cell / 2 + 4)}">${formatCount(count)}</text>`;
      return classes.length <= WITH_COUNTS ? [told, label] : [told];
    });
  });
  const rows = classes.flatMap((name, i) => {
    const total = counts[i]!.reduce((sum, count) => sum + count, 0);
    const middle = digits(top + i * cell + cell / 2 + 4);
    return [
      `<text class="end" x="${left - 8}" y="${middle}">${short(name)}</text>`,
      `<text x="${digits(left + side + 8)}" y="${middle}">${formatShare(counts[i]![i]!, total)}</text>`,
    ];
  });
  const upright = classes.every((each) => each.length * 8 <= cell);
  const columns = classes.map((name, i) => {
    const x = digits(left + i * cell + cell / 2);
    return upright
      ? `<text class="middle" x="${x}" y="${top - 8}">${short(name)}</text>`
      : `<text x="${x}" y="${top - 8}" transform="rotate(-45 ${x} ${top - 8})">${short(name)}</text>`;
  });
  const head = upright ? 0 : letters * 6;
  return [
    `<figure class="narrow"><svg class="matrix" style="max-width:${Math.ceil(width)}px" viewBox="0 ${-head} ${width} ${height + head}" role="img" aria-label="confusion matrix">`,
    `<text x="${left}" y="${14 - head}">predicted →</text><text x="${digits(left + side + 8)}" y="${14 - head}">right</text>`,
    `<text class="end" x="${left - 8}" y="${top - 8}">true ↓</text>`,
    ...columns,
    ...rows,
    ...cells,
    "</svg></figure>",
  ].join("\n");
}

function renderPairs(classes: readonly string[], counts: readonly (readonly number[])[]): string {
  const pairs = counts.flatMap((row, truth) =>
    row.flatMap((count, predicted) =>
      truth === predicted || count === 0 ? [] : [{ truth, predicted, count }],
    ),
  );
  const rows = pairs
    .sort((a, b) => b.count - a.count || a.truth - b.truth || a.predicted - b.predicted)
    .slice(0, MOST_PAIRS)
    .map(
      ({ truth, predicted, count }) =>
        `<tr><td>${escaped(classes[truth]!)}</td><td>${escaped(classes[predicted]!)}</td><td class="number">${formatCount(count)}</td></tr>`,
    );
  return `<figure><figcaption>Most often mixed up</figcaption><table><tr><th>true</th><th>predicted</th><th class="number">rows</th></tr>${rows.join("")}</table></figure>`;
}
