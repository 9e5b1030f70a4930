/** @file The values of a dictionary-encoded label: in a file one dictionary, in a stream one after the other. */
import type { Position } from "../../errors.ts";
import { ColumnPlaces } from "../../formats/arrow/columnPlaces.ts";
import type { Message } from "../../formats/arrow/message.ts";
import type { Field } from "../../formats/arrow/schema.ts";
import type { Place } from "../../formats/place.ts";
import type { Dictionary, NumberColumn, TextColumn } from "./column.ts";
import type { BlockReader, DataFile } from "./data-file.ts";
import type { NumberType } from "./numbers.ts";
import type { ClassLabel } from "./options.ts";
import { readLabels, UNMET } from "./read-labels.ts";
import { textColumn } from "./text-column.ts";

/** Values that dictionaries may have, all together. */
const MOST_VALUES = 2 ** 21;
const ROWS_AT_ONCE = 65_536;

interface Part {
  readonly order: number;
  /** Whether it adds to the values before it. */
  readonly isDelta: boolean;
}

/** Notes where the dictionary's values are while the messages are walked, and reads them then. */
export class DictionaryBuilder {
  readonly #file: DataFile;
  readonly #id: bigint;
  readonly #name: string;
  readonly #values: Field;
  readonly #place: Place;
  readonly #places: ColumnPlaces;
  readonly #isFile: boolean;
  readonly #parts: Part[] = [];
  /** For each batch of a stream, how many dictionary messages came before it. */
  readonly #before: number[] = [];

  constructor(file: DataFile, field: Field, name: string, place: Place, isFile: boolean) {
    this.#file = file;
    this.#id = field.dictionary!.id;
    this.#name = name;
    this.#values = { ...field, dictionary: null };
    this.#place = place;
    this.#isFile = isFile;
    const schema = { fields: [this.#values], metadata: new Map(), littleEndian: true };
    this.#places = new ColumnPlaces(schema, [[this.#values]], place);
  }

  /** A dictionary message; those of other columns are passed over. */
  add(message: Message, body: number, order: number): void {
    const { flat, header } = message;
    const id = flat.field(header, 0);
    if ((id === 0 ? 0n : flat.bigInt64(id)) !== this.#id) return;
    const data = flat.fieldTable(header, 1);
    if (data === 0) throw this.#place.corrupt("A dictionary has no data", { column: this.#name });
    this.#places.add(this.#parts.length, message, body, data);
    this.#parts.push({ order, isDelta: flat.fieldU8(header, 2, 0) !== 0 });
    const values = this.#places.rows.reduce((sum, rows) => sum + rows, 0);
    if (values <= MOST_VALUES) return;
    throw this.#place.unsupported(`Its dictionaries have ${values} values; the limit is ${MOST_VALUES}`, {
      column: this.#name,
      remedy: "Decode it first, in PyArrow with column.dictionary_decode().",
    });
  }

  addBatch(batch: number): void {
    this.#before[batch] = this.#parts.length;
  }

  /** Reads the values. The result gives a batch its dictionary: one without values where none came before it. */
  async build(reader: BlockReader): Promise<(batch: number) => Dictionary> {
    const { path } = this.#file;
    const order = this.#parts.map((_, part) => part);
    // A file's dictionaries hold for all its batches, and may stand anywhere.
    if (this.#isFile) order.sort((a, b) => this.#parts[a]!.order - this.#parts[b]!.order);
    const dictionaries: { values: (ClassLabel | null)[]; codes: Int32Array }[] = [];
    /** For each number of messages: which dictionary holds then. */
    const holds = [-1];
    for (const part of order) {
      const { isDelta } = this.#parts[part]!;
      if (!isDelta && this.#isFile && dictionaries.length > 0) {
        throw this.#place.corrupt("A dictionary is replaced, which an Arrow file cannot say", {
          column: this.#name,
        });
      }
      if (!isDelta || dictionaries.length === 0) dictionaries.push({ values: [], codes: new Int32Array(0) });
      holds.push(dictionaries.length - 1);
      await this.#read(part, dictionaries.at(-1)!.values, reader, { path, column: this.#name });
    }
    for (const dictionary of dictionaries) {
      dictionary.codes = new Int32Array(dictionary.values.length).fill(UNMET);
    }
    const none: Dictionary = { values: [], codes: new Int32Array(0) };
    return (batch) => dictionaries[this.#isFile ? 0 : holds[this.#before[batch]!]!] ?? none;
  }

  /** Adds the values of a part to `values`. */
  async #read(
    part: number,
    values: (ClassLabel | null)[],
    reader: BlockReader,
    position: Position,
  ): Promise<void> {
    const column = this.#column(position);
    const rows = this.#places.rows[part]!;
    for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
      reader.reset();
      const count = Math.min(ROWS_AT_ONCE, rows - first);
      for (const value of await readLabels(column, { batch: part, first, count }, reader)) values.push(value);
    }
  }

  /** The values as a column, each part a batch. */
  #column(position: Position): NumberColumn | TextColumn {
    const { type } = this.#values;
    const stored = { name: this.#name, file: this.#file, position: () => position };
    const outerOf = (batch: number) => {
      const { validity } = this.#places.field(batch, 0);
      return validity < 0 ? [] : [{ at: validity, bits: 1 }];
    };
    const isNumber = type.kind === "int" || type.kind === "float" || type.kind === "bool";
    if (!isNumber) return textColumn(stored, this.#values, this.#places, 0, outerOf);
    const numberType = type.kind === "int" ? type.text : type.kind === "float" ? type.dtype : "bool";
    return {
      ...{ kind: "numbers", ...stored, type: numberType as NumberType },
      ...{ shape: [], size: 1, order: () => null, list: null },
      place: (batch) => {
        const values = this.#places.field(batch, 0).first;
        return { outer: outerOf(batch), inner: [], values, offsets: -1, items: 0 };
      },
    };
  }
}
