/** @file The compiled kernels of a program: one set for each way in which tensors' channels lie. */
import type { Channels } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import type { Gpu, HeldArray, KernelOf } from "./gpu.ts";
import type { Flat, KernelStep } from "./kernel-source.ts";
import { channelsOnDevice } from "./passes.ts";
import type { DeviceArray } from "./staging.ts";

/** Makes a program's kernels as text. `channels` where the program asks which channel an element is in. */
export type KernelsOf = (program: Program, channels: Channels | null) => readonly KernelStep[];

/** A program's kernels for some tensors, ready to run. */
export class KernelSet<Held extends HeldArray = DeviceArray> {
  readonly #steps: readonly KernelStep[];
  readonly #kernels: readonly KernelOf<Held>[];

  private constructor(steps: readonly KernelStep[], kernels: readonly KernelOf<Held>[]) {
    this.#steps = steps;
    this.#kernels = kernels;
  }

  static async compile<Held extends HeldArray>(
    gpu: Gpu<Held>,
    steps: readonly KernelStep[],
  ): Promise<KernelSet<Held>> {
    const kernels: KernelOf<Held>[] = [];
    try {
      for (const { kernel } of steps) kernels.push(await gpu.kernel(kernel));
    } catch (error) {
      for (const kernel of kernels) kernel.dispose();
      throw error;
    }
    return new KernelSet(steps, kernels);
  }

  /** How many arrays they keep on the device, at most each as long as their inputs. */
  get arrays(): number {
    return this.#steps.length;
  }

  /** Starts all of them, and gives what leaves the device: one array for each step whose result is no inner one. */
  async start(inputs: readonly Held[], flat: Flat): Promise<readonly Held[]> {
    const results: Held[] = [];
    for (const [i, { reads, takes, resultLength }] of this.#steps.entries()) {
      const values = [...inputs, ...reads.map((read) => results[read]!), ...takes.map((name) => flat[name])];
      results.push(await this.#kernels[i]!.start(values, resultLength(flat)));
    }
    return results.filter((_, i) => this.#steps[i]!.result.kind !== "inner");
  }

  /**
   * Takes what `start` gave, once it is here.
   *
   * @param totals of each of the program's sums
   */
  take(
    arrays: readonly Float32Array[],
    flat: Flat,
    output: (values: Float32Array) => void,
    totals: readonly Float64Array[],
  ): void {
    const results = this.#steps.map(({ result }) => result).filter(({ kind }) => kind !== "inner");
    for (const [i, result] of results.entries()) {
      if (result.kind === "output") output(arrays[i]!);
      if (result.kind === "sum") result.add(arrays[i]!, flat, totals[result.index]!);
    }
  }

  dispose(): void {
    for (const kernel of this.#kernels) kernel.dispose();
  }
}

/** 0 and -0 are written alike, and are two constants. */
const bitsOf = (values: ArrayLike<number>): BigUint64Array =>
  new BigUint64Array(Float64Array.from(values).buffer);

/** All sets of a device. */
export class Kernels {
  readonly #gpu: Gpu;
  readonly #kernelsOf: KernelsOf;
  readonly #sets = new Map<string, KernelSet<HeldArray>>();

  constructor(gpu: Gpu, kernelsOf: KernelsOf) {
    this.#gpu = gpu;
    this.#kernelsOf = kernelsOf;
  }

  /** @throws GpuError where a kernel does not compile */
  async get(program: Program, channels: Channels | null): Promise<KernelSet<HeldArray>> {
    const own = channels && channelsOnDevice(channels);
    // The kernels hold the values of channels, which are not in the program's key.
    const values = program.channels.map(({ values }) => bitsOf(values).join()).join(";");
    const key = `${own?.count} ${own?.stride} ${values} ${program.key}`;
    const set = this.#sets.get(key) ?? (await KernelSet.compile(this.#gpu, this.#kernelsOf(program, own)));
    this.#sets.set(key, set);
    return set;
  }

  /** Gives back all but these, for each holds arrays on the device. None is at work. */
  keep(used: readonly KernelSet<HeldArray>[]): void {
    for (const [key, set] of this.#sets) {
      if (used.includes(set)) continue;
      set.dispose();
      this.#sets.delete(key);
    }
  }
}
