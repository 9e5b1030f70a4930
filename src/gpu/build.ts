/**
 * @file Builds a kernel of gpu.js while the process goes on. gpu.js asks for the pipeline in a call that returns when the
 * driver's compiler is done (`createComputePipeline`), which takes minutes for a long chain; what takes its place here is
 * the call of WebGPU that compiles beside us (section 10.3.1, `createComputePipelineAsync`).
 */
import type { GPUComputePipeline, GPUDevice } from "./webgpu.ts";

/** What is gpu.js' own in a kernel: both are null until they are made, the layout first and the pipeline right after it. */
export interface KernelInside {
  bindGroupLayout: unknown;
  computePipeline: GPUComputePipeline | null;
}

/** Gives the pipeline, to be waited for and put into the kernel; `undefined` where gpu.js has compiled it itself. */
export async function buildAsync(
  device: GPUDevice,
  kernel: KernelInside,
  build: () => Promise<void>,
): Promise<{ readonly pipeline: Promise<GPUComputePipeline> | undefined }> {
  let pipeline: Promise<GPUComputePipeline> | undefined;
  const before = Object.getOwnPropertyDescriptor(device, "createComputePipeline");
  const create = device.createComputePipeline;
  device.createComputePipeline = (descriptor) => {
    // Somebody else of the process may build with the same device: theirs is made as ever.
    if (pipeline || !kernel.bindGroupLayout) return create.call(device, descriptor);
    pipeline = device.createComputePipelineAsync(descriptor);
    // Where the rest of the build fails nobody waits for it.
    pipeline.catch(() => {});
    return null;
  };
  try {
    await build();
  } finally {
    if (before) Object.defineProperty(device, "createComputePipeline", before);
    else Reflect.deleteProperty(device, "createComputePipeline");
  }
  return { pipeline };
}
