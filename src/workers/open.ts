/** @file Opens the CPU device that suits the size of the work, loading no more code than that one needs. */
import type { Device } from "../device.ts";
import { UsageError } from "../errors.ts";
import type { CpuOptions } from "./cpu.ts";

/** Bytes in which every device can work: two small windows, one that is filled while the other one is computed. */
export const LEAST_MEMORY = 128 * 1024;

/** Work up to this size is over before a kernel would be compiled. */
const SMALL_BYTES = 64 * 1024;

export async function openOnCpu(options: CpuOptions): Promise<Device> {
  const { expectedBytes, memory } = options;
  if (memory < LEAST_MEMORY) {
    throw new UsageError(`${memory} bytes of memory are too few to work in`, {
      remedy: `Give at least ${LEAST_MEMORY / 1024}KiB (with --memory).`,
    });
  }
  if (expectedBytes !== undefined && expectedBytes <= SMALL_BYTES) {
    const { openSmallDevice } = await import("./small.ts");
    return openSmallDevice();
  }
  const { openCpuDevice } = await import("./cpu.ts");
  return openCpuDevice(options);
}
