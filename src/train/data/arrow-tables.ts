/**
 * @file Opens an Arrow file or stream as tables: one walk over its metadata notes where every batch and dictionary is,
 * and from then on rows are read by their positions.
 */
import type { Position } from "../../errors.ts";
import { ColumnPlaces } from "../../formats/arrow/columnPlaces.ts";
import { walkFile } from "../../formats/arrow/file.ts";
import type { Message } from "../../formats/arrow/message.ts";
import type { MessageObserver } from "../../formats/arrow/observer.ts";
import { type Field, requireLittleEndian, type Schema } from "../../formats/arrow/schema.ts";
import { walkStream } from "../../formats/arrow/stream.ts";
import type { Steps } from "../../formats/layout.ts";
import type { Place } from "../../formats/place.ts";
import { FileFeed } from "../../pipeline/feed.ts";
import {
  type Choice,
  type ChosenLabel,
  type ChosenNumbers,
  type ColumnOptions,
  chooseColumns,
} from "./choose.ts";
import type { Bitmap, LabelColumn, NumberColumn, Table } from "./column.ts";
import type { BlockReader, DataFile } from "./data-file.ts";
import { DictionaryBuilder } from "./dictionaries.ts";
import { numberColumn } from "./number-column.ts";
import type { NumberType } from "./numbers.ts";
import { firstLength } from "./read-numbers.ts";
import { textColumn } from "./text-column.ts";

/** Rows that are looked at together for the first list that is not null. */
const LOOK_ROWS = 4096;

/** @throws SluiceError where the file contradicts itself, is compressed, or lacks the columns */
export async function openArrow(
  file: DataFile,
  format: "arrow" | "arrows",
  options: ColumnOptions,
  reader: BlockReader,
): Promise<Table[]> {
  const indexer = new Indexer(file, options, format === "arrow");
  const { path, source } = file;
  // No columns: the walk only passes over the bodies, and the observer is told of the messages.
  const layout = { columns: [], size: source.size, random: true, path };
  await drive(format === "arrow" ? walkFile(layout, indexer) : walkStream(layout, indexer), file);
  const tables: Table[] = [];
  for (const builder of indexer.builders) tables.push(await builder.build(reader));
  return tables;
}

/** Answers what the walk asks to see. */
async function drive(steps: Steps, file: DataFile): Promise<void> {
  const feed = new FileFeed(file.source);
  let answer: Uint8Array = new Uint8Array(0);
  for (let count = 0; ; count++) {
    if (count % 1024 === 0) file.requireNotAborted();
    const { value: step, done } = steps.next(answer);
    if (done) return;
    if (step.step === "peek") {
      const bytes = feed.peek(step.length);
      answer = bytes instanceof Uint8Array ? bytes : await bytes;
    } else if (step.step === "seek") feed.position = step.offset;
    else if (step.step === "keep") feed.skip(step.length);
  }
}

/** Hands the messages to a builder for each schema. */
class Indexer implements MessageObserver {
  readonly builders: TableBuilder[] = [];
  readonly #file: DataFile;
  readonly #options: ColumnOptions;
  readonly #isFile: boolean;

  constructor(file: DataFile, options: ColumnOptions, isFile: boolean) {
    this.#file = file;
    this.#options = options;
    this.#isFile = isFile;
  }

  schema(schema: Schema, place: Place): void {
    requireLittleEndian(schema, place);
    const choice = chooseColumns(schema, this.#options, place);
    const rowsBefore = this.builders.reduce((rows, builder) => rows + builder.rows, 0);
    const builder = new TableBuilder(this.#file, schema, choice, place, rowsBefore);
    if (choice.label.kind === "dictionary") builder.addDictionary(choice.label, place, this.#isFile);
    this.builders.push(builder);
  }

  dictionary(message: Message, body: number, order: number): void {
    this.builders.at(-1)!.dictionaries?.add(message, body, order);
  }

  batch(message: Message, body: number, order: number): void {
    this.builders.at(-1)!.addBatch(message, body, order);
  }
}

class TableBuilder {
  dictionaries: DictionaryBuilder | undefined;
  readonly #file: DataFile;
  readonly #choice: Choice;
  readonly #places: ColumnPlaces;
  /** Of the file, in the batches and rows before the first ones here. */
  readonly #batchesBefore: number;
  readonly #rowsBefore: number;
  #starts = new Float64Array(1);

  constructor(file: DataFile, schema: Schema, choice: Choice, place: Place, rowsBefore: number) {
    this.#file = file;
    this.#choice = choice;
    const { features, label, weight } = choice;
    const columns = [...features, label, ...(weight ? [weight] : [])];
    this.#places = new ColumnPlaces(
      schema,
      columns.map((column) => column.path),
      place,
    );
    this.#batchesBefore = place.batches;
    this.#rowsBefore = rowsBefore;
  }

  addDictionary({ name, path }: ChosenLabel, place: Place, isFile: boolean): void {
    this.dictionaries = new DictionaryBuilder(this.#file, path.at(-1)!, name, place, isFile);
  }

  get rows(): number {
    return this.#places.rows.reduce((sum, rows) => sum + rows, 0);
  }

  addBatch(message: Message, body: number, order: number): void {
    const batch = order - this.#batchesBefore;
    this.#places.add(batch, message, body);
    this.dictionaries?.addBatch(batch);
  }

  async build(reader: BlockReader): Promise<Table> {
    const { features, label, weight } = this.#choice;
    const { rows } = this.#places;
    this.#starts = new Float64Array(rows.length + 1);
    for (const [batch, count] of rows.entries()) this.#starts[batch + 1] = this.#starts[batch]! + count;
    let first = 0;
    const next = (path: readonly Field[]): number => {
      first += path.length;
      return first - path.length;
    };
    const columns: NumberColumn[] = [];
    for (const chosen of features)
      columns.push(await this.#lists(this.#numbers(chosen, next(chosen.path)), reader));
    return {
      path: this.#file.path,
      rows: this.rows,
      starts: this.#starts,
      features: columns,
      label: await this.#readLabel(label, next(label.path), reader),
      weight: weight && this.#numbers(weight, next(weight.path)),
    };
  }

  /** `first` is the index of the path's first field among the places. */
  #numbers(chosen: ChosenNumbers, first: number): NumberColumn {
    return numberColumn(chosen, this.#places, first, this.#stored(chosen.name));
  }

  #stored(name: string) {
    const position = (batch: number, row: number): Position => ({
      path: this.#file.path,
      ...(name === "" ? {} : { column: name }),
      batch: this.#batchesBefore + batch,
      row: this.#rowsBefore + this.#starts[batch]! + row,
    });
    return { name, file: this.#file, position };
  }

  /** A column of lists with the length that they have. */
  async #lists(column: NumberColumn, reader: BlockReader): Promise<NumberColumn> {
    if (column.list === null) return column;
    for (const [batch, rows] of this.#places.rows.entries()) {
      for (let first = 0; first < rows; first += LOOK_ROWS) {
        const count = Math.min(LOOK_ROWS, rows - first);
        reader.reset();
        const items = await firstLength(column, { batch, first, count }, reader);
        if (items === undefined) continue;
        const shape = [items, ...column.shape.slice(1)];
        const size = shape.reduce((product, length) => product * length, 1);
        return { ...column, shape, size, list: { ...column.list, items } };
      }
    }
    // Every row is null, or there is none: the length does not matter.
    return column;
  }

  async #readLabel(label: Choice["label"], first: number, reader: BlockReader): Promise<LabelColumn> {
    if (label.kind === "numbers") return this.#numbers(label, first);
    const { name, path } = label;
    const last = first + path.length - 1;
    const stored = this.#stored(name);
    const outerOf = (batch: number): Bitmap[] =>
      path.flatMap((_, depth) => {
        const { validity } = this.#places.field(batch, first + depth);
        return validity < 0 ? [] : [{ at: validity, bits: 1 }];
      });
    const field = path.at(-1)!;
    if (label.kind === "text") return textColumn(stored, field, this.#places, last, outerOf);
    const dictionary = await this.dictionaries!.build(reader);
    const indices: NumberColumn = {
      ...{ kind: "numbers", ...stored, type: field.dictionary!.index as NumberType },
      ...{ shape: [], size: 1, order: () => null, list: null },
      place: (batch) => {
        const values = this.#places.field(batch, last).first;
        return { outer: outerOf(batch), inner: [], values, offsets: -1, items: 0 };
      },
    };
    const kind = field.type.kind;
    const holds = kind === "bool" ? "booleans" : kind === "int" || kind === "float" ? "numbers" : "strings";
    return { kind: "dictionary", ...stored, indices, holds, dictionary };
  }
}
