/** @file The device's queue: who hands work to it takes turns, and learns of errors that would else end in wrong numbers. */
import { GpuError } from "../errors.ts";
import type { GPUDevice } from "./webgpu.ts";

/** What was handed over, and whether the device could take it: rejects with GpuError. */
export interface Submitted<Result> {
  readonly result: Result;
  readonly checked: Promise<void>;
}

const REMEDIES = {
  validation: "Report it, with this message; until then compute on the CPU: --device cpu.",
  "out-of-memory": "Give it less at a time (--memory 64MiB), or compute on the CPU: --device cpu.",
  internal: "Update the driver, or compute on the CPU: --device cpu.",
} as const;
const FILTERS = Object.keys(REMEDIES) as (keyof typeof REMEDIES)[];

/**
 * WebGPU calls do not throw: an allocation that fails makes a buffer that is none, work on it is dropped, and what is read
 * back is zeros. Only error scopes tell (WebGPU, section 22.3). They are one stack for the whole device, and so are the
 * turns.
 */
export class GpuQueue {
  readonly device: GPUDevice;
  readonly #adapter: string;
  #turn: Promise<unknown> = Promise.resolve();
  #lost: string | undefined;

  constructor(device: GPUDevice, adapter: string) {
    this.device = device;
    this.#adapter = adapter;
    void device.lost.then(({ message, reason }) => {
      this.#lost = message || reason;
    });
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Does `work`, which hands things to the device but does not wait for it, when all such before it is done. */
  submit<Result>(work: () => Promise<Result>): Promise<Submitted<Result>> {
    const turn = this.#turn.then(async () => {
      for (const filter of FILTERS) this.device.pushErrorScope(filter);
      try {
        const result = await work();
        return { result, checked: this.#popScopes() };
      } catch (error) {
        await this.#popScopes().catch(() => {});
        throw error;
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Makes something on the device. @throws GpuError */
  async make<Made>(make: () => Made): Promise<Made> {
    const { result, checked } = await this.submit(async () => make());
    await checked;
    return result;
  }

  /** A GpuError that says what happened to the device. */
  async explain(cause: unknown): Promise<GpuError> {
    // That a device is lost is told after what was under way has failed.
    if (!this.isLost) await new Promise(setImmediate);
    if (this.#lost !== undefined) {
      return new GpuError(`The GPU was lost: ${this.#adapter}: ${this.#lost}`, {
        cause,
        remedy: "Run it again: its driver may have been reset. Or compute on the CPU: --device cpu.",
      });
    }
    if (cause instanceof GpuError) return cause;
    return new GpuError(`The GPU failed: ${this.#adapter}: ${(cause as Error).message || String(cause)}`, {
      cause,
      remedy: REMEDIES.internal,
    });
  }

  async #popScopes(): Promise<void> {
    const popped = FILTERS.toReversed().map(async (filter) => ({
      filter,
      error: await this.device.popErrorScope(),
    }));
    for (const { filter, error } of await Promise.all(popped)) {
      if (!error) continue;
      const problem = `The GPU refused the work: ${this.#adapter}: ${error.message}`;
      throw new GpuError(problem, { remedy: REMEDIES[filter] });
    }
  }
}
