/**
 * @file The Arrow IPC stream format: passed through, or written as a file.
 *
 * ```text
 *   stream   | schema | dictionary ... | batch | batch | ... | end |    and, from `cat a.arrows b.arrows`, another
 *   file     | ARROW1 | schema | dictionary ... | batch | batch | ... | end | footer | ARROW1 |
 * ```
 */
import type { LayoutOptions, Step, Steps } from "../layout.ts";
import { Place } from "../place.ts";
import { buildFooter, EOS, LEGACY_EOS, MAGIC_AND_PADDING } from "./footer.ts";
import type { MessageObserver } from "./observer.ts";
import { Sequence } from "./sequence.ts";

/**
 * Walks a stream, or several one after the other, each with its own `schema` step.
 * @param observer told of every message, unless the stream becomes a file
 */
export function* walkStream(options: LayoutOptions, observer?: MessageObserver): Steps {
  const place = new Place(options.path, options.size);
  if (options.to === "arrow") return yield* streamToFile(options, place);
  for (;;) {
    const ending = yield* new Sequence(options, place, { container: "stream", observer }).walk();
    if (ending === "input" || ending === "footer") return;
    yield { step: "keep", length: ending.marker };
    place.offset += ending.marker;
    if (!(yield* pad("keep", place))) return;
  }
}

/** Messages stay as they are; magic, footer and, where it is missing, the end marker come to them. */
function* streamToFile(options: LayoutOptions, place: Place): Steps {
  yield { step: "emit", bytes: MAGIC_AND_PADDING };
  const seen = new Set<bigint>();
  const onDictionary = (id: bigint, isDelta: boolean) => {
    if (!isDelta && seen.has(id)) {
      throw place.unsupported(`Dictionary ${id} is replaced, which an Arrow file cannot hold`, {
        remedy: "Write a stream instead: name the output .arrows.",
      });
    }
    seen.add(id);
  };
  const record = { shift: MAGIC_AND_PADDING.byteLength };
  const sequence = new Sequence(options, place, { container: "stream", record, onDictionary });
  const ending = yield* sequence.walk();
  if (ending === "input" || ending === "footer") {
    yield { step: "emit", bytes: sequence.modern ? EOS : LEGACY_EOS };
  } else {
    yield { step: "keep", length: ending.marker };
    place.offset += ending.marker;
    if (yield* pad("drop", place)) {
      throw place.unsupported("A second stream follows, which an Arrow file cannot hold", {
        remedy: "Write streams instead: name the output .arrows.",
      });
    }
  }
  const { schemaMessage, dictionaries, batches } = sequence;
  if (schemaMessage === null) throw place.truncated("The stream ends before its schema");
  yield { step: "emit", bytes: buildFooter(schemaMessage, dictionaries, batches) };
}

/** Passes zero padding after the end of a stream, in words of four bytes. Whether something else follows. */
function* pad(step: "keep" | "drop", place: Place): Generator<Step, boolean, Uint8Array> {
  for (;;) {
    const ahead = Math.max(4, Math.min(4096, place.size - place.offset));
    // A pipe may stay open: asking for more than one word could wait for what the next stream does not send yet.
    const bytes = yield { step: "peek", length: place.size === Number.POSITIVE_INFINITY ? 4 : ahead };
    if (bytes.length === 0) return false;
    const used = bytes.findIndex((byte) => byte !== 0);
    const words = used < 0 ? bytes.length : used - (used % 4);
    if (words > 0) {
      yield { step, length: words };
      place.offset += words;
    }
    if (used >= 0) return true;
  }
}
