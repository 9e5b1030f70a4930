/** @file An Arrow stream or file with one more column, in the making: its messages, and the footer where it is a file. */
import type { UnsupportedError } from "../../errors.ts";
import {
  type DictionaryMessage,
  footerWith,
  type NewField,
  schemaMessageWith,
} from "../../formats/arrow/append.ts";
import { Blocks } from "../../formats/arrow/blocks.ts";
import { EOS, type Footer, MAGIC_AND_PADDING, type SchemaMessage } from "../../formats/arrow/footer.ts";
import type { Place } from "../../formats/place.ts";
import type { ByteSink } from "./byte-sink.ts";

/** What holds the schema of the input. */
export type OldSchema = SchemaMessage | Footer;

export class ArrowOutput {
  readonly sink: ByteSink;
  readonly #isFile: boolean;
  readonly #place: Place;
  readonly #dictionaries = new Blocks();
  readonly #batches = new Blocks();
  #field: NewField | undefined;
  #old: OldSchema | undefined;

  constructor(sink: ByteSink, format: "arrow" | "arrows", place: Place) {
    this.sink = sink;
    this.#isFile = format === "arrow";
    this.#place = place;
  }

  /** Writes the schema; of several streams one after the other, each begins so. */
  async begin(field: NewField, old: OldSchema): Promise<void> {
    if (this.#isFile) {
      if (this.#field) throw this.#notInFile("A second stream follows");
      await this.sink.write(MAGIC_AND_PADDING);
    }
    [this.#field, this.#old] = [field, old];
    await this.sink.write(schemaMessageWith(field, old, this.#place));
  }

  /** A message of these lengths is written next. */
  note(kind: "dictionary" | "batch", metadataLength: number, bodyLength: number): void {
    if (!this.#isFile) return;
    const { position } = this.sink;
    if (position % 8 || metadataLength % 8 || bodyLength % 8) {
      throw this.#notInFile("A message is not aligned to 8 bytes");
    }
    const blocks = kind === "batch" ? this.#batches : this.#dictionaries;
    blocks.add(position, metadataLength, bodyLength);
  }

  async dictionary({ metadata, body }: DictionaryMessage): Promise<void> {
    this.note("dictionary", metadata.length, body.length);
    await this.sink.write(metadata);
    await this.sink.write(body);
  }

  /** Writes the end. `footer` is that of the input, where it comes late: it may hold metadata of its own. */
  async end(footer: OldSchema | undefined): Promise<void> {
    await this.sink.write(EOS);
    if (!this.#isFile) return;
    const old = footer ?? this.#old!;
    await this.sink.write(footerWith(this.#field!, old, this.#dictionaries, this.#batches, this.#place));
  }

  #notInFile(problem: string): UnsupportedError {
    return this.#place.unsupported(`${problem}, which an Arrow file cannot hold`, {
      remedy: "Write a stream instead: name the output .arrows.",
    });
  }
}
