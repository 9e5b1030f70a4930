/**
 * @file The body of a record batch from a stream, which comes once: rows are predicted as they pass, and the results held
 * until the body is through.
 *
 * ```text
 *   | validity of a | values of a ...... | text of b ... | values of c ....................... |
 *     held            held                 passes          the last ones: in windows of rows, each predicted at once
 * ```
 */
import { MemoryError } from "../../errors.ts";
import type { Message } from "../../formats/arrow/message.ts";
import type { StreamFeed } from "../../pipeline/feed.ts";
import type { Body } from "./body.ts";
import type { Carrier } from "./carry.ts";
import type { ResultColumn } from "./column.ts";
import type { Extent, Features } from "./features.ts";
import { HeldBody } from "./held-body.ts";
import { prefixOf } from "./messages.ts";
import type { Predictor } from "./predictor.ts";

/** The values that come last of all that is read, and the bits of a row in them. */
interface Last extends Extent {
  readonly rowBits: number;
}

export class StreamBody implements Body {
  readonly file: HeldBody;
  readonly #feed: StreamFeed;
  readonly #carrier: Carrier;
  readonly #predictor: Predictor;
  readonly #column: ResultColumn;
  readonly #memory: number;
  #held: readonly Extent[] = [];
  #last: Last | undefined;
  /** Of each window of rows. */
  #results: Promise<Uint8Array>[] = [];

  constructor(
    feed: StreamFeed,
    carrier: Carrier,
    predictor: Predictor,
    column: ResultColumn,
    memory: number,
  ) {
    this.file = new HeldBody(feed.source.path);
    [this.#feed, this.#carrier, this.#predictor, this.#column] = [feed, carrier, predictor, column];
    this.#memory = memory;
  }

  async prepare(features: Features, message: Message, lead: number): Promise<void> {
    this.file.clear();
    this.#results = [];
    const marks = features.marks();
    const values = features.values();
    const last = values.reduce((a, b) => (b.start > a.start ? b : a));
    const others = [...marks, ...values.filter((each) => each !== last)];
    const { rowBits } = last;
    // All else that a row needs has passed when its last values come, unless a writer has an order of its own.
    this.#last =
      rowBits !== null && others.every(({ end }) => end <= last.start) ? { ...last, rowBits } : undefined;
    this.#held = this.#last ? others : [...marks, ...values];
    const { position } = this.#feed;
    const ahead = features.mayHoldNulls ? Math.max(...marks.map(({ end }) => end)) - position : 0;
    this.#requireRoom(features, ahead);
    if (ahead === 0) return;
    const bytes = await this.#feed.peek(ahead);
    features.require(ahead, bytes.length);
    for (const { start, end } of marks) {
      this.file.hold(start, bytes.slice(start - position, end - position));
    }
    this.#held = this.#held.filter((extent) => !marks.includes(extent));
    // The bytes that it was read from may be overwritten.
    message.read(bytes, prefixOf(bytes), lead);
  }

  async pass(features: Features, bodyLength: number): Promise<void> {
    const hold = (start: number, bytes: Uint8Array): void => {
      for (const extent of this.#held) {
        const [from, to] = [Math.max(start, extent.start), Math.min(start + bytes.length, extent.end)];
        if (from < to) this.file.hold(from, bytes.slice(from - start, to - start));
      }
    };
    const body = this.#feed.position;
    const { start, end, rowBits } = this.#last ?? {
      start: body + bodyLength,
      end: body + bodyLength,
      rowBits: 8,
    };
    await this.#carrier.pass(start - body, hold);
    let first = 0;
    const predict = async (at: number, bytes: Uint8Array): Promise<void> => {
      this.file.pass(at, bytes);
      const count = Math.min(this.#predictor.windowRows, features.rows - first);
      await this.#predict(features, first, count);
      first += count;
    };
    await this.#carrier.pass(end - start, predict, (this.#predictor.windowRows * rowBits) / 8);
    await this.#carrier.pass(body + bodyLength - end);
    for (; first < features.rows; first += this.#predictor.windowRows) {
      await this.#predict(features, first, Math.min(this.#predictor.windowRows, features.rows - first));
    }
  }

  async results(features: Features, take: (bytes: Uint8Array, rows: number) => Promise<void>): Promise<void> {
    const { windowRows } = this.#predictor;
    for (const [window, bytes] of this.#results.entries()) {
      await take(await bytes, Math.min(windowRows, features.rows - window * windowRows));
    }
    this.#results = [];
    this.file.clear();
  }

  async #predict(features: Features, first: number, count: number): Promise<void> {
    const usable = await features.usable(first, count);
    const rows = await features.read(first, count);
    const result = this.#predictor.predict(rows, usable).then((values) => this.#column.encode(values));
    // Told when its turn comes.
    result.catch(() => {});
    this.#results.push(result);
    await this.#results.at(-this.#predictor.atOnce);
  }

  #requireRoom(features: Features, ahead: number): void {
    const results = this.#column.bytesOf(features.rows);
    const held = this.#held.reduce((sum, { start, end }) => sum + end - start, 0);
    const needed = results + held + ahead;
    if (needed <= this.#memory) return;
    throw new MemoryError(
      `${needed} bytes of a batch from a stream must be held: ${results} of predictions, ${held + ahead} of features`,
      {
        position: features.position,
        remedy:
          "Give the path of a file, which needs none of that; or more --memory, or write smaller batches.",
      },
    );
  }
}
