/** @file Counts the buffers of a GPU that are made and not given back. */
import type { GPUBuffer, GPUDevice } from "../../src/gpu/webgpu.ts";

export interface LiveBuffers {
  /** Those that there are. */
  readonly live: number;
  /** Those that were ever made. */
  readonly made: number;
  /** Stops counting. */
  restore(): void;
}

export function countBuffers(device: GPUDevice): LiveBuffers {
  const live = new Set<GPUBuffer>();
  let made = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    made++;
    live.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      destroy();
    };
    return buffer;
  };
  return {
    get live() {
      return live.size;
    },
    get made() {
      return made;
    },
    restore: () => void Reflect.deleteProperty(device, "createBuffer"),
  };
}
