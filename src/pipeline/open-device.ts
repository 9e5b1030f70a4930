/** @file Opens the device that was asked for, loading no code of the others. */
import type { Device } from "../device.ts";
import type { GpuDevice } from "../gpu/device.ts";
import { openOnCpu } from "../workers/open.ts";
import type { DeviceChoice } from "./options.ts";

export interface DeviceOptions {
  readonly device: DeviceChoice;
  /** Most worker threads of the CPU; default: one for each core. */
  readonly workers?: number | undefined;
  /** Bytes that data may take. */
  readonly memory: number;
  /** Bytes to come, where known. */
  readonly expectedBytes?: number | undefined;
}

/** A core takes less than a second for so many, even for a long chain: a GPU would not be up by then. */
const SMALL_BYTES = 32 * 1024 * 1024;

/** Milliseconds that `auto` lets the CPU work before it looks for a GPU: about twice what it takes to load one. */
const PATIENCE = 1000;

/** @throws UsageError; for `"gpu"` GpuError, which says what to install */
export async function openDevice({ device, ...options }: DeviceOptions): Promise<Device> {
  const { workers, memory, expectedBytes } = options;
  if (device === "cpu") return openOnCpu(options);
  if (device === "gpu") return openOnGpu(memory, expectedBytes);
  const patience = patienceOf(process.env.SLUICE_AUTO_AFTER);
  const cpu = await openOnCpu(options);
  if (patience > 0 && expectedBytes !== undefined && expectedBytes < SMALL_BYTES) {
    return Object.assign(cpu, { reason: "too little work for a GPU" });
  }
  const { AutoDevice } = await import("./auto-device.ts");
  // What is tried gets half as much memory again.
  const half = Math.floor(memory / 2);
  return new AutoDevice({
    ...{ cpu, expectedBytes, patience },
    openRival: () => openOnCpu({ workers, memory: half, expectedBytes: Number.POSITIVE_INFINITY }),
    openGpu: () => openOnGpu(half, expectedBytes),
  });
}

/** For tests and benchmarks it can be set; 0 tries the GPU before anything else is done. */
function patienceOf(text: string | undefined): number {
  const milliseconds = text === undefined ? Number.NaN : Number(text);
  return milliseconds >= 0 ? milliseconds : PATIENCE;
}

async function openOnGpu(memory: number, expectedBytes: number | undefined): Promise<GpuDevice> {
  const { openGpuDevice } = await import("../gpu/open.ts");
  return openGpuDevice({ memory, expectedBytes });
}
