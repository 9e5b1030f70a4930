/** @file One of the first windows, computed again and again on a device to see how fast it is. Its results are thrown away. */
import { availableParallelism } from "node:os";
import type { Device, Window } from "../device.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";

/** A window, and all that it takes to compute it. */
export interface Sample {
  readonly program: Program;
  readonly tensors: readonly TensorColumn[];
  /** Of the device that it was cut for. */
  readonly windowBytes: number;
  /** Nothing is written, so whatever happens here leaves no trace. */
  readonly window: Omit<Window, "slot" | "write">;
  /** What is in the slot before it is computed, unless it is read from a file. */
  readonly content: Uint8Array | undefined;
}

/** Milliseconds for which windows are begun: first without counting, for kernels, buffers and pages; then to be counted. */
const TIMES = { warm: 30, counted: 100 };
/** Windows that are under way at once, where the device has slots for them: as many as a CPU device has. */
const UNDER_WAY = 2 * availableParallelism() + 1;

export function sampleOf(window: Window, of: Omit<Sample, "window" | "content">): Sample {
  const { slot, write: _, ...rest } = window;
  return { ...of, window: rest, content: window.read ? undefined : slot.bytes.slice() };
}

/** Bytes per second, over windows like this one. The device is used for nothing else before or afterwards. */
export async function speedOf(device: Device, sample: Sample, now: () => number): Promise<number> {
  const { program, tensors, windowBytes, window, content } = sample;
  await device.prepare(program, tensors);
  if (device.windowBytes < windowBytes) device.resize(windowBytes);
  /** Computes windows for so long, at least one for each slot; gives how many. */
  const compute = async (milliseconds: number): Promise<number> => {
    const end = now() + milliseconds;
    let windows = 0;
    const loop = async (): Promise<void> => {
      for (let first = true; first || now() < end; first = false) {
        const slot = await device.acquire();
        try {
          // Somebody else's slot, and others were quicker.
          if (windows > 0 && now() >= end) return;
          windows++;
          if (content) slot.bytes.set(content.subarray(0, slot.bytes.length));
          await device.run({ ...window, slot });
        } finally {
          device.release(slot);
        }
      }
    };
    const outcomes = await Promise.allSettled(Array.from({ length: UNDER_WAY }, loop));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    return windows;
  };
  await compute(TIMES.warm);
  const start = now();
  const windows = await compute(TIMES.counted);
  return (1000 * windows * window.length) / (now() - start);
}
