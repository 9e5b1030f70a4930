/**
 * @file Cuts an input into windows: the walk over its layout says which bytes are elements, and everything, elements or
 * not, goes into windows in output order. A batch of 100 GB is many windows; a thousand tiny batches are one.
 *
 * ```text
 *   layout    keep  keep  elements .................................  keep  keep  elements ...........
 *   windows   | 8 MiB                 | 8 MiB               | 8 MiB                   | …
 * ```
 */
import { type Device, RANGE_STRIDE, type Slot, type Window } from "../device.ts";
import { AbortError } from "../errors.ts";
import type { Step, Steps, TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import { type Feed, FileFeed } from "./feed.ts";
import type { Others } from "./others.ts";
import { CARRIED, type Part, RETAINED } from "./part.ts";
import { type Tally, TallyCounter } from "./tally.ts";
import { widen } from "./widen.ts";

/** A window, with what is done when it is done. */
export interface CutWindow extends Window {
  /** Where its bytes belong in the output. */
  readonly outputOffset: number;
  readonly tally: Tally;
}

export type SchemaStep = Extract<Step, { step: "schema" }>;
type ElementsStep = Extract<Step, { step: "elements" }>;

export interface CutterEvents {
  /** Every window before it was handed to `onWindow`. Gives the grain of each tensor (`Device.prepare`). */
  onSchema(schema: SchemaStep): Promise<readonly number[]>;
  /** Settles when no window is under way. */
  settle(): Promise<unknown>;
  /** In output order; the receiver releases the slot. Returns whether the walk shall go on. */
  onWindow(window: CutWindow): boolean;
}

/** Ranges of one window; more would make its message to a worker larger than its bytes are worth. */
const MOST_RANGES = 16_384;
/** A window with less room than this at its aligned end is not worth its name. */
const LEAST_CAPACITY = 64;

/** Milliseconds after which a window goes on as it is, when its stream has paused between two batches. */
const PATIENCE = 5;

export class WindowCutter {
  readonly #feed: Feed;
  readonly #device: Device;
  readonly #events: CutterEvents;
  /** x's elements, for a program that has two inputs. */
  readonly #others: Others | undefined;
  readonly #tally = new TallyCounter();
  #tensors: readonly TensorColumn[] = [];
  #grains: readonly number[] = [];
  /** Index of the batch at hand. */
  #batch = 0;
  #outputOffset = 0;
  #stopped = false;

  // The window in the making.
  #slot: Slot | undefined;
  #capacity = 0;
  #length = 0;
  /** Where its bytes begin in the input file; -1 where they are in the slot already. */
  #readFrom = -1;
  #ranges: number[] = [];

  constructor(feed: Feed, device: Device, events: CutterEvents, others?: Others) {
    this.#feed = feed;
    this.#device = device;
    this.#events = events;
    this.#others = others;
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
    return this.#tally.take();
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
        if (!step.retain || !this.#others) return this.#place(step.length, CARRIED);
        this.#others.reserve(step.length);
        return this.#place(step.length, RETAINED);
      case "elements":
        return this.#takeElements(step);
      case "batch":
        this.#tally.rows += step.rows;
        this.#tally.batches++;
        this.#batch++;
        return this.#others?.forget();
      case "drop":
        this.#tally.inputBytes += step.length;
        return this.#feed.skip(step.length);
      case "emit":
        return this.#emit(step.bytes);
      case "seek":
        this.#feed.position = step.offset;
        return;
      case "schema":
        return this.#takeSchema(step);
    }
  }

  async #takeSchema(step: SchemaStep): Promise<void> {
    this.#finish();
    this.#tensors = step.tensors;
    this.#grains = await this.#events.onSchema(step);
  }

  #takeElements({ tensor, count, first, other = -1 }: ElementsStep): void | Promise<void> {
    const size = BYTES_PER_ELEMENT[this.#tensors[tensor]!.dtype];
    const part = { size, grain: this.#grains[tensor]! * size, tensor, first, other, retain: false };
    const length = count * size;
    const waiting = this.#others?.prepare({ offset: other, length });
    return waiting ? this.#waitFor(waiting).then(() => this.#place(length, part)) : this.#place(length, part);
  }

  #place(length: number, part: Part): void | Promise<void> {
    const fits = this.#slot && this.#joins() && length <= this.#capacity - this.#length;
    if (!fits || this.#ranges.length >= MOST_RANGES * RANGE_STRIDE) return this.#placeAcross(length, part);
    return this.#append(length, part);
  }

  /** Places a part that does not fit the window in the making: into as many as it takes. */
  async #placeAcross(length: number, part: Part): Promise<void> {
    const { size, grain, first, other } = part;
    for (let placed = 0; placed < length; ) {
      const left = length - placed;
      if (!this.#joins() || this.#ranges.length >= MOST_RANGES * RANGE_STRIDE) this.#finish();
      if (!this.#slot) await this.#open(Math.min(grain, left), part);
      const room = this.#capacity - this.#length;
      const bytes = left <= room ? left : room - (room % grain);
      if (bytes === 0) {
        this.#finish();
        continue;
      }
      const rest = { ...part, first: first + placed / size, other: other < 0 ? other : other + placed };
      const waiting = this.#append(bytes, rest);
      if (waiting) await waiting;
      placed += bytes;
    }
  }

  /** Whether the next bytes of the input can follow those in the window: a file's window is one piece of the file. */
  #joins(): boolean {
    if (!this.#slot || !(this.#feed instanceof FileFeed)) return true;
    return this.#readFrom >= 0 && this.#readFrom + this.#length === this.#feed.position;
  }

  #append(bytes: number, part: Part): void | Promise<void> {
    if (part.other < 0 || !this.#others) return this.#appendWith(0, bytes, part);
    const extent = { offset: part.other, length: bytes };
    const other = this.#others.place(this.#slot!, this.#device.windowBytes, extent);
    if (typeof other === "number") return this.#appendWith(other, bytes, part);
    return other.then((found) => this.#appendWith(found, bytes, part));
  }

  /** `other`: the range's fifth number. */
  #appendWith(other: number, bytes: number, { size, tensor, first, retain }: Part): void | Promise<void> {
    const start = this.#length;
    if (tensor >= 0) {
      const { channels } = this.#tensors[tensor]!;
      const phase = channels ? first % (channels.count * channels.stride) : 0;
      this.#ranges.push(start, bytes / size, tensor, phase, other);
      this.#tally.elements += bytes / size;
    }
    this.#length += bytes;
    this.#tally.inputBytes += bytes;
    if (this.#feed instanceof FileFeed) return this.#feed.skip(bytes);
    const { position } = this.#feed;
    const target = this.#slot!.bytes.subarray(start, start + bytes);
    const waiting = this.#feed.fill(target);
    if (!retain) return waiting;
    if (waiting) return waiting.then(() => this.#others!.retain(position, target));
    this.#others!.retain(position, target);
  }

  /** Puts bytes of our own into the output. */
  async #emit(bytes: Uint8Array): Promise<void> {
    if (this.#feed instanceof FileFeed) this.#finish();
    for (let done = 0; done < bytes.length; ) {
      if (!this.#slot) await this.#open(1, CARRIED);
      this.#readFrom = -1;
      const part = bytes.subarray(done, done + this.#capacity - this.#length);
      this.#slot!.bytes.set(part, this.#length);
      this.#length += part.length;
      done += part.length;
      if (this.#length === this.#capacity) this.#finish();
    }
    if (this.#feed instanceof FileFeed) this.#finish();
  }

  /** Opens a window with room for `least` bytes, which stay together. */
  async #open(least: number, part: Part): Promise<void> {
    if (least > this.#device.windowBytes) await this.#widen(least, part);
    // Not where it is told: that may be in a timer.
    if (this.#stopped) throw new AbortError();
    this.#slot = await this.#device.acquire();
    // Windows end at round offsets of the output where they can: whole pages are cheaper to write.
    const { windowBytes } = this.#device;
    const aligned = windowBytes - (this.#outputOffset % windowBytes);
    this.#capacity = aligned < Math.max(least, LEAST_CAPACITY) ? windowBytes : aligned;
    this.#readFrom = this.#feed instanceof FileFeed ? this.#feed.position : -1;
  }

  /** Makes windows hold `least` bytes of a part. */
  async #widen(least: number, { size, grain, tensor }: Part): Promise<void> {
    await this.#events.settle();
    const { path } = this.#feed.source;
    const column = this.#tensors[tensor]!;
    // An npy file has no batches.
    const position = column.name === "" ? { path } : { path, batch: this.#batch };
    const together = { count: least / size, bytes: least, grain: grain / size };
    widen(this.#device, { ...together, tensor: column, position });
  }

  #finish(): void {
    const slot = this.#slot;
    if (!slot) return;
    const { source } = this.#feed;
    const [ranges, length, offset] = [this.#ranges, this.#length, this.#readFrom];
    const isPiece = source.kind === "file" && offset >= 0;
    const { windowBytes } = this.#device;
    const others = this.#others?.finish(ranges, windowBytes, isPiece ? { offset, length } : undefined);
    const goOn = this.#events.onWindow({
      slot,
      length,
      ranges: new Float64Array(ranges),
      ...(isPiece ? { read: { fd: source.fd, path: source.path, offset } } : {}),
      ...(others ? { others } : {}),
      outputOffset: this.#outputOffset,
      tally: this.#tally.take(),
    });
    this.#stopped = !goOn;
    this.#outputOffset += this.#length;
    this.#slot = undefined;
    this.#length = 0;
    this.#ranges = [];
  }
}
