/**
 * @file Finds out for `auto` whether a GPU is worth having: not before the CPU has been at work for a while, and by timing one
 * of the windows on both.
 *
 * ```text
 *   early ---- patience is over ----> opening ---- it is there ----> ready ---- a window is timed on both ----> settled
 *     |                                  |                             |                                           |
 *     +-- little is left ----------------+-- there is none ------------+-- it fails, or is slower --> the CPU      +--> one
 * ```
 */
import type { Device, Window } from "../device.ts";
import { BusyClock } from "./busy-clock.ts";
import { type Sample, sampleOf, speedOf } from "./trial.ts";

export interface ScoutOptions {
  readonly openGpu: () => Promise<Device>;
  /** A CPU device like the one that works, to be timed. */
  readonly openRival: () => Promise<Device>;
  /** Bytes to come, where known. */
  readonly expectedBytes: number | undefined;
  /** Milliseconds of work before the GPU is looked for; with 0 it comes before the first window. */
  readonly patience: number;
  /** Milliseconds. */
  readonly now?: (() => number) | undefined;
}

type Stage = "early" | "opening" | "ready" | "settled";

/** So many times its patience must still be to do, or the GPU could not make up for the time that it takes to load. */
const LEAST_LEFT = 2;

export class GpuScout {
  readonly patience: number;
  /** Why it is the CPU so far, or what came of it in the end. */
  reason: string;
  /** Of the CPU's work. */
  readonly clock: BusyClock;
  readonly #options: ScoutOptions;
  readonly #now: () => number;
  #stage: Stage = "early";
  #opening: Promise<void> | undefined;
  #gpu: Device | undefined;
  #sample: Sample | undefined;

  constructor(options: ScoutOptions) {
    const { patience, now = () => performance.now() } = options;
    this.patience = patience;
    this.reason = `a GPU is tried after ${patience / 1000} s of work`;
    this.clock = new BusyClock(now);
    this.#options = options;
    this.#now = now;
  }

  /** It is the CPU, unless it is settled already. */
  stay(reason: string): void {
    if (this.#stage === "settled") return;
    this.#stage = "settled";
    this.reason = reason;
  }

  /** Opens the GPU where it is time to. */
  look(): void {
    const { expectedBytes = Number.POSITIVE_INFINITY, openGpu } = this.#options;
    if (this.#stage !== "early" || this.clock.busy < this.patience) return;
    if ((expectedBytes - this.clock.bytes) / this.clock.speed < LEAST_LEFT * this.patience) {
      this.stay("too little work was left for a GPU");
      return;
    }
    this.#stage = "opening";
    this.reason = "the work was done before the GPU was tried";
    this.#opening = openGpu().then(
      (gpu) => {
        if (this.#stage !== "opening") {
          gpu.close();
          return;
        }
        this.#gpu = gpu;
        this.#stage = "ready";
      },
      (error) => this.stay(messageOf(error)),
    );
  }

  /** Settles when no GPU is being opened. Never rejects. */
  async opened(): Promise<void> {
    await this.#opening;
  }

  /** Remembers the window, if it is like most: not one that a slow stream, or the end of a file, has left short. */
  see(window: Window, of: Omit<Sample, "window" | "content">): void {
    if (this.#stage !== "ready" || this.#sample) return;
    if (window.ranges.length > 0 && window.length >= of.windowBytes / 2) this.#sample = sampleOf(window, of);
  }

  /** Whether there are a GPU and a window to time. */
  get canDecide(): boolean {
    return this.#stage === "ready" && this.#sample !== undefined;
  }

  /** Times both, and gives the GPU if it is faster. Nothing else is under way meanwhile. Never rejects. */
  async decide(): Promise<Device | undefined> {
    const [gpu, sample] = [this.#gpu!, this.#sample!];
    this.#gpu = undefined;
    this.#sample = undefined;
    try {
      const speeds = [
        await this.#speed(async () => gpu, sample),
        await this.#speed(this.#options.openRival, sample),
      ];
      this.stay(`GPU ${rate(speeds[0]!)}, CPU ${rate(speeds[1]!)}`);
      if (speeds[0]! <= speeds[1]!) return undefined;
      // The one that was timed has counted windows in its sums that are none of the work's.
      return await this.#options.openGpu();
    } catch (error) {
      this.#stage = "settled";
      this.reason = failureOf(error);
      return undefined;
    }
  }

  close(): void {
    this.stay(this.reason);
    this.#gpu?.close();
  }

  async #speed(open: () => Promise<Device>, sample: Sample): Promise<number> {
    const device = await open();
    try {
      return await speedOf(device, sample, this.#now);
    } finally {
      device.close();
    }
  }
}

/** What `reason` says of a GPU that fails. */
export const failureOf = (error: unknown): string => `the GPU failed: ${messageOf(error)}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `5.12 GB/s`. */
const rate = (bytesPerSecond: number): string => `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s`;
