/** @file Opens the GPU device: through WebGPU, or where there is none through headless-gl, if it is installed. */
import { isMainThread } from "node:worker_threads";
import { GpuError, UsageError } from "../errors.ts";
import { GpuDevice, type GpuOptions } from "./device.ts";
import type { Gpu } from "./gpu.ts";
import { openGpuJs } from "./gpu-js.ts";
import { loadPeer } from "./peers.ts";
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
  return new GpuDevice(await openGpu(), programKernels, options);
}

/** @throws GpuError where there is neither, with what to install */
export async function openGpu(): Promise<Gpu> {
  let missing: GpuError;
  try {
    // Its arrays come back to it alone.
    return (await openGpuJs()) as Gpu;
  } catch (error) {
    if (!(error instanceof GpuError) || !(await isHeadlessGlBuilt())) throw error;
    missing = error;
  }
  const { openHeadlessGl } = await import("./headless-gl.ts");
  try {
    return (await openHeadlessGl()) as Gpu;
  } catch (cause) {
    if (!(cause instanceof GpuError)) throw cause;
    const { message, remedy } = cause;
    throw new GpuError(`${missing.message}, and in its place: ${message}`, {
      cause,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/** gpu.js brings it along, but unbuilt where no scripts may run. Only one thread of a process can load it. */
async function isHeadlessGlBuilt(): Promise<boolean> {
  if (!isMainThread) return false;
  return loadPeer("gl").then(
    () => true,
    () => false,
  );
}
