/** @file The feature columns of a schema as a model takes them, and where their rows are in the batch at hand. */
import type { Position } from "../../errors.ts";
import { ColumnPlaces } from "../../formats/arrow/columnPlaces.ts";
import type { Message } from "../../formats/arrow/message.ts";
import type { Schema } from "../../formats/arrow/schema.ts";
import type { Place } from "../../formats/place.ts";
import { chooseFeatures } from "../data/choose.ts";
import type { NumberColumn, NumberPlace } from "../data/column.ts";
import { BlockReader, type DataFile } from "../data/data-file.ts";
import { numberColumn } from "../data/number-column.ts";
import { bytesOfElements } from "../data/numbers.ts";
import { markNumbers, readNumbers } from "../data/read-numbers.ts";
import { type Network, shapeText, sizeOf } from "../network.ts";

/** Bytes of the input, by position. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** The batch at hand is always the first of `ColumnPlaces`: nothing is kept of those before. */
const BATCH = 0;

export class Features {
  readonly names: readonly string[];
  /** Elements of one row of all columns. */
  readonly size: number;
  readonly #columns: readonly NumberColumn[];
  readonly #places: ColumnPlaces;
  readonly #place: Place;
  /** Rows before the batch. */
  #rowsBefore = 0;

  /**
   * @param names of the columns; undefined for the only tensor
   * @param file where bodies are read
   * @throws ColumnError where a column is missing or holds no numbers, or a row is not what the network takes
   */
  constructor(
    schema: Schema,
    names: readonly string[] | undefined,
    network: Network,
    place: Place,
    file: DataFile,
  ) {
    const chosen = chooseFeatures(schema, names, place);
    this.names = chosen.map(({ name }) => name);
    this.size = sizeOf(network.inputShape);
    this.#place = place;
    const paths = chosen.map(({ path }) => path);
    this.#places = new ColumnPlaces(schema, paths, place);
    let first = 0;
    const columns = chosen.map((each) => {
      const stored = { name: each.name, file, position: this.#positionOf(each.name) };
      const column = numberColumn(each, this.#places, first, stored);
      first += each.path.length;
      return column;
    });
    this.#columns = withLengths(columns, network, place);
  }

  /** Takes the batch of a message, whose body begins at byte `body`. @throws CorruptError, UnsupportedError */
  begin(message: Message, body: number): void {
    this.#rowsBefore += this.#places.rows[BATCH] ?? 0;
    this.#places.add(BATCH, message, body);
  }

  /** Of the batch, for errors. */
  get position(): Position {
    return this.#place.position();
  }

  /** Throws TruncatedError where fewer bytes have come than are needed. */
  require(needed: number, got: number): void {
    if (got < needed) throw this.#place.short("a record batch", needed, got);
  }

  /** Of the batch. */
  get rows(): number {
    return this.#places.rows[BATCH]!;
  }

  /** Whether a row may be null. */
  get mayHoldNulls(): boolean {
    return this.#eachPlace().some(({ outer, inner }) => outer.length + inner.length > 0);
  }

  /** What is read to tell which rows are null: validity bitmaps and the offsets of lists. */
  marks(): Extent[] {
    return this.#columns.flatMap(({ list, place }) => {
      const { outer, inner, offsets, items } = place(BATCH);
      const bitmap = (slots: number) => (bits: { at: number; bits: number }) => ({
        start: bits.at,
        end: bits.at + Math.ceil((slots * bits.bits) / 8),
      });
      const own = [...outer.map(bitmap(this.rows)), ...inner.map(bitmap(list ? items : this.rows))];
      return list ? [...own, { start: offsets, end: offsets + list.width * (this.rows + 1) }] : own;
    });
  }

  /** The values of each column; `rowBits` of a row, or null where the rows are not side by side. */
  values(): (Extent & { readonly rowBits: number | null })[] {
    return this.#columns.map(({ type, size, list, place }) => {
      const { values, items } = place(BATCH);
      const elements = list ? items * (size / list.items) : this.rows * size;
      const rowBits = list ? null : bytesOfElements(type, 0, 8 * size).bytes;
      return { start: values, end: values + bytesOfElements(type, 0, elements).bytes, rowBits };
    });
  }

  /** For some rows 1 where none of their elements is null, else 0. */
  async usable(first: number, count: number): Promise<Uint8Array> {
    const usable = new Uint8Array(count).fill(1);
    const rows = { batch: BATCH, first, count };
    const reader = new BlockReader();
    for (const column of this.#columns) await markNumbers(column, rows, usable, 0, reader);
    return usable;
  }

  /** Reads rows as float32, one behind the other; those that are null hold anything. */
  async read(first: number, count: number): Promise<Float32Array> {
    const out = new Float32Array(count * this.size);
    const rows = { batch: BATCH, first, count };
    const reader = new BlockReader();
    let offset = 0;
    for (const column of this.#columns) {
      reader.reset();
      await readNumbers(column, rows, { out, row: 0, stride: this.size, offset }, reader);
      offset += column.size;
    }
    return out;
  }

  #eachPlace(): NumberPlace[] {
    return this.#columns.map(({ place }) => place(BATCH));
  }

  #positionOf(column: string): (batch: number, row: number) => Position {
    return (_, row) => ({
      ...(this.#place.path === undefined ? {} : { path: this.#place.path }),
      column,
      batch: this.#place.batch,
      row: this.#rowsBefore + row,
    });
  }
}

/** The columns, if their rows together are one of the network; lists have the length that it needs. */
function withLengths(columns: readonly NumberColumn[], network: Network, place: Place): NumberColumn[] {
  const size = sizeOf(network.inputShape);
  const [only] = columns;
  const list = columns.length > 1 && columns.find((column) => column.list);
  if (list) {
    throw place.column(
      "The column holds lists, which may vary in length, and is not the only one of features",
      {
        column: list.name,
        remedy: "Name columns of numbers or of fixed size lists, or one column alone.",
      },
    );
  }
  const known = columns.map((column) => {
    // Of lists the schema does not know the length, but the model does.
    if (!only || columns.length > 1 || column.list === null) return column;
    const items = size / sizeOf(column.shape.slice(1));
    return { ...column, size, shape: [items, ...column.shape.slice(1)], list: { ...column.list, items } };
  });
  const total = known.reduce((sum, column) => sum + column.size, 0);
  const shape = known.length === 1 ? known[0]!.shape : [total];
  const flat = shape.length === 1 || network.inputShape.length === 1 || shape.length === 0;
  const same = flat ? total === size : shapeText(shape) === shapeText(network.inputShape);
  if (same && Number.isSafeInteger(known[0]?.shape[0] ?? 0)) return known;
  throw place.column(
    `The features have rows of ${shapeText(shape)}; the model takes ${shapeText(network.inputShape)}`,
    {
      ...(only && columns.length === 1 && { column: only.name }),
      remedy: "Name the columns that it was trained on with --features.",
    },
  );
}
