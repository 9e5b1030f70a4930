/** @file Opens the device that suits the size of the work, loading no more code than that one needs. */
import type { Device } from "../device.ts";
import type { CpuOptions } from "./cpu.ts";

/** Work up to this size is over before a kernel would be compiled. */
const SMALL_BYTES = 64 * 1024;

export async function openDevice(options: CpuOptions): Promise<Device> {
  const { expectedBytes } = options;
  if (expectedBytes !== undefined && expectedBytes <= SMALL_BYTES) {
    const { openSmallDevice } = await import("./small.ts");
    return openSmallDevice();
  }
  const { openCpuDevice } = await import("./cpu.ts");
  return openCpuDevice(options);
}
