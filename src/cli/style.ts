/** @file Colour, where the reader can see it: NO_COLOR, FORCE_COLOR, TERM, and whether it is a terminal. */

type Paint = (text: string) => string;

export interface Style {
  readonly colour: boolean;
  /** Whether block characters and the ellipsis can be shown. */
  readonly unicode: boolean;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The style for one stream: `terminal` says whether it is one. */
export function styleFor(terminal: boolean, env: Environment = process.env): Style {
  const colour = wantsColour(terminal, env);
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      colour && text !== "" ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    colour,
    unicode: hasUnicode(env),
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** NO_COLOR (https://no-color.org) comes before FORCE_COLOR: who cannot bear colour is worse off than who misses it. */
function wantsColour(terminal: boolean, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return terminal && env.TERM !== "dumb";
}

/** A locale that is set decides; containers often set none and sit in a UTF-8 terminal all the same. */
function hasUnicode(env: Environment): boolean {
  if (env.TERM === "dumb" || env.TERM === "linux") return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return !locale || /utf-?8/i.test(locale);
}

/** Columns of a terminal stream; without a terminal, lines may be as long as they like. */
export function widthOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  if (!stream.isTTY) return Number.POSITIVE_INFINITY;
  return Math.max(20, stream.columns || 80);
}
