/**
 * @file Predictions as one more column of an Arrow file or stream. Everything else passes through, byte for byte.
 *
 * A batch's metadata say where the new buffers lie, and stand before its body: so all sizes follow from the number of
 * rows alone, and which rows are null is found out first.
 *
 * ```text
 *   | metadata | body, as it was ................... | validity, where rows are null | values |
 * ```
 */
import { batchWith, dictionaryOf, layOut } from "../../formats/arrow/append.ts";
import type { Footer } from "../../formats/arrow/footer.ts";
import type { Message } from "../../formats/arrow/message.ts";
import { type Field, requireLittleEndian, type Schema } from "../../formats/arrow/schema.ts";
import type { Place } from "../../formats/place.ts";
import { type Feed, FileFeed } from "../../pipeline/feed.ts";
import type { ProgressMeter } from "../../pipeline/progress.ts";
import { sizeOf } from "../network.ts";
import type { ArrowOutput, OldSchema } from "./arrow-output.ts";
import { type Body, FileBody } from "./body.ts";
import { Carrier } from "./carry.ts";
import { packed, type ResultColumn } from "./column.ts";
import { Features } from "./features.ts";
import type { Receiver } from "./messages.ts";
import type { Predictor } from "./predictor.ts";
import { StreamBody } from "./stream-body.ts";

export interface ArrowJob {
  readonly predictor: Predictor;
  readonly column: ResultColumn;
  /** Names of the feature columns; undefined for the only tensor. */
  readonly features: readonly string[] | undefined;
  /** The name of the new column. */
  readonly into: string;
  /** Bytes that may be held of a batch from a stream. */
  readonly memory: number;
  readonly signal: AbortSignal | undefined;
}

/** Rows whose validity is looked at together: a multiple of 8. */
const MARK_ROWS = 64 * 1024;

export class ArrowPrediction implements Receiver {
  /** Names of the feature columns, once a schema has come. */
  names: readonly string[] = [];
  /** Rows without a prediction. */
  nullRows = 0;
  readonly #output: ArrowOutput;
  readonly #meter: ProgressMeter;
  readonly #job: ArrowJob;
  readonly #feed: Feed;
  readonly #carrier: Carrier;
  readonly #body: Body;
  #features: Features | undefined;
  /** Bytes of the output that were told of. */
  #told = 0;

  constructor(feed: Feed, output: ArrowOutput, meter: ProgressMeter, job: ArrowJob) {
    [this.#feed, this.#output, this.#meter, this.#job] = [feed, output, meter, job];
    this.#carrier = new Carrier(feed, output.sink);
    const { predictor, column } = job;
    this.#body =
      feed instanceof FileFeed
        ? new FileBody(feed.source, this.#carrier, predictor, column, job.signal)
        : new StreamBody(feed, this.#carrier, predictor, column, job.memory);
  }

  async schema(schema: Schema, old: OldSchema, place: Place): Promise<void> {
    const { features, into, column, predictor } = this.#job;
    requireLittleEndian(schema, place);
    if (schema.fields.some(({ name }) => name === into)) {
      throw place.column("There is such a column already", {
        column: into,
        remedy: "Give the new column another name, with --into (in the API: into).",
      });
    }
    this.#features = new Features(schema, features, predictor.network, place, this.#body.file);
    this.names = this.#features.names;
    const dictionary = freeDictionary(schema.fields);
    await this.#output.begin({ name: into, type: column.type(dictionary) }, old);
    if (column.strings) await this.#output.dictionary(dictionaryOf(dictionary, column.strings));
  }

  async dictionary(lead: number, bodyLength: number): Promise<void> {
    this.#output.note("dictionary", lead, bodyLength);
    await this.#carrier.pass(lead + bodyLength);
    this.#tell(lead + bodyLength);
  }

  async batch(message: Message, lead: number, bodyLength: number): Promise<void> {
    const { sink } = this.#output;
    const features = this.#features!;
    features.begin(message, this.#feed.position + lead);
    const { rows } = features;
    await this.#body.prepare(features, message, lead);
    const nulls = features.mayHoldNulls ? await this.#countNulls(features) : 0;
    this.nullRows += nulls;

    const buffers = this.#job.column.buffers(rows, nulls);
    const metadata = batchWith(buffers, message);
    const { offsets, end } = layOut(bodyLength, buffers.buffers);
    await this.#feed.skip(lead);
    this.#output.note("batch", metadata.length, end);
    await sink.write(metadata);
    const start = sink.position;
    await this.#body.pass(features, bodyLength);
    if (nulls > 0) {
      await sink.pad(start + offsets[0]!);
      await this.#marks(features, (usable) => sink.write(packed(usable, (each) => each === 1)));
    }
    if (rows > 0) await sink.pad(start + offsets.at(-1)!);
    await this.#body.results(features, async (bytes, count) => {
      await sink.write(bytes);
      this.#tell((bodyLength * count) / rows, count);
    });
    await sink.pad(start + end);
    this.#tell(lead + (rows === 0 ? bodyLength : 0), 0, 1);
  }

  async end(footer?: Footer): Promise<void> {
    await this.#output.end(footer);
    this.#tell(0);
  }

  async #countNulls(features: Features): Promise<number> {
    let nulls = 0;
    await this.#marks(features, async (usable) => {
      for (const each of usable) if (each === 0) nulls++;
    });
    return nulls;
  }

  /** Hands out which rows are usable, some at a time. */
  async #marks(features: Features, take: (usable: Uint8Array) => Promise<void>): Promise<void> {
    for (let first = 0; first < features.rows; first += MARK_ROWS) {
      await take(await features.usable(first, Math.min(MARK_ROWS, features.rows - first)));
    }
  }

  #tell(inputBytes: number, rows = 0, batches = 0): void {
    const { position } = this.#output.sink;
    const elements = rows * sizeOf(this.#job.predictor.network.outputShape);
    this.#meter.add({ inputBytes, rows, batches, elements }, position - this.#told);
    this.#told = position;
  }
}

/** A number that no dictionary of the schema has. */
function freeDictionary(fields: readonly Field[]): bigint {
  const numbers = fields.flatMap(function numbersOf({ dictionary, children }): bigint[] {
    return [...(dictionary ? [dictionary.id] : []), ...children.flatMap(numbersOf)];
  });
  return numbers.reduce((most, number) => (number > most ? number : most), -1n) + 1n;
}
