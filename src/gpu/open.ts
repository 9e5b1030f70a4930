/** @file Opens the GPU device. */
import { UsageError } from "../errors.ts";
import { GpuDevice, type GpuOptions } from "./device.ts";
import { openGpuJs } from "./gpu-js.ts";
import { programKernels } from "./program-kernels.ts";

/** Bytes in which two of the smallest windows fit, of the largest program. */
const LEAST_MEMORY = 64 * 1024;

/** @throws GpuError where a package is missing or there is no adapter, with what to install */
export async function openGpuDevice(options: GpuOptions): Promise<GpuDevice> {
  const { memory } = options;
  if (memory < LEAST_MEMORY) {
    throw new UsageError(`${memory} bytes of memory are too few to work in`, {
      remedy: `Give at least ${LEAST_MEMORY / 1024}KiB (with --memory).`,
    });
  }
  return new GpuDevice(await openGpuJs(), programKernels, options);
}
