/**
 * @file What the GPU device asks of a GPU, whichever way leads to it: WebGPU (`gpu-js.ts`), or headless-gl where there is no
 * WebGPU (`headless-gl.ts`). `Held` is an array on that GPU, which only it takes back.
 */
import type { GpuApi } from "../device.ts";
import type { KernelSource } from "./kernel-source.ts";
import type { GpuRates } from "./measure.ts";

export interface GpuInfo {
  readonly api: GpuApi;
  /** As people know it: `NVIDIA GeForce RTX 4090`, `SwiftShader`. */
  readonly adapter: string;
  /** Whether it computes in software, as far as can be known. */
  readonly isSoftware: boolean;
  /** Bytes that one array on the device may have. */
  readonly arrayBytes: number;
}

/** Elements of a result; of a plane its width and height. */
export type Extent = number | readonly [width: number, height: number];

/** Float32s on the device. */
export interface HeldArray {
  readonly length: number;
}

export interface KernelOf<Held extends HeldArray> {
  /** Starts it over arrays on the device, and gives the result's array, which the next start overwrites. */
  start(values: readonly (Held | number)[], length: Extent): Promise<Held>;
  dispose(): void;
}

/** The way of arrays to the device and back. Serves one piece of work at a time. */
export interface StagingOf<Held extends HeldArray> {
  /** Where to write arrays of these lengths, before `run`; each is at least 1. @throws GpuError */
  open(lengths: readonly number[]): Promise<readonly Float32Array[]>;
  /**
   * Sends what was written to the device, has `work` start kernels over it, and hands what they give to `take`, which
   * must not keep it. `work` and `take` wait for nothing else.
   *
   * @throws GpuError; nothing is under way any more
   */
  run(
    lengths: readonly number[],
    work: (arrays: readonly Held[]) => Promise<readonly Held[]>,
    take: (results: readonly Float32Array[]) => void,
  ): Promise<void>;
  /** Nothing of it is under way. */
  close(): void;
}

export interface Gpu<Held extends HeldArray = HeldArray> {
  readonly info: GpuInfo;
  /** Translates and compiles, while the process goes on. @throws GpuError with what gpu.js or the driver says */
  kernel(source: KernelSource): Promise<KernelOf<Held>>;
  staging(): StagingOf<Held>;
  /** @throws GpuError */
  rates(): Promise<GpuRates>;
  /** Nothing is under way but kernels that compile; these reject. */
  close(): void;
}
