/** @file What `sluice doctor` says of the GPU. */
import type { SluiceError } from "../errors.ts";
import type { GpuInfo } from "./gpu.ts";
import type { GpuRates } from "./measure.ts";
import { openGpu } from "./open.ts";

export type GpuDescription =
  | { readonly found: false; readonly why: string; readonly remedy: string }
  | ({ readonly found: true; readonly rates: GpuRates } & GpuInfo);

/** Looks for a GPU and measures it. Never rejects. */
export async function describeGpu(): Promise<GpuDescription> {
  try {
    const gpu = await openGpu();
    try {
      return { found: true, ...gpu.info, rates: await gpu.rates() };
    } finally {
      gpu.close();
    }
  } catch (error) {
    const { message, remedy = "Compute on the CPU: --device cpu." } = error as SluiceError;
    return { found: false, why: message, remedy };
  }
}
