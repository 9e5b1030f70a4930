/**
 * @file The messages of an Arrow input, one after the other in the order of the data: found by the walks over its format,
 * which verify everything.
 */
import { SluiceError } from "../../errors.ts";
import { walkFile } from "../../formats/arrow/file.ts";
import { FlatBuffer } from "../../formats/arrow/flatbuffer.ts";
import {
  type Footer,
  footerLength,
  MAGIC_AND_PADDING,
  readFooter,
  TRAILER_BYTES,
} from "../../formats/arrow/footer.ts";
import { CONTINUATION, HEADER, Message, word } from "../../formats/arrow/message.ts";
import type { MessageObserver } from "../../formats/arrow/observer.ts";
import { walkPipedFile } from "../../formats/arrow/pipedFile.ts";
import { readSchema, type Schema, sameColumns } from "../../formats/arrow/schema.ts";
import { walkStream } from "../../formats/arrow/stream.ts";
import type { Steps } from "../../formats/layout.ts";
import { MAX_METADATA, Place } from "../../formats/place.ts";
import { type Feed, FileFeed } from "../../pipeline/feed.ts";
import { readSpan } from "../../workers/files.ts";
import type { OldSchema } from "./arrow-output.ts";

/** Who is handed the messages. */
export interface Receiver {
  /** `old` holds the schema as it came; the place is the one that errors name. */
  schema(schema: Schema, old: OldSchema, place: Place): Promise<void>;
  /** The feed stands at the first byte of a message with `lead` bytes of prefix and metadata; it is to be passed. */
  dictionary(lead: number, bodyLength: number): Promise<void>;
  /** The same. The message is good until the feed is asked for more. */
  batch(message: Message, lead: number, bodyLength: number): Promise<void>;
  /** After the last message of each schema. `footer`: of a file from a pipe, where it has metadata of its own. */
  end(footer?: Footer): Promise<void>;
}

/** @throws SluiceError as the walks do, and what the receiver throws */
export function readMessages(feed: Feed, format: "arrow" | "arrows", receiver: Receiver): Promise<void> {
  if (format === "arrow" && feed instanceof FileFeed) return readFileMessages(feed, receiver);
  return readInOrder(feed, format, receiver);
}

/** Of a file whose footer is there: what it lists, in its order. */
async function readFileMessages(feed: FileFeed, receiver: Receiver): Promise<void> {
  const { fd, path, size } = feed.source;
  await drive(walkFile({ columns: [], random: true, size, path }), feed, async (length) => feed.skip(length));

  const place = new Place(path, size);
  const tail = new Uint8Array(TRAILER_BYTES);
  await readSpan({ fd, path, offset: size - TRAILER_BYTES }, tail);
  const bytes = new Uint8Array(footerLength(tail, size - TRAILER_BYTES, place));
  await readSpan({ fd, path, offset: size - TRAILER_BYTES - bytes.length }, bytes);
  const footer = readFooter(bytes, place);
  const end = size - TRAILER_BYTES - bytes.length;
  await receiver.schema(footer.schema, await oldSchemaOf(feed, footer, end, place), place);
  const message = new Message(place);
  for (const blocks of [footer.dictionaries, footer.batches]) {
    for (let i = 0; i < blocks.length; i++) {
      const lead = blocks.metadataLength(i);
      feed.position = place.offset = blocks.offset(i);
      if (blocks === footer.dictionaries) {
        await receiver.dictionary(lead, blocks.bodyLength(i));
      } else {
        place.batch = i;
        const metadata = await feed.peek(lead);
        message.read(metadata, prefixOf(metadata), lead);
        await receiver.batch(message, lead, message.bodyLength);
      }
    }
  }
  await receiver.end();
}

/**
 * The schema message at the start of a file, if it is there and says what the footer says; else the footer, which also
 * holds the places of all batches, and perhaps metadata of its own.
 */
async function oldSchemaOf(feed: FileFeed, footer: Footer, end: number, place: Place): Promise<OldSchema> {
  if (footer.metadataAt !== 0) return footer;
  feed.position = place.offset = MAGIC_AND_PADDING.length;
  const head = await feed.peek(8);
  const prefix = prefixOf(head);
  const length = prefix + word(head, prefix - 4);
  if (length <= prefix || length > Math.min(end - feed.position, MAX_METADATA)) return footer;
  try {
    const message = await readSchemaMessage(feed, length, place);
    const flat = new FlatBuffer(place).open(message.bytes, 0, message.bytes.length);
    return sameColumns(readSchema(flat, message.schemaAt), footer.schema) ? message : footer;
  } catch (error) {
    // Whatever is here instead of a schema message, no reader of files looks at it.
    if (error instanceof SluiceError) return footer;
    throw error;
  }
}

/** A message that the walk has come to. */
type Told =
  | { readonly kind: "schema"; readonly schema: Schema; readonly place: Place }
  | { readonly kind: "dictionary" | "batch"; readonly message: Message; readonly body: number };

/** As they come: of a stream, of several streams one after the other, and of a file from a pipe. */
async function readInOrder(feed: Feed, format: "arrow" | "arrows", receiver: Receiver): Promise<void> {
  const { path } = feed.source;
  const size = feed instanceof FileFeed ? feed.source.size : undefined;
  const layout = { columns: [], random: size !== undefined, size, path };
  let told: Told | undefined;
  let place: Place | undefined;
  let footer: Footer | undefined;
  const observer: MessageObserver = {
    schema(schema, its) {
      told = { kind: "schema", schema, place: its };
    },
    dictionary(message, body) {
      told = { kind: "dictionary", message, body };
    },
    batch(message, body) {
      told = { kind: "batch", message, body };
    },
  };
  const pass = async (length: number): Promise<void> => {
    const now = told;
    told = undefined;
    if (!now) {
      if (format === "arrow" && place) footer = (await readTail(feed, length, place)) ?? footer;
      await feed.skip(length);
    } else if (now.kind === "schema") {
      if (place) await receiver.end();
      place = now.place;
      const old = await readSchemaMessage(feed, length, place);
      await feed.skip(length);
      await receiver.schema(now.schema, old, place);
    } else {
      const lead = now.body - feed.position;
      if (now.kind === "batch") await receiver.batch(now.message, lead, length - lead);
      else await receiver.dictionary(lead, length - lead);
    }
  };
  const steps = format === "arrow" ? walkPipedFile(layout, observer) : walkStream(layout, observer);
  await drive(steps, feed, pass);
  await receiver.end(footer?.metadataAt ? footer : undefined);
}

/** Drives a walk that keeps everything; `pass` takes those bytes. */
async function drive(steps: Steps, feed: Feed, pass: (length: number) => Promise<void>): Promise<void> {
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const { value: step, done } = steps.next(answer);
    if (done) return;
    if (step.step === "keep") await pass(step.length);
    else if (step.step === "seek") feed.position = step.offset;
    else if (step.step === "peek") {
      const bytes = feed.peek(step.length);
      answer = bytes instanceof Uint8Array ? bytes : await bytes;
    }
  }
}

/** The schema message that comes next, to be kept. */
async function readSchemaMessage(feed: Feed, length: number, place: Place): Promise<OldSchema> {
  const bytes = await feed.peek(length);
  const prefix = prefixOf(bytes);
  const message = new Message(place);
  message.read(bytes, prefix, length);
  const { flat, header, type, version } = message;
  if (type !== HEADER.schema) throw place.corrupt("There is no schema message here");
  return {
    bytes: new Uint8Array(bytes.subarray(prefix, length)),
    version,
    schemaAt: header - prefix,
    metadataAt: Math.max(0, flat.fieldVector(flat.root(), 4, 4) - prefix),
  };
}

/** The footer, if that is what follows the messages; the walk has verified it. */
async function readTail(feed: Feed, length: number, place: Place): Promise<Footer | undefined> {
  if (length <= TRAILER_BYTES) return undefined;
  const end = length - TRAILER_BYTES;
  const tail = await feed.peek(length);
  const start = end - footerLength(tail.subarray(end), end, place);
  return readFooter(new Uint8Array(tail.subarray(start, end)), place);
}

/** Bytes before a message's flatbuffer. */
export const prefixOf = (bytes: Uint8Array): 4 | 8 => (word(bytes, 0) === CONTINUATION ? 8 : 4);
