/**
 * @file Lines of a terminal, with their colours as escape sequences, as an SVG. Block characters become rectangles, so that no
 * font leaves gaps between them; texts are stretched to their cells.
 */
const CELL = { width: 9, height: 18 };
const MARGIN = 16;
const COLOURS = { text: "#d8dee9", dim: "#7b8494", paper: "#161a22", frame: "#3b4252" };
/** The first sixteen of a terminal's colours; those that the program uses. */
const NAMED = ["#161a22", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"];

interface Look {
  readonly text: string;
  readonly paper: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}
const PLAIN: Look = { text: COLOURS.text, paper: undefined, bold: false, dim: false };

interface Cell {
  readonly character: string;
  readonly look: Look;
}

export function draw(lines: readonly string[], columns: number): string {
  const width = columns * CELL.width + 2 * MARGIN;
  const height = lines.length * CELL.height + 2 * MARGIN;
  const rows = readLines(lines);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    "<title>The demo of Sluice in a terminal</title>",
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${COLOURS.paper}" stroke="${COLOURS.frame}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="15">`,
    ...rows.flatMap((cells, row) => [...drawBlocks(cells, row), ...drawTexts(cells, row)]),
    "</g>",
    "</svg>\n",
  ].join("\n");
}

function readLines(lines: readonly string[]): Cell[][] {
  let look = PLAIN;
  return lines.map((line) => {
    const cells: Cell[] = [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
    for (const [, codes, character] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b])/gu)) {
      if (character === undefined) look = change(look, codes!.split(";").map(Number));
      else cells.push({ character, look });
    }
    return cells;
  });
}

/** Select Graphic Rendition, as far as the program uses it. */
function change(look: Look, codes: readonly number[]): Look {
  let now = look;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) now = PLAIN;
    else if (code === 1) now = { ...now, bold: true };
    else if (code === 2) now = { ...now, dim: true };
    else if (code === 22) now = { ...now, bold: false, dim: false };
    else if (code >= 30 && code <= 37) now = { ...now, text: NAMED[code - 30]! };
    else if (code === 39) now = { ...now, text: COLOURS.text };
    else if (code === 49) now = { ...now, paper: undefined };
    else if (code === 38 || code === 48) {
      const colour = colour256(codes[i + 2]!);
      now = code === 38 ? { ...now, text: colour } : { ...now, paper: colour };
      i += 2;
    }
  }
  return now;
}

/** A cube of six steps each, then 24 greys; https://en.wikipedia.org/wiki/ANSI_escape_code#8-bit */
function colour256(number: number): string {
  if (number < 16) return NAMED[number % 8]!;
  const hex = (levels: readonly number[]): string =>
    `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
  if (number >= 232) return hex(new Array<number>(3).fill(8 + 10 * (number - 232)));
  const cube = number - 16;
  const steps = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return hex(steps.map((step) => (step === 0 ? 0 : 55 + 40 * step)));
}

const colourOf = ({ text, dim }: Look): string => (dim ? COLOURS.dim : text);

/** Parts of a cell, in eighths: x, y, width, height. */
const BLOCKS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  "▀": [0, 0, 8, 4],
  "▄": [0, 4, 8, 4],
  "█": [0, 0, 8, 8],
  "▕": [7, 0, 1, 8],
  ...Object.fromEntries(["▏", "▎", "▍", "▌", "▋", "▊", "▉"].map((block, i) => [block, [0, 0, i + 1, 8]])),
};

/** Rectangles; equal neighbours that touch become one. */
function drawBlocks(cells: readonly Cell[], row: number): string[] {
  const pieces: { x: number; y: number; width: number; height: number; fill: string }[] = [];
  const add = (column: number, part: readonly [number, number, number, number], fill: string): void => {
    const x = MARGIN + (column + part[0] / 8) * CELL.width;
    const y = MARGIN + (row + part[1] / 8) * CELL.height;
    const [width, height] = [(part[2] / 8) * CELL.width, (part[3] / 8) * CELL.height];
    const left = pieces.find((piece) => piece.fill === fill && piece.y === y && piece.x + piece.width === x);
    if (left !== undefined && left.height === height) left.width += width;
    else pieces.push({ x, y, width, height, fill });
  };
  for (const [column, { character, look }] of cells.entries()) {
    const block = BLOCKS[character];
    if (look.paper !== undefined) add(column, character === "▀" ? [0, 4, 8, 4] : [0, 0, 8, 8], look.paper);
    if (block !== undefined) add(column, block, colourOf(look));
  }
  return pieces.map(
    ({ x, y, width, height, fill }) =>
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" shape-rendering="crispEdges"/>`,
  );
}

/** Runs of characters of one look; a gap of two spaces ends one, so that columns stay under each other. */
function drawTexts(cells: readonly Cell[], row: number): string[] {
  const line = cells.map(({ character }) => (character in BLOCKS ? " " : character)).join("");
  const runs: string[] = [];
  for (const match of line.matchAll(/\S+(?: \S+)*/g)) {
    for (let start = match.index; start < match.index + match[0].length; ) {
      const { look } = cells[start]!;
      let end = start + 1;
      while (end < match.index + match[0].length && cells[end]!.look === look) end++;
      const text = line.slice(start, end).trimEnd();
      const skip = text.length - text.trimStart().length;
      if (text.trim() !== "") runs.push(drawText(text.trim(), start + skip, row, look));
      start = end;
    }
  }
  return runs;
}

function drawText(text: string, column: number, row: number, look: Look): string {
  const x = MARGIN + column * CELL.width;
  const y = MARGIN + (row + 0.76) * CELL.height;
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const weight = look.bold ? ' font-weight="bold"' : "";
  return `<text x="${x}" y="${y}" fill="${colourOf(look)}"${weight} textLength="${text.length * CELL.width}" xml:space="preserve">${escaped}</text>`;
}
