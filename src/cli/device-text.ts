/** @file What computed, in words. */
import type { Progress } from "../pipeline/options.ts";
import { printable } from "./text.ts";

/** `on the GPU (GPU 8.12 GB/s, CPU 5.31 GB/s)` and `on the GPU`, the longest first; nothing for a CPU that nobody doubted. */
export function describeDevice({
  device,
  deviceApi,
  deviceReason,
}: Pick<Progress, "device" | "deviceReason"> & Partial<Progress>): readonly string[] {
  const way = deviceApi === "headless-gl" ? " through headless-gl" : "";
  const short = `on the ${device.toUpperCase()}${way}`;
  if (deviceReason !== undefined) return [`${short} (${printable(deviceReason)})`, short];
  return device === "cpu" ? [] : [short];
}
