/** @file The body of a record batch: passed to the output, and predicted. Here of a file, whose rows are read again. */
import type { Message } from "../../formats/arrow/message.ts";
import type { FileSource } from "../../pipeline/source.ts";
import { DataFile } from "../data/data-file.ts";
import type { Carrier } from "./carry.ts";
import type { ResultColumn } from "./column.ts";
import type { Features } from "./features.ts";
import { inOrder } from "./in-order.ts";
import type { Predictor } from "./predictor.ts";

export interface Body {
  /** Where the features of the batch at hand are read. */
  readonly file: DataFile;
  /** Before the metadata are passed: afterwards it can be told which rows are null. */
  prepare(features: Features, message: Message, lead: number): Promise<void>;
  /** Passes the body, at whose first byte the feed stands. */
  pass(features: Features, bodyLength: number): Promise<void>;
  /** Hands out the values of the new column in order, for some rows at a time. */
  results(features: Features, take: (bytes: Uint8Array, rows: number) => Promise<void>): Promise<void>;
}

/** Batches of any size: nothing is held of them. */
export class FileBody implements Body {
  readonly file: DataFile;
  readonly #carrier: Carrier;
  readonly #predictor: Predictor;
  readonly #column: ResultColumn;

  constructor(
    source: FileSource,
    carrier: Carrier,
    predictor: Predictor,
    column: ResultColumn,
    signal: AbortSignal | undefined,
  ) {
    this.file = new DataFile(source, signal);
    [this.#carrier, this.#predictor, this.#column] = [carrier, predictor, column];
  }

  async prepare(): Promise<void> {}

  pass(_: Features, bodyLength: number): Promise<void> {
    return this.#carrier.pass(bodyLength);
  }

  async results(features: Features, take: (bytes: Uint8Array, rows: number) => Promise<void>): Promise<void> {
    const { rows } = features;
    const { windowRows, atOnce } = this.#predictor;
    await inOrder(
      Math.ceil(rows / windowRows),
      atOnce,
      (window) =>
        this.#predict(features, window * windowRows, Math.min(windowRows, rows - window * windowRows)),
      (bytes, window) => take(bytes, Math.min(windowRows, rows - window * windowRows)),
    );
  }

  async #predict(features: Features, first: number, count: number): Promise<Uint8Array> {
    const usable = await features.usable(first, count);
    return this.#column.encode(await this.#predictor.predict(await features.read(first, count), usable));
  }
}
