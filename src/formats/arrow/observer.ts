/** @file Who is told of the messages of a walk: readers that come back to the bodies, at their positions. */
import type { Place } from "../place.ts";
import type { Message } from "./message.ts";
import type { Schema } from "./schema.ts";

/**
 * Told of each message while its metadata is at hand. `body` is the byte of the input where the body begins; `order`
 * counts the dictionaries or the batches as the data go on, which in a file is the footer's order, not that of the calls.
 */
export interface MessageObserver {
  /** Comes before all that is of this schema; of several streams one after the other, each has its own. */
  schema(schema: Schema, place: Place): void;
  dictionary(message: Message, body: number, order: number): void;
  batch(message: Message, body: number, order: number): void;
}
