/**
 * @file Cuts an input into windows: the walk over its layout says which bytes are elements, and everything, elements or
 * not, goes into windows in output order. A batch of 100 GB is many windows; a thousand tiny batches are one.
 *
 * ```text
 *   layout    keep  keep  elements .................................  keep  keep  elements ...........
 *   windows   | 2 MiB                 | 2 MiB               | 2 MiB                   | …
 * ```
 */
import { type Device, RANGE_STRIDE, type Slot, type Window } from "../device.ts";
import { AbortError } from "../errors.ts";
import type { Step, Steps, TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import { type Feed, FileFeed } from "./feed.ts";

/** What of the input a piece of work covers. */
export interface Tally {
  readonly inputBytes: number;
  readonly rows: number;
  readonly batches: number;
  readonly elements: number;
}

/** A window, with what is done when it is done. */
export interface CutWindow extends Window {
  /** Where its bytes belong in the output. */
  readonly outputOffset: number;
  readonly tally: Tally;
}

export type SchemaStep = Extract<Step, { step: "schema" }>;

export interface CutterEvents {
  /** Every window before it was handed to `onWindow`. */
  onSchema(schema: SchemaStep): Promise<void>;
  /** In output order; the receiver releases the slot. Returns whether the walk shall go on. */
  onWindow(window: CutWindow): boolean;
}

/** Ranges of one window; more would make its message to a worker larger than its bytes are worth. */
const MOST_RANGES = 16_384;
/** No granule is larger, so a window with this much room is never stuck. */
const LEAST_CAPACITY = 64;

/** Milliseconds after which a window goes on as it is, when its stream has paused between two batches. */
const PATIENCE = 5;

/** Part of a batch that is placed into windows: plain bytes, or elements of one tensor. */
interface Part {
  /** A window never ends inside one. */
  readonly granule: number;
  /** Index of the tensor; -1 for bytes that are only carried. */
  readonly tensor: number;
  /** Index of the first element in its batch. */
  readonly first: number;
}
const CARRIED: Part = { granule: 1, tensor: -1, first: 0 };

export class WindowCutter {
  readonly #feed: Feed;
  readonly #device: Device;
  readonly #events: CutterEvents;
  #tensors: readonly TensorColumn[] = [];
  #outputOffset = 0;
  #stopped = false;

  // The window in the making.
  #slot: Slot | undefined;
  #capacity = 0;
  #length = 0;
  /** Where its bytes begin in the input file; -1 where they are in the slot already. */
  #readFrom = -1;
  #ranges: number[] = [];
  #inputBytes = 0;
  #rows = 0;
  #batches = 0;
  #elements = 0;

  constructor(feed: Feed, device: Device, events: CutterEvents) {
    this.#feed = feed;
    this.#device = device;
    this.#events = events;
  }

  /** Walks to the end of the input. Waits only for bytes and for free slots. Gives what came after the last window. */
  async run(steps: Steps): Promise<Tally> {
    let answer: Uint8Array = new Uint8Array(0);
    for (;;) {
      const { value: step, done } = steps.next(answer);
      if (done) break;
      if (step.step === "peek") {
        const bytes = this.#feed.peek(step.length);
        answer = bytes instanceof Uint8Array ? bytes : await this.#waitFor(bytes);
      } else {
        const waiting = this.#take(step);
        if (waiting) await waiting;
      }
    }
    this.#finish();
    return this.#count();
  }

  /** Waits for bytes. Where they do not come at once, what is there already must not wait with them. */
  async #waitFor(bytes: Promise<Uint8Array>): Promise<Uint8Array> {
    if (!this.#slot || this.#feed instanceof FileFeed) return bytes;
    const timer = setTimeout(() => this.#finish(), PATIENCE);
    try {
      return await bytes;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(step: Exclude<Step, { step: "peek" }>): void | Promise<void> {
    switch (step.step) {
      case "keep":
        return this.#place(step.length, CARRIED);
      case "elements": {
        const granule = BYTES_PER_ELEMENT[this.#tensors[step.tensor]!.dtype];
        return this.#place(step.count * granule, { granule, tensor: step.tensor, first: step.first });
      }
      case "batch":
        this.#rows += step.rows;
        this.#batches++;
        return;
      case "drop":
        this.#inputBytes += step.length;
        return this.#feed.skip(step.length);
      case "emit":
        return this.#emit(step.bytes);
      case "seek":
        this.#feed.position = step.offset;
        return;
      case "schema":
        this.#finish();
        this.#tensors = step.tensors;
        return this.#events.onSchema(step);
    }
  }

  #place(length: number, part: Part): void | Promise<void> {
    const fits = this.#slot && this.#joins() && length <= this.#capacity - this.#length;
    if (!fits || this.#ranges.length >= MOST_RANGES * RANGE_STRIDE) return this.#placeAcross(length, part);
    return this.#append(length, part);
  }

  /** Places a part that does not fit the window in the making: into as many as it takes. */
  async #placeAcross(length: number, part: Part): Promise<void> {
    const { granule, tensor } = part;
    for (let placed = 0; placed < length; ) {
      if (!this.#joins() || this.#ranges.length >= MOST_RANGES * RANGE_STRIDE) this.#finish();
      if (!this.#slot) await this.#open();
      const room = this.#capacity - this.#length;
      const bytes = Math.min(length - placed, room - (room % granule));
      if (bytes === 0) {
        this.#finish();
        continue;
      }
      const waiting = this.#append(bytes, { granule, tensor, first: part.first + placed / granule });
      if (waiting) await waiting;
      placed += bytes;
    }
  }

  /** Whether the next bytes of the input can follow those in the window: a file's window is one piece of the file. */
  #joins(): boolean {
    if (!this.#slot || !(this.#feed instanceof FileFeed)) return true;
    return this.#readFrom >= 0 && this.#readFrom + this.#length === this.#feed.position;
  }

  #append(bytes: number, { granule, tensor, first }: Part): void | Promise<void> {
    const start = this.#length;
    if (tensor >= 0) {
      const { channels } = this.#tensors[tensor]!;
      const phase = channels ? first % (channels.count * channels.stride) : 0;
      this.#ranges.push(start, bytes / granule, tensor, phase, 0);
      this.#elements += bytes / granule;
    }
    this.#length += bytes;
    this.#inputBytes += bytes;
    if (this.#feed instanceof FileFeed) return this.#feed.skip(bytes);
    return this.#feed.fill(this.#slot!.bytes.subarray(start, start + bytes));
  }

  /** Puts bytes of our own into the output. */
  async #emit(bytes: Uint8Array): Promise<void> {
    if (this.#feed instanceof FileFeed) this.#finish();
    for (let done = 0; done < bytes.length; ) {
      if (!this.#slot) await this.#open();
      this.#readFrom = -1;
      const part = bytes.subarray(done, done + this.#capacity - this.#length);
      this.#slot!.bytes.set(part, this.#length);
      this.#length += part.length;
      done += part.length;
      if (this.#length === this.#capacity) this.#finish();
    }
    if (this.#feed instanceof FileFeed) this.#finish();
  }

  async #open(): Promise<void> {
    // Not where it is told: that may be in a timer.
    if (this.#stopped) throw new AbortError();
    this.#slot = await this.#device.acquire();
    // Windows end at round offsets of the output where they can: whole pages are cheaper to write.
    const { windowBytes } = this.#device;
    const aligned = windowBytes - (this.#outputOffset % windowBytes);
    this.#capacity = aligned < LEAST_CAPACITY ? windowBytes : aligned;
    this.#readFrom = this.#feed instanceof FileFeed ? this.#feed.position : -1;
  }

  #finish(): void {
    const slot = this.#slot;
    if (!slot) return;
    const { source } = this.#feed;
    const read =
      source.kind === "file" && this.#readFrom >= 0
        ? { read: { fd: source.fd, path: source.path, offset: this.#readFrom } }
        : {};
    const goOn = this.#events.onWindow({
      slot,
      length: this.#length,
      ranges: new Float64Array(this.#ranges),
      ...read,
      outputOffset: this.#outputOffset,
      tally: this.#count(),
    });
    this.#stopped = !goOn;
    this.#outputOffset += this.#length;
    this.#slot = undefined;
    this.#length = 0;
    this.#ranges = [];
  }

  /** What was covered since the last count. */
  #count(): Tally {
    const tally = {
      inputBytes: this.#inputBytes,
      rows: this.#rows,
      batches: this.#batches,
      elements: this.#elements,
    };
    this.#inputBytes = this.#rows = this.#batches = this.#elements = 0;
    return tally;
  }
}
