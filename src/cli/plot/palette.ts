/**
 * @file The looks of curves: colours that people with any colour vision tell apart, and dashes for those without colour.
 *
 * The order matters, for most pictures need few: the earlier two colours come, the farther they are from each other, in
 * hue and in lightness, also as protanopes and deuteranopes see them. Each stands out from its paper by 3 : 1 or more,
 * as WCAG 2.2 (1.4.11) asks for graphics, and each text by 4.5 : 1 (1.4.3).
 */

export interface Theme {
  readonly paper: string;
  readonly frame: string;
  readonly grid: string;
  readonly axis: string;
  readonly text: string;
  readonly quiet: string;
  /** One for each curve. */
  readonly curves: readonly string[];
}

export const LIGHT: Theme = {
  paper: "#ffffff",
  frame: "#d0d7de",
  grid: "#e6e9ed",
  axis: "#9aa3ad",
  text: "#1f2328",
  quiet: "#59636e",
  curves: ["#0a6fc2", "#e06500", "#00664a", "#c0458f", "#665400", "#45208a", "#8f0f2f", "#555c64"],
};

export const DARK: Theme = {
  paper: "#111111",
  frame: "#3d444d",
  grid: "#262b31",
  axis: "#6b7480",
  text: "#f0f3f6",
  quiet: "#9ea7b1",
  curves: ["#5ab8f0", "#ff8a30", "#27b380", "#f8b4de", "#efe05a", "#7b6cf6", "#d4374a", "#c3c9d0"],
};

/** Lengths of line and gap in pixels, for each curve; the first is a solid line. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [10, 5],
  [2.5, 4],
  [12, 4, 2.5, 4],
  [20, 6],
  [12, 4, 2.5, 4, 2.5, 4],
  [5, 4],
  [20, 4, 6, 4],
];

/** As many curves as have a look of their own. */
export const MOST_CURVES = DASHES.length;
