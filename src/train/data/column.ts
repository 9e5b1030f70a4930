/** @file Columns as the rows of a data set need them: what they hold, and where that lies in each batch. */
import type { Position } from "../../errors.ts";
import type { DataFile } from "./data-file.ts";
import type { NumberType } from "./numbers.ts";
import type { ClassLabel } from "./options.ts";

/** Consecutive rows of one batch. */
export interface Rows {
  readonly batch: number;
  /** Row of the batch. */
  readonly first: number;
  readonly count: number;
}

/** A validity bitmap, of so many bits for each row (or, within lists, for each item). */
export interface Bitmap {
  readonly at: number;
  readonly bits: number;
}

interface Stored {
  /** Empty for npy. */
  readonly name: string;
  readonly file: DataFile;
  /** Where a row of a batch is, for an error. */
  position(batch: number, row: number): Position;
}

/** Numbers, of one shape in every row. */
export interface NumberColumn extends Stored {
  readonly kind: "numbers";
  readonly type: NumberType;
  /** Of one row. */
  readonly shape: readonly number[];
  /** Elements of one row. */
  readonly size: number;
  /** For each element of a row, in C order, its place in memory; `null` where that is the same. */
  order(): Int32Array | null;
  /** Of lists, which say row by row how long they are: bytes of an offset, and items of a row. */
  readonly list: { readonly width: 4 | 8; readonly items: number } | null;
  place(batch: number): NumberPlace;
}

export interface NumberPlace {
  /** By row. */
  readonly outer: readonly Bitmap[];
  /** By item, which is the row where there are no lists. */
  readonly inner: readonly Bitmap[];
  readonly values: number;
  /** Of lists: where the offsets are, and how many items there are. */
  readonly offsets: number;
  readonly items: number;
}

/** Strings: `width` bytes an offset; as views; or `characters` of four bytes each, as in npy. */
export interface TextColumn extends Stored {
  readonly kind: "text";
  readonly storage: { readonly width: 4 | 8 } | "view" | { readonly characters: number };
  place(batch: number): TextPlace;
}

export interface TextPlace {
  readonly outer: readonly Bitmap[];
  /** Offsets, views or characters. */
  readonly first: number;
  /** Where the texts are: [offset, bytes]; of views there may be several. */
  readonly data: readonly (readonly [offset: number, bytes: number])[];
}

/** Indices into values that stand apart. */
export interface DictionaryColumn extends Stored {
  readonly kind: "dictionary";
  readonly indices: NumberColumn;
  readonly holds: LabelKind;
  /** The values that hold for a batch; in a stream they may change. */
  dictionary(batch: number): Dictionary;
}

export interface Dictionary {
  readonly values: readonly (ClassLabel | null)[];
  /** For each value its code, once it was met. */
  readonly codes: Int32Array;
}

/** What labels are, however they are stored: within a data set they are of one kind. */
export type LabelKind = "numbers" | "booleans" | "strings";

export type LabelColumn = NumberColumn | TextColumn | DictionaryColumn;

/** The columns of one schema: a file, an array, or one of several streams in a file. */
export interface Table {
  readonly path: string;
  readonly rows: number;
  /** Rows before each batch, and all. */
  readonly starts: Float64Array;
  readonly features: readonly NumberColumn[];
  readonly label: LabelColumn;
  readonly weight: NumberColumn | undefined;
}
