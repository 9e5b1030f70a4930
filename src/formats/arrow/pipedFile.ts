/**
 * @file The Arrow IPC file format from a pipe: walked like a stream, with the footer verified when it comes.
 *
 * What follows the magic is a stream in all files but a few. Readers of the output will follow the footer, so its blocks
 * must be the very messages that were walked, and its schema that by which they were; else some elements that a reader
 * finds would not have been computed.
 */
import type { LayoutOptions, Step, Steps } from "../layout.ts";
import { MAX_METADATA, Place } from "../place.ts";
import { BLOCK_BYTES, type Blocks } from "./blocks.ts";
import {
  EOS,
  footerLength,
  hasMagic,
  LEGACY_EOS,
  MAGIC_AND_PADDING,
  readFooter,
  TRAILER_BYTES,
} from "./footer.ts";
import type { MessageObserver } from "./observer.ts";
import { sameColumns } from "./schema.ts";
import { Sequence } from "./sequence.ts";

/** @param observer told of every message, as it comes */
export function* walkPipedFile(options: LayoutOptions, observer?: MessageObserver): Steps {
  const place = new Place(options.path, options.size);
  const toStream = options.to === "arrows";
  const pass = (length: number): Step => ({ step: toStream ? "drop" : "keep", length });

  const head = yield { step: "peek", length: MAGIC_AND_PADDING.byteLength };
  if (head.length < MAGIC_AND_PADDING.byteLength) throw place.short("the magic", 8, head.length);
  if (!hasMagic(head, 0)) throw place.corrupt("The file does not begin with ARROW1");
  yield pass(MAGIC_AND_PADDING.byteLength);
  place.offset += MAGIC_AND_PADDING.byteLength;

  const ids = new Set<bigint>();
  const onDictionary = (id: bigint) => {
    if (toStream && !ids.has(id) && place.batches > 0) {
      throw place.unsupported(`Dictionary ${id} comes after record batches, which a stream cannot hold`, {
        remedy: "Give the path of the file instead of a pipe, so that the dictionaries can be read first.",
      });
    }
    ids.add(id);
  };
  const sequence = new Sequence(options, place, {
    container: "file",
    record: { shift: 0 },
    onDictionary,
    observer,
  });
  const ending = yield* sequence.walk();
  if (ending === "input") throw place.truncated("The file ends before its footer");
  if (ending !== "footer") {
    yield { step: "keep", length: ending.marker };
    place.offset += ending.marker;
  } else if (toStream) {
    yield { step: "emit", bytes: sequence.modern ? EOS : LEGACY_EOS };
  }

  const tail = yield* readTail(sequence, place);
  verifyFooter(tail, sequence, place);
  yield pass(tail.length);
}

/** All that is left of the input: the footer, its length and the magic. */
function* readTail(sequence: Sequence, place: Place): Generator<Step, Uint8Array, Uint8Array> {
  const left = place.size - place.offset;
  const blocks = sequence.dictionaries.length + sequence.batches.length;
  // A guess, doubled until the input ends within it; exact where the size is known.
  let length = 4096 + BLOCK_BYTES * blocks + 2 * (sequence.schemaMessage?.bytes.byteLength ?? 0);
  for (;;) {
    length = Math.min(length, left, MAX_METADATA);
    const bytes = yield { step: "peek", length };
    if (bytes.length < length || length === left) return bytes;
    if (length === MAX_METADATA) {
      throw place.unsupported(`After its messages the file has more than ${MAX_METADATA} bytes`, {
        remedy: "Give the path of the file instead of a pipe.",
      });
    }
    length *= 2;
  }
}

function verifyFooter(tail: Uint8Array, sequence: Sequence, place: Place): void {
  if (tail.length < TRAILER_BYTES) throw place.truncated("The file ends before its footer");
  const before = tail.length - TRAILER_BYTES;
  const length = footerLength(tail.subarray(before), before, place);
  const footer = readFooter(new Uint8Array(tail.subarray(before - length, before)), place);
  if (sequence.schema === null || !sameColumns(sequence.schema, footer.schema)) {
    throw place.corrupt("The schema of the footer is not that of the file's first message", {
      remedy: "Give the path of the file instead of a pipe; then the footer is followed.",
    });
  }
  compare("dictionaries", footer.dictionaries, sequence.dictionaries, place);
  compare("record batches", footer.batches, sequence.batches, place);
}

/** Throws unless the footer lists exactly the blocks that were walked, in whatever order. */
function compare(what: string, listed: Blocks, walked: Blocks, place: Place): void {
  const same =
    listed.length === walked.length && inOrder(listed).every((block, i) => equal(listed, block, walked, i));
  if (same) return;
  throw place.corrupt(`The footer does not list the ${what} that the file holds`, {
    remedy: "Give the path of the file instead of a pipe; then the footer is followed.",
  });
}

function inOrder(blocks: Blocks): Uint32Array {
  const order = Uint32Array.from({ length: blocks.length }, (_, block) => block);
  const sorted = order.every((block) => block === 0 || blocks.offset(block - 1) <= blocks.offset(block));
  return sorted ? order : order.sort((a, b) => blocks.offset(a) - blocks.offset(b));
}

function equal(a: Blocks, i: number, b: Blocks, j: number): boolean {
  return (
    a.offset(i) === b.offset(j) &&
    a.metadataLength(i) === b.metadataLength(j) &&
    a.bodyLength(i) === b.bodyLength(j)
  );
}
