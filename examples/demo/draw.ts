/**
 * @file Draws images in the terminal, two pixels in each cell: the upper half block takes the text colour for the upper
 * pixel and the background for the lower one. Without colours, a character for each cell.
 */
import { colours } from "./say.ts";

const SIDE = 28;
/** The margin of paper around the digits is left out, so that four images stand in 80 columns. */
const [LEFT, RIGHT] = [5, 23];
const [TOP, BOTTOM] = [4, 24];
const WIDTH = RIGHT - LEFT;
const GAP = "  ";
const ACROSS = 4;

/** What the colours, or the characters, mean. */
export const LEGEND = colours
  ? "black is 0, white is 1; blue is below zero, where leaky_relu keeps a fifth"
  : "from blank, 0, to #, 1; ~ is below zero, where leaky_relu keeps a fifth";

/** Lines of pictures: for each pair an image before and after. */
export function drawDigits(
  pairs: readonly (readonly [before: Float32Array, after: Float32Array])[],
): string[] {
  return drawImages(
    pairs.flatMap(([before, after]) => [
      { title: "before", pixels: before },
      { title: "after", pixels: after },
    ]),
  );
}

export interface Image {
  readonly title: string;
  readonly pixels: Float32Array;
}

/** Lines of pictures, four side by side. */
export function drawImages(images: readonly Image[]): string[] {
  const lines: string[] = [];
  for (let first = 0; first < images.length; first += ACROSS) {
    const row = images.slice(first, first + ACROSS);
    if (first > 0) lines.push("");
    lines.push(
      row
        .map(({ title }) => title.padEnd(WIDTH))
        .join(GAP)
        .trimEnd(),
    );
    for (let y = TOP; y < BOTTOM; y += 2) {
      lines.push(
        row
          .map(({ pixels }) => drawRow(pixels, y))
          .join(GAP)
          .trimEnd(),
      );
    }
  }
  return lines;
}

/** Rows `y` and `y + 1` of an image. */
function drawRow(image: Float32Array, y: number): string {
  let row = "";
  for (let x = LEFT; x < RIGHT; x++) {
    const upper = image[y * SIDE + x]!;
    const lower = image[(y + 1) * SIDE + x]!;
    row += colours
      ? `\x1b[38;5;${colourOf(upper)};48;5;${colourOf(lower)}m▀`
      : characterOf((upper + lower) / 2);
  }
  return colours ? `${row}\x1b[0m` : row;
}

/** Of the 256 that terminals have: 232 to 255 are greys, 24 a blue. */
function colourOf(value: number): number {
  if (value < 0) return 24;
  return 232 + Math.round(Math.min(value, 1) * 23);
}

function characterOf(value: number): string {
  if (value < 0) return "~";
  return " .:+*#"[Math.round(Math.min(value, 1) * 5)]!;
}
