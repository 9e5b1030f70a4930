/**
 * @file The Arrow IPC file format, read at any offset: passed through, or written as a stream.
 *
 * ```text
 *   | ARROW1 0 0 | schema message | block | block | ... | end | footer | i32 footer length | ARROW1 |
 *                  not always       ^       ^                   |
 *                                   └───────┴───────────────────┘ the footer says where the blocks are
 * ```
 * Readers trust the footer and see only what it lists, so the layout follows it, too; all bytes between the blocks are
 * kept. Source: "IPC File Format" in the Arrow columnar format.
 */
import { SluiceError, UsageError } from "../../errors.ts";
import type { LayoutOptions, Step, Steps } from "../layout.ts";
import { MAX_METADATA, Place } from "../place.ts";
import type { BatchReader } from "./batch.ts";
import { FileBlocks } from "./fileBlocks.ts";
import {
  buildSchemaMessage,
  EOS,
  type Footer,
  footerLength,
  hasMagic,
  LEGACY_EOS,
  MAGIC_AND_PADDING,
  readFooter,
  TRAILER_BYTES,
} from "./footer.ts";
import { CONTINUATION, HEADER, Message, word } from "./message.ts";
import type { MessageObserver } from "./observer.ts";
import { walkPipedFile } from "./pipedFile.ts";
import { readSchema, sameColumns } from "./schema.ts";
import { announce, walkBatch } from "./walk.ts";

/** @param observer told of every message, unless the file is a pipe or becomes a stream */
export function* walkFile(options: LayoutOptions, observer?: MessageObserver): Steps {
  if (!options.random) return yield* walkPipedFile(options);
  if (options.size === undefined) throw new UsageError("A file that is read at any offset needs its size");
  const place = new Place(options.path, options.size);
  const { footer, blocks } = yield* readEnds(place);
  const message = new Message(place);
  if (options.to === "arrows") return yield* fileToStream(options, place, footer, blocks, message);

  observer?.schema(footer.schema, place);
  const reader = yield* announce(footer.schema, options, place);
  yield* seek(place, 0);
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks.inOffsetOrder(i);
    const gap = blocks.offset(block) - place.offset;
    if (gap > 0) yield { step: "keep", length: gap };
    place.offset += gap;
    yield* walkBlock(block, blocks, message, reader, place, options, observer);
  }
  place.batch = -1;
  yield { step: "keep", length: place.size - place.offset };
}

/** Reads the footer and the magic at both ends, and checks that the blocks can be where the footer says. */
function* readEnds(place: Place): Generator<Step, { footer: Footer; blocks: FileBlocks }, Uint8Array> {
  const { size } = place;
  if (size < MAGIC_AND_PADDING.byteLength + TRAILER_BYTES) {
    throw place.truncated(`An Arrow file of ${size} bytes cannot be whole`);
  }
  yield* seek(place, 0);
  const head = yield* read(MAGIC_AND_PADDING.byteLength, "the magic", place);
  if (!hasMagic(head, 0)) throw place.corrupt("The file does not begin with ARROW1");

  yield* seek(place, size - TRAILER_BYTES);
  const trailer = yield* read(TRAILER_BYTES, "the end of the file", place);
  const length = footerLength(trailer, place.offset - MAGIC_AND_PADDING.byteLength, place);
  if (length > MAX_METADATA) {
    throw place.unsupported(`The footer has ${length} bytes; the limit is ${MAX_METADATA}`, {
      remedy: "Write the batches as a stream (.arrows), or fewer and larger batches.",
    });
  }
  yield* seek(place, size - TRAILER_BYTES - length);
  // Copied, for the driver may use its bytes again. (`slice` would not copy, if they are a Buffer.)
  const footer = readFooter(new Uint8Array(yield* read(length, "the footer", place)), place);
  return { footer, blocks: new FileBlocks(footer, MAGIC_AND_PADDING.byteLength, place) };
}

/**
 * Writes the messages in the footer's order, which is the order of the data: first all dictionaries (in a file they may
 * stand anywhere, deltas included), then the batches.
 */
function* fileToStream(
  options: LayoutOptions,
  place: Place,
  footer: Footer,
  blocks: FileBlocks,
  message: Message,
): Steps {
  const own = yield* findSchemaMessage(footer, blocks, message, place);
  const reader = yield* announce(footer.schema, options, place);
  if (own === null) {
    yield { step: "emit", bytes: buildSchemaMessage(footer) };
  } else {
    yield* seek(place, MAGIC_AND_PADDING.byteLength);
    yield { step: "keep", length: own.length };
    place.offset += own.length;
  }
  for (let block = 0; block < blocks.length; block++) {
    if (place.offset !== blocks.offset(block)) yield* seek(place, blocks.offset(block));
    yield* walkBlock(block, blocks, message, reader, place, options);
  }
  yield { step: "emit", bytes: own?.modern === false ? LEGACY_EOS : EOS };
}

/** The schema message behind the magic, if there is one and it says what the footer says. */
function* findSchemaMessage(
  footer: Footer,
  blocks: FileBlocks,
  message: Message,
  place: Place,
): Generator<Step, { length: number; modern: boolean } | null, Uint8Array> {
  const start = MAGIC_AND_PADDING.byteLength;
  const space = (blocks.length > 0 ? blocks.offset(blocks.inOffsetOrder(0)) : blocks.end) - start;
  if (space < 8) return null;
  yield* seek(place, start);
  const head = yield* read(8, "the schema message", place);
  const modern = word(head, 0) === CONTINUATION;
  const prefix = modern ? 8 : 4;
  const length = prefix + word(head, prefix - 4);
  if (length <= prefix || length > Math.min(space, MAX_METADATA)) return null;
  const bytes = yield* read(length, "the schema message", place);
  try {
    message.read(bytes, prefix, length);
    if (message.type !== HEADER.schema) return null;
    return sameColumns(readSchema(message.flat, message.header), footer.schema) ? { length, modern } : null;
  } catch (error) {
    // Whatever is here instead of a schema message, no reader of files looks at it.
    if (error instanceof SluiceError) return null;
    throw error;
  }
}

/** Steps through one block, which begins here. Its message must be what the footer says. */
function* walkBlock(
  block: number,
  blocks: FileBlocks,
  message: Message,
  reader: BatchReader,
  place: Place,
  options: LayoutOptions,
  observer?: MessageObserver,
): Generator<Step, void, Uint8Array> {
  place.batch = blocks.batch(block);
  const length = blocks.metadataLength(block);
  const bodyLength = blocks.bodyLength(block);
  const bytes = yield { step: "peek", length };
  if (bytes.length < length) throw place.short("the metadata of a message", length, bytes.length);
  const prefix = word(bytes, 0) === CONTINUATION ? 8 : 4;
  if (prefix + word(bytes, prefix - 4) !== length) {
    throw place.corrupt(
      `The metadata of a message has ${word(bytes, prefix - 4)} bytes; the footer says ${length - prefix}`,
    );
  }
  message.read(bytes, prefix, length);
  if (message.type !== blocks.type(block)) {
    throw place.corrupt(
      `The footer lists a message of type ${blocks.type(block)} here; it is of ${message.type}`,
    );
  }
  if (message.bodyLength !== bodyLength) {
    throw place.corrupt(
      `The body of a message has ${message.bodyLength} bytes; the footer says ${bodyLength}`,
    );
  }
  if (message.type === HEADER.batch) {
    reader.read(message);
    observer?.batch(message, place.offset + length, place.batch);
    yield* walkBatch(reader, length, bodyLength, place, options);
  } else {
    observer?.dictionary(message, place.offset + length, block);
    yield { step: "keep", length: length + bodyLength };
    place.offset += length + bodyLength;
  }
}

function* seek(place: Place, offset: number): Generator<Step, void> {
  place.offset = offset;
  yield { step: "seek", offset };
}

function* read(length: number, what: string, place: Place): Generator<Step, Uint8Array, Uint8Array> {
  const bytes = yield { step: "peek", length };
  if (bytes.length < length) throw place.short(what, length, bytes.length);
  return bytes;
}
