/** @file Walks the sequence of messages that a stream is and that a file contains: schema, dictionaries, batches, end. */
import type { LayoutOptions, Step } from "../layout.ts";
import type { Place } from "../place.ts";
import type { BatchReader } from "./batch.ts";
import { Blocks } from "./blocks.ts";
import type { SchemaMessage } from "./footer.ts";
import { CONTINUATION, checkMetadataLength, HEADER, Message, word } from "./message.ts";
import type { MessageObserver } from "./observer.ts";
import { readSchema, type Schema } from "./schema.ts";
import { announce, walkBatch } from "./walk.ts";

/** How a sequence ended: with an end marker of so many bytes (not yet passed), at the end of the input, or at a footer. */
export type Ending = { readonly marker: 4 | 8 } | "input" | "footer";

/** A Message with no columns takes more bytes than this; the root offset of a Footer is less. */
const SMALLEST_MESSAGE = 64;

export interface SequenceOptions {
  /** What holds the sequence, for error messages. */
  readonly container: "stream" | "file";
  /** Whether to note the blocks of the messages, `shift` bytes further than in the input. */
  readonly record?: { readonly shift: number };
  /** Told of each dictionary batch, before it is kept. */
  readonly onDictionary?: (id: bigint, isDelta: boolean) => void;
  readonly observer?: MessageObserver | undefined;
}

/** One walk over a sequence of messages, and what it found. */
export class Sequence {
  schema: Schema | null = null;
  /** Noted only with `record`. */
  schemaMessage: SchemaMessage | null = null;
  readonly dictionaries = new Blocks();
  readonly batches = new Blocks();
  /** Whether the last message had the prefix of Arrow 0.15 and later. */
  modern = false;
  readonly #layout: LayoutOptions;
  readonly #place: Place;
  readonly #options: SequenceOptions;
  readonly #message: Message;
  #dictionariesSeen = 0;

  constructor(layout: LayoutOptions, place: Place, options: SequenceOptions) {
    this.#layout = layout;
    this.#place = place;
    this.#options = options;
    this.#message = new Message(place);
  }

  /** Keeps every message, and moves the place behind the last one. */
  *walk(): Generator<Step, Ending, Uint8Array> {
    const place = this.#place;
    const message = this.#message;
    let reader: BatchReader | null = null;
    for (;;) {
      place.batch = -1;
      // An old stream may end with four bytes: asking for eight there would wait for bytes that never come.
      let head = yield { step: "peek", length: this.modern ? 8 : 4 };
      if (head.length === 0) return this.#endOfInput();
      if (head.length < 4) throw place.short("the prefix of a message", 4, head.length);
      let length = word(head, 0);
      let prefix: 4 | 8 = 4;
      if (length === CONTINUATION) {
        if (!this.modern) head = yield { step: "peek", length: 8 };
        if (head.length < 8) throw place.short("the prefix of a message", 8, head.length);
        length = word(head, 4);
        prefix = 8;
      } else if (this.#footerHere(length)) {
        return "footer";
      }
      if (length === 0) {
        if (this.schema === null)
          throw place.corrupt(`The ${this.#options.container} ends before its schema`);
        return { marker: prefix };
      }
      checkMetadataLength(length, place);
      const lead = prefix + length;
      place.require(lead, "the metadata of a message");
      const bytes = yield { step: "peek", length: lead };
      if (bytes.length < lead) throw place.short("the metadata of a message", lead, bytes.length);
      this.modern = prefix === 8;
      message.read(bytes, prefix, lead);
      if (message.type === HEADER.batch) place.batch = place.batches++;
      place.require(lead + message.bodyLength, "the body of a message");

      if (message.type === HEADER.batch) {
        if (reader === null) throw this.#noSchema();
        reader.read(message);
        if (this.#options.record !== undefined) this.#record(this.batches, lead, message.bodyLength);
        this.#options.observer?.batch(message, place.offset + lead, place.batch);
        yield* walkBatch(reader, lead, message.bodyLength, place, this.#layout);
        continue;
      }
      if (message.type === HEADER.schema) {
        reader = yield* this.#readSchema(bytes, prefix, lead);
      } else {
        if (reader === null) throw this.#noSchema();
        this.#readDictionary(lead);
      }
      yield { step: "keep", length: lead + message.bodyLength };
      place.offset += lead + message.bodyLength;
    }
  }

  #endOfInput(): Ending {
    if (this.schema === null)
      throw this.#place.truncated(`The ${this.#options.container} ends before its schema`);
    return "input";
  }

  /**
   * Whether a footer begins here, without an end marker before it, as old files have it. After messages with
   * continuation words, any other word is a footer's; after older ones, a word too small for a message's length. A wrong
   * guess is found out, for the footer is verified.
   */
  #footerHere(length: number): boolean {
    if (this.#options.container !== "file" || this.schema === null || length <= 0) return false;
    return this.modern || length < SMALLEST_MESSAGE;
  }

  *#readSchema(bytes: Uint8Array, prefix: number, lead: number): Generator<Step, BatchReader, Uint8Array> {
    const place = this.#place;
    const { flat, header, version, bodyLength } = this.#message;
    if (this.schema !== null) {
      throw place.corrupt(`A second schema comes before the ${this.#options.container} has ended`);
    }
    if (bodyLength !== 0) throw place.corrupt(`The schema message has a body of ${bodyLength} bytes`);
    const schema = readSchema(flat, header);
    this.schema = schema;
    if (this.#options.record !== undefined) {
      this.schemaMessage = {
        bytes: new Uint8Array(bytes.subarray(prefix, lead)),
        version,
        schemaAt: header - prefix,
        metadataAt: Math.max(0, flat.fieldVector(flat.root(), 4, 4) - prefix),
      };
    }
    this.#options.observer?.schema(schema, place);
    return yield* announce(schema, this.#layout, place);
  }

  #readDictionary(lead: number): void {
    const { flat, header, bodyLength } = this.#message;
    const id = flat.field(header, 0);
    this.#options.observer?.dictionary(this.#message, this.#place.offset + lead, this.#dictionariesSeen++);
    this.#options.onDictionary?.(id === 0 ? 0n : flat.bigInt64(id), flat.fieldU8(header, 2, 0) !== 0);
    if (this.#options.record !== undefined) this.#record(this.dictionaries, lead, bodyLength);
  }

  #record(blocks: Blocks, lead: number, bodyLength: number): void {
    const { offset } = this.#place;
    if (this.#options.container === "stream" && (offset % 8 || lead % 8 || bodyLength % 8)) {
      throw this.#place.unsupported("A message is not aligned to 8 bytes, which an Arrow file needs", {
        remedy: "Write a stream instead: name the output .arrows.",
      });
    }
    blocks.add(offset + this.#options.record!.shift, lead, bodyLength);
  }

  #noSchema() {
    if (this.#options.container === "stream") {
      return this.#place.corrupt("The stream does not begin with a schema message");
    }
    return this.#place.unsupported("The file has no schema message at its start, only in its footer", {
      remedy: "Give the path of the file instead of a pipe, so that the footer can be read first.",
    });
  }
}
