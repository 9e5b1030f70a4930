/** @file How a curve looks on a terminal: its mark and its colour; and lines that change colour as seldom as they can. */
import type { Style } from "../style.ts";

const MARKS = { fine: "●▲■◆○△□◇", plain: "o+x*#@%&" };
/** Of the terminal's own palette (SGR 30 to 37, and 94), which its theme makes readable. */
const COLOURS = [34, 33, 32, 35, 36, 31, 94, 37];

/** One character. */
export const markOf = (curve: number, { unicode }: Style): string =>
  (unicode ? MARKS.fine : MARKS.plain)[curve % MARKS.fine.length]!;

/** The text in the curve's colour. */
export const paintOf =
  (curve: number, { colour }: Style) =>
  (text: string): string =>
    colour && text !== "" ? `\x1b[${COLOURS[curve % COLOURS.length]}m${text}\x1b[39m` : text;

/** What stands for the colour of axes where a curve's number stands for its own. */
export const AXIS = -1;

/** A line made from left to right of characters that belong to curves and axes. */
export class PaintedLine {
  readonly #style: Style;
  readonly #runs: { owner: number; text: string }[] = [];

  constructor(style: Style) {
    this.#style = style;
  }

  add(text: string, owner: number): void {
    const last = this.#runs.at(-1);
    // A space has no colour.
    if (last && (last.owner === owner || text === " ")) last.text += text;
    else this.#runs.push({ owner, text });
  }

  text(): string {
    return this.#runs
      .map(({ owner, text }) => (owner === AXIS ? this.#style.dim(text) : paintOf(owner, this.#style)(text)))
      .join("");
  }
}
