/**
 * @file `auto`: the CPU begins, and a GPU that turns out to be faster (`gpu-scout.ts`) gets the rest. What the GPU cannot do,
 * or fails to do, the CPU does.
 */
import type { Device, DeviceName, GpuApi, Slot, Window } from "../device.ts";
import { GpuError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { failureOf, GpuScout, type ScoutOptions, type Work } from "./gpu-scout.ts";

export interface AutoOptions extends ScoutOptions {
  /** What begins. */
  readonly cpu: Device;
}

interface Prepared extends Work {
  /** The CPU's: windows are cut at multiples of these, so that either device can take them. */
  readonly grains: readonly number[];
}

export class AutoDevice implements Device {
  readonly #cpu: Device;
  readonly #scout: GpuScout;
  #work: Prepared | undefined;
  /** The GPU once it is chosen. Its sums count, also when it has failed since. */
  #gpu: Device | undefined;
  /** Why the GPU was given up. */
  #failure: string | undefined;
  /** Of the device that lent the last slot, whatever has become of it. */
  #windowBytes: number;
  /** Who lent each slot. */
  readonly #lenders = new WeakMap<Slot, Device>();
  /** Slots that are out, or asked for. */
  #out = 0;
  #allBack: (() => void) | undefined;
  /** No slot is lent before this settles: the work goes from one device to the other. */
  #change: Promise<void> | undefined;

  constructor({ cpu, ...options }: AutoOptions) {
    this.#cpu = cpu;
    this.#scout = new GpuScout(options);
    this.#windowBytes = cpu.windowBytes;
  }

  get name(): DeviceName {
    return this.#current.name;
  }

  get api(): GpuApi | undefined {
    return this.#current.api;
  }

  get reason(): string {
    return this.#failure ?? this.#scout.reason;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get workers(): number {
    return this.#cpu.workers;
  }

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    const grains = await this.#cpu.prepare(program, tensors);
    this.#work = { program, tensors, grains };
    if (tensors.some(({ dtype }) => dtype === "float64")) this.#scout.stay("float64 is computed on the CPU");
    this.#scout.prepare(this.#work);
    if (this.#scout.patience === 0) {
      this.#scout.look();
      await this.#scout.opened();
    }
    if (this.#current !== this.#cpu) {
      await this.#makeReady(this.#current).catch((error) => this.#giveUp(error));
    }
    this.#windowBytes = this.#current.windowBytes;
    return grains;
  }

  resize(windowBytes: number): void {
    this.#cpu.resize(windowBytes);
    try {
      this.#current.resize(windowBytes);
    } catch (error) {
      this.#giveUp(error);
    }
    this.#windowBytes = this.#current.windowBytes;
  }

  sums(): readonly Float64Array[] {
    const sums = this.#cpu.sums();
    const others = this.#gpu?.sums();
    return others ? sums.map((values, i) => values.map((value, j) => value + others[i]![j]!)) : sums;
  }

  async acquire(): Promise<Slot> {
    if (this.#scout.canDecide) this.#change ??= this.#decide();
    await this.#change;
    const lender = this.#current;
    this.#out++;
    try {
      const slot = await lender.acquire();
      this.#lenders.set(slot, lender);
      this.#windowBytes = lender.windowBytes;
      return slot;
    } catch (error) {
      this.#back();
      throw error;
    }
  }

  release(slot: Slot): void {
    this.#lenders.get(slot)!.release(slot);
    this.#back();
  }

  async run(window: Window): Promise<void> {
    if (this.#lenders.get(window.slot) !== this.#cpu) return this.#runOnGpu(window);
    const { clock } = this.#scout;
    this.#scout.see(window, this.windowBytes);
    clock.start();
    try {
      await this.#cpu.run(window);
    } finally {
      clock.stop(window.length);
    }
    if (this.#work) this.#scout.look();
  }

  close(): void {
    this.#scout.close();
    this.#cpu.close();
    this.#gpu?.close();
  }

  get #current(): Device {
    return this.#gpu && this.#failure === undefined ? this.#gpu : this.#cpu;
  }

  async #decide(): Promise<void> {
    await this.#drained();
    const gpu = await this.#scout.decide();
    if (!gpu) return;
    this.#gpu = gpu;
    await this.#makeReady(gpu).catch((error) => this.#giveUp(error));
  }

  /** Makes the GPU ready for the tensors at hand, and the CPU for taking over any window from it. No slot is out. */
  async #makeReady(gpu: Device): Promise<void> {
    const { program, tensors, grains } = this.#work!;
    const own = await gpu.prepare(program, tensors);
    const fits = grains.every((grain, i) => grain === Number.POSITIVE_INFINITY || grain % own[i]! === 0);
    if (!fits) throw new Error("it would cut the tensors elsewhere");
    if (gpu.windowBytes < this.#cpu.windowBytes) gpu.resize(this.#cpu.windowBytes);
    this.#cpu.resize(gpu.windowBytes);
  }

  async #runOnGpu(window: Window): Promise<void> {
    try {
      await this.#gpu!.run(window);
    } catch (error) {
      // What is wrong with the files is not the GPU's fault, and the slot may hold results already.
      if (!(error instanceof GpuError)) throw error;
      this.#giveUp(error);
      await this.#runAgain(window);
    }
  }

  /** Does on the CPU what the GPU has failed to do. */
  async #runAgain(window: Window): Promise<void> {
    const slot = await this.#cpu.acquire();
    try {
      const { bytes } = window.slot;
      if (!window.read) slot.bytes.set(bytes.subarray(0, slot.bytes.length));
      await this.#cpu.run({ ...window, slot });
      if (!window.write) bytes.set(slot.bytes.subarray(0, window.length));
    } finally {
      this.#cpu.release(slot);
    }
  }

  /**
   * From here on the CPU does all. Its slots are first for the windows that the GPU still has: the writer may wait for one
   * of these while it holds all that came later.
   */
  #giveUp(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = failureOf(error);
    this.#change = this.#drained();
  }

  #back(): void {
    this.#out--;
    if (this.#out === 0) this.#allBack?.();
  }

  /** Settles when no slot is out. */
  async #drained(): Promise<void> {
    if (this.#out === 0) return;
    await new Promise<void>((resolve) => {
      this.#allBack = resolve;
    });
  }
}
