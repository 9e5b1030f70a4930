/** @file How fast numbers get to the GPU, through a kernel, and back: what `sluice doctor` shows. */
import type { GpuJs } from "./gpu-js.ts";
import type { KernelSource } from "./kernel-source.ts";
import { BufferUsage, type GPUBuffer, MapMode } from "./webgpu.ts";

/** Bytes per second. */
export interface GpuRates {
  /** Copied into memory that the device reads, and by it into its own. */
  readonly upload: number;
  /** Leaky ReLU over arrays that stay on the device: bytes read, or as many written. */
  readonly compute: number;
  /** The way of an upload back. */
  readonly download: number;
}

const BYTES = 16 * 1024 * 1024;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;
/** The kernel that is timed. */
export const LEAKY_RELU: KernelSource = {
  source:
    "function (x) { return x[this.thread.x] > 0 ? x[this.thread.x] : this.constants.slope * x[this.thread.x]; }",
  constants: { slope: { float: 0.01 } },
  arguments: ["array"],
};
/** Milliseconds that each of the three is repeated for. */
const TIMED = 100;

/** Takes half a second, and longer where there is no real GPU. @throws GpuError */
export async function measureRates(gpu: GpuJs): Promise<GpuRates> {
  const { queue } = gpu;
  const { device } = queue;
  const bytes = Math.min(BYTES, gpu.info.arrayBytes);
  const length = bytes / FLOAT;
  const { MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST, STORAGE } = BufferUsage;
  const make = (usage: number): Promise<GPUBuffer> =>
    queue.make(() => device.createBuffer({ size: bytes, usage }));
  const kernel = await gpu.kernel(LEAKY_RELU);
  const source = await make(MAP_WRITE | COPY_SRC);
  const array = await make(STORAGE | COPY_DST | COPY_SRC);
  const target = await make(MAP_READ | COPY_DST);
  const copy = async (from: GPUBuffer, to: GPUBuffer): Promise<void> => {
    const { checked } = await queue.submit(async () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      device.queue.submit([encoder.finish()]);
    });
    await checked;
  };
  const host = new Uint8Array(bytes);
  const rate = async (once: () => Promise<void>): Promise<number> => (1000 * bytes) / (await timeOf(once));
  try {
    return {
      upload: await rate(async () => {
        await source.mapAsync(MapMode.WRITE);
        new Uint8Array(source.getMappedRange()).set(host);
        source.unmap();
        await copy(source, array);
        await device.queue.onSubmittedWorkDone();
      }),
      compute: await rate(async () => {
        const { checked } = await queue.submit(() => kernel.start([{ buffer: array, length }], length));
        await checked;
        await device.queue.onSubmittedWorkDone();
      }),
      download: await rate(async () => {
        await copy(array, target);
        await target.mapAsync(MapMode.READ);
        host.set(new Uint8Array(target.getMappedRange()));
        target.unmap();
      }),
    };
  } catch (error) {
    throw await queue.explain(error);
  } finally {
    kernel.dispose();
    for (const buffer of [source, array, target]) buffer.destroy();
  }
}

/** Milliseconds of the fastest: what else the machine does only ever adds. */
export async function timeOf(once: () => Promise<void>): Promise<number> {
  // The first one compiles, and touches memory that is new.
  await once();
  let fastest = Number.POSITIVE_INFINITY;
  const end = performance.now() + TIMED;
  do {
    const start = performance.now();
    await once();
    fastest = Math.min(fastest, performance.now() - start);
  } while (performance.now() < end);
  return fastest;
}
