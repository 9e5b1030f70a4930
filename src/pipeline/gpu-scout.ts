/**
 * @file Finds out for `auto` whether a GPU is worth having: not before the CPU has been at work for a while, and by timing one
 * of the windows on both. The CPU goes on while the GPU is opened and compiles, which may take minutes for a long chain.
 *
 * ```text
 *   early --- patience is over ---> opening --- it has its kernels ---> ready --- a window is timed on both ---> settled: one
 *     |                                |                                  |
 *     +-- little is left --------------+-- there is none, or it fails ----+-- little is left ----------------> settled: the CPU
 * ```
 */
import type { Device, Window } from "../device.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { BusyClock } from "./busy-clock.ts";
import { type Sample, sampleOf, speedOf } from "./trial.ts";

/** What is to be computed. */
export interface Work {
  readonly program: Program;
  readonly tensors: readonly TensorColumn[];
}

/** A device that can be timed before it gets the work. */
export interface Candidate extends Device {
  /** What was computed so far is none of the work: the sums begin anew. No window is under way. */
  forgetSums(): void;
}

export interface ScoutOptions {
  readonly openGpu: () => Promise<Candidate>;
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
  #gpu: Candidate | undefined;
  #work: Work | undefined;
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
    this.#gpu?.close();
    this.#gpu = undefined;
  }

  /** What is to be computed from here on. Does not wait for the GPU to compile it. */
  prepare(work: Work): void {
    this.#work = work;
    if (this.#stage !== "ready") return;
    this.#sample = undefined;
    this.#stage = "opening";
    this.#opening = this.#compile(this.#gpu!);
  }

  /** Opens the GPU where it is time to. */
  look(): void {
    if (this.#stage !== "early" || this.clock.busy < this.patience) return;
    if (this.#isLittleLeft()) {
      this.stay(LITTLE_LEFT);
      return;
    }
    this.#stage = "opening";
    this.reason = "the work was done before the GPU was tried";
    this.#opening = this.#open();
  }

  async #open(): Promise<void> {
    try {
      const gpu = await this.#options.openGpu();
      if (this.#stage !== "opening") return gpu.close();
      this.#gpu = gpu;
    } catch (error) {
      return this.stay(messageOf(error));
    }
    await this.#compile(this.#gpu);
  }

  /** Has the GPU make the kernels for what is to be computed by then. */
  async #compile(gpu: Device): Promise<void> {
    try {
      while (this.#stage === "opening") {
        const work = this.#work!;
        await gpu.prepare(work.program, work.tensors);
        if (this.#stage === "opening" && work === this.#work) this.#stage = "ready";
      }
    } catch (error) {
      this.stay(failureOf(error));
    }
  }

  /** Settles when no GPU is being opened. Never rejects. */
  async opened(): Promise<void> {
    await this.#opening;
  }

  /** Remembers the window, if it is like most: not one that a slow stream, or the end of a file, has left short. */
  see(window: Window, windowBytes: number): void {
    if (this.#stage !== "ready" || this.#sample) return;
    if (this.#isLittleLeft()) {
      this.stay(LITTLE_LEFT);
      return;
    }
    if (window.ranges.length === 0 || window.length < windowBytes / 2) return;
    this.#sample = sampleOf(window, { ...this.#work!, windowBytes });
  }

  /** Whether there are a GPU and a window to time. */
  get canDecide(): boolean {
    return this.#stage === "ready" && this.#sample !== undefined;
  }

  /** Times both, and gives the GPU if it is faster. Nothing else is under way meanwhile. Never rejects. */
  async decide(): Promise<Device | undefined> {
    const [gpu, sample] = [this.#gpu!, this.#sample!];
    this.#sample = undefined;
    try {
      const cpuSpeed = await this.#speedOfRival(sample);
      const gpuSpeed = await speedOf(gpu, sample, this.#now);
      const isFaster = gpuSpeed > cpuSpeed;
      // Chosen, it is the caller's.
      if (isFaster) this.#gpu = undefined;
      this.stay(`GPU ${rate(gpuSpeed)}, CPU ${rate(cpuSpeed)}`);
      if (!isFaster) return undefined;
      gpu.forgetSums();
      return gpu;
    } catch (error) {
      this.stay(failureOf(error));
      return undefined;
    }
  }

  close(): void {
    this.stay(this.reason);
  }

  async #speedOfRival(sample: Sample): Promise<number> {
    const rival = await this.#options.openRival();
    try {
      return await speedOf(rival, sample, this.#now);
    } finally {
      rival.close();
    }
  }

  #isLittleLeft(): boolean {
    const { expectedBytes = Number.POSITIVE_INFINITY } = this.#options;
    return (expectedBytes - this.clock.bytes) / this.clock.speed < LEAST_LEFT * this.patience;
  }
}

const LITTLE_LEFT = "too little work was left for a GPU";

/** What `reason` says of a GPU that fails. */
export const failureOf = (error: unknown): string => `the GPU failed: ${messageOf(error)}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `5.12 GB/s`. */
const rate = (bytesPerSecond: number): string => `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s`;
