/** @file What training says of its data: which columns, how many rows to hold out, in what order, in how much memory. */

/** A label as it is stored: one of the classes. */
export type ClassLabel = string | number | boolean;

export interface DatasetOptions {
  /** One tensor column, or columns of numbers; a struct's child is `column.child`. Default: the one tensor column. */
  readonly features?: string | readonly string[] | undefined;
  /** The column to learn. Default: the one other column that can be. */
  readonly label?: string | undefined;
  /** `"classes"`: integers, booleans, strings or dictionaries of them. `"values"`: numbers, one or several a row. */
  readonly task: "classes" | "values";
  /** The classes of a model, when it is evaluated or trained further: any other label is an error. */
  readonly classes?: readonly ClassLabel[] | undefined;
  /** A column of row weights: numbers from 0 on. */
  readonly weight?: string | undefined;
  /** Share of the usable rows that are held out, from 0 (the default) to 1. */
  readonly validation?: number | undefined;
  /** A whole number. The order of rows and the choice of those that are held out depend on it. */
  readonly seed: number;
  /** Leave out rows with a null, and count them. Otherwise they are an error. */
  readonly skipNulls?: boolean | undefined;
  /** Bytes of rows, as float32, that are shuffled among each other; default: 64 MiB. The order depends on it, too. */
  readonly shuffle?: number | undefined;
  /** Bytes that the rows in memory may take: while one buffer is served the next one is read. */
  readonly memory: number;
  readonly signal?: AbortSignal | undefined;
}
