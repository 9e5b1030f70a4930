/** @file Tables that fit the terminal: aligned columns where they fit, one block a row where they do not. */
import type { Style } from "./style.ts";
import { displayWidth, padEnd, padStart, wrap } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Running text: the last column may wrap into the room that is left, if that is at least this many cells. */
  readonly wrapAt?: number;
}

export interface TableOptions {
  /** Cells of a line; infinite where the output is no terminal. */
  readonly width: number;
  readonly style: Style;
  readonly indent?: number;
  /** Whether to print the titles. */
  readonly titles?: boolean;
}

const GAP = "  ";

/** The table as text that ends in a newline; the empty string where there are no rows. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, style, indent = 2, titles = true }: TableOptions,
): string {
  if (rows.length === 0) return "";
  const margin = " ".repeat(indent);
  const widths = columns.map((column, i) =>
    Math.max(titles ? displayWidth(column.title) : 0, ...rows.map((row) => displayWidth(row[i] ?? ""))),
  );
  const last = columns.length - 1;
  const before = indent + sum(widths.slice(0, last)) + GAP.length * last;
  const room = width - before;
  if (room < Math.min(widths[last]!, columns[last]!.wrapAt ?? widths[last]!)) {
    return renderBlocks(columns, rows, width, margin, style);
  }
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) =>
      columns[i]!.align === "right"
        ? padStart(cell, widths[i]!)
        : i === last
          ? cell
          : padEnd(cell, widths[i]!),
    );
    return `${margin}${padded.join(GAP)}`.trimEnd();
  };
  const lines: string[] = [];
  if (titles) lines.push(line(columns.map((column) => column.title)).replace(/\S.*/, style.dim));
  for (const row of rows) {
    const [first = "", ...more] = wrap(row[last] ?? "", room);
    lines.push(line([...row.slice(0, last), first]));
    for (const rest of more) lines.push(" ".repeat(before) + rest);
  }
  return `${lines.join("\n")}\n`;
}

/** Each row as a block: its first cell, then `title  cell` lines below it. */
function renderBlocks(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  margin: string,
  style: Style,
): string {
  const inner = `${margin}  `;
  const titleWidth = Math.max(0, ...columns.slice(1).map((column) => displayWidth(column.title)));
  const lines: string[] = [];
  for (const row of rows) {
    lines.push(margin + (row[0] ?? ""));
    columns.slice(1).forEach((column, i) => {
      const cell = row[i + 1] ?? "";
      if (cell === "") return;
      const label = column.title === "" ? "" : `${style.dim(padEnd(column.title, titleWidth))}${GAP}`;
      const hang = inner + " ".repeat(displayWidth(label));
      const [first = "", ...more] = column.wrapAt === undefined ? [cell] : wrap(cell, width - hang.length);
      lines.push(inner + label + first, ...more.map((rest) => hang + rest));
    });
  }
  return `${lines.join("\n")}\n`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
