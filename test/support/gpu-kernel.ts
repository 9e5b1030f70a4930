/** @file One kernel on the GPU, over arrays of the test; and what it leaves there. */
import { onTestFinished } from "vitest";
import type { Gpu, HeldArray, KernelOf } from "../../src/gpu/gpu.ts";
import type { GPUBuffer, GPUDevice } from "../../src/gpu/webgpu.ts";

/** What the kernel makes of its arguments, `length` elements. Runs may overlap. */
export async function runGpuKernel<Held extends HeldArray>(
  gpu: Gpu<Held>,
  kernel: KernelOf<Held>,
  values: readonly (Float32Array | number)[],
  length: number,
): Promise<Float32Array> {
  const arrays = values.filter((value) => typeof value !== "number");
  const lengths = arrays.map((array) => array.length);
  const staging = gpu.staging();
  const result = new Float32Array(length);
  try {
    for (const [i, target] of (await staging.open(lengths)).entries()) target.set(arrays[i]!);
    const start = async (sent: readonly Held[]): Promise<Held[]> => {
      let next = 0;
      const given = values.map((value) => (typeof value === "number" ? value : sent[next++]!));
      return [await kernel.start(given, length)];
    };
    await staging.run(lengths, start, ([found]) => result.set(found!));
  } finally {
    staging.close();
  }
  return result;
}

/** Counts the buffers that are made from here to the end of the test, and those of them that are not destroyed. */
export function watchBuffers(device: GPUDevice): {
  readonly made: () => number;
  readonly live: () => number;
} {
  const live = new Set<GPUBuffer>();
  let made = 0;
  const create = device.createBuffer;
  device.createBuffer = (descriptor) => {
    const buffer = create.call(device, descriptor);
    const { destroy } = buffer;
    buffer.destroy = () => {
      live.delete(buffer);
      destroy.call(buffer);
    };
    live.add(buffer);
    made++;
    return buffer;
  };
  onTestFinished(() => {
    Reflect.deleteProperty(device, "createBuffer");
  });
  return { made: () => made, live: () => live.size };
}
