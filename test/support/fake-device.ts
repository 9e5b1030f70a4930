/** @file Devices whose speed is made up: a few lines of JavaScript compute, and a clock that only they move says how long it took. */
import { type Device, type DeviceName, RANGE_STRIDE, type Slot, type Window } from "../../src/device.ts";
import type { TensorColumn } from "../../src/formats/layout.ts";
import type { Program } from "../../src/ops/program.ts";
import { readPieces, readSpan, writeSpan } from "../../src/workers/files.ts";
import { Lender } from "../../src/workers/lender.ts";

export class FakeClock {
  milliseconds = 0;
  readonly now = (): number => this.milliseconds;
}

export interface FakeOptions {
  readonly name?: DeviceName;
  readonly clock: FakeClock;
  /** Milliseconds a window takes. */
  readonly cost: number;
  readonly windowBytes: number;
  /** Changes the last of the arrays in place, (x) or (x, dy); gives what it adds to the one sum. */
  compute(...inputs: readonly Float32Array[]): number;
  /** Called before each window, and waited for; what it throws is how the device fails. */
  onRun?(window: Window): void | Promise<void>;
  /** Called before tensors are made ready, and waited for. */
  onPrepare?(): void | Promise<void>;
  /** Elements. */
  readonly grain?: number;
}

export class FakeDevice implements Device {
  readonly name: DeviceName;
  readonly workers = 0;
  windowBytes: number;
  closed = 0;
  runs = 0;
  prepared = 0;
  /** Slots that are out. */
  out = 0;
  readonly #options: FakeOptions;
  #slots: Lender<Slot>;
  #program: Program | undefined;
  #sum = 0;

  constructor(options: FakeOptions) {
    this.name = options.name ?? "cpu";
    this.windowBytes = options.windowBytes;
    this.#options = options;
    this.#slots = this.#makeSlots();
  }

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    this.#requireFree("prepare");
    this.prepared++;
    await this.#options.onPrepare?.();
    this.#program = program;
    this.#slots = this.#makeSlots();
    return tensors.map(() => this.#options.grain ?? 1);
  }

  resize(windowBytes: number): void {
    this.#requireFree("resize");
    this.windowBytes = Math.max(this.windowBytes, windowBytes);
    this.#slots = this.#makeSlots();
  }

  sums(): readonly Float64Array[] {
    return this.#program!.sums.map(() => Float64Array.of(this.#sum));
  }

  forgetSums(): void {
    this.#requireFree("forgetSums");
    this.#sum = 0;
  }

  async acquire(): Promise<Slot> {
    const slot = await this.#slots.acquire();
    this.out++;
    return slot;
  }

  release(slot: Slot): void {
    this.out--;
    this.#slots.release(slot);
  }

  async run(window: Window): Promise<void> {
    const { slot, length, ranges, read, others, write } = window;
    const { clock, cost, compute, onRun } = this.#options;
    this.runs++;
    if (read) await readSpan(read, slot.bytes.subarray(0, length));
    if (others) await readPieces(others, slot.bytes);
    // Others go on meanwhile.
    await new Promise(setImmediate);
    clock.milliseconds += cost;
    await onRun?.(window);
    for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
      const [start, count, , , other] = ranges.subarray(at) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const places = this.#program!.inputs === 1 ? [start] : [other, start];
      const { buffer, byteOffset } = slot.bytes;
      this.#sum += compute(...places.map((place) => new Float32Array(buffer, byteOffset + place, count)));
    }
    if (write) await writeSpan(write, slot.bytes.subarray(0, length));
  }

  close(): void {
    this.closed++;
  }

  #makeSlots(): Lender<Slot> {
    const length = this.windowBytes * (this.#program?.inputs ?? 1);
    return new Lender<Slot>(3, () => ({ address: 0, bytes: new Uint8Array(length) }));
  }

  /** What callers of the interface promise. */
  #requireFree(action: string): void {
    if (this.out > 0) throw new Error(`${action} while ${this.out} slots are out`);
  }
}
