/** @file WebGPU in this process: the host's own where it has one, else Dawn's, put in place of it for a moment. */
import { tmpdir } from "node:os";
import { isMainThread } from "node:worker_threads";
import { GpuError } from "../errors.ts";
import { loadPeer } from "./peers.ts";
import type { GPU } from "./webgpu.ts";

/** Kept for good: Dawn frees what its devices stand on when this object is collected, and the process aborts. */
let dawn: GPU | undefined;

/** `navigator.gpu` of a browser-like host; otherwise the one of the package webgpu. @throws GpuError where there is none */
export async function findWebGpu(): Promise<GPU> {
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
  if (navigator?.gpu) return navigator.gpu;
  // Dawn aborts the whole process where a thread is terminated while the GPU works for it.
  if (!isMainThread) {
    throw new GpuError("A GPU is used from the main thread alone, and this is a worker thread", {
      remedy: 'Use it from the main thread, or compute on the CPU: --device cpu (in the API: device: "cpu").',
    });
  }
  const { create } = await loadPeer<{ create(options: readonly string[]): GPU }>("webgpu");
  dawn ??= create([]);
  return dawn;
}

/**
 * Calls `use` while `navigator.gpu` is `gpu`, where gpu.js looks for it. Since `use` does not wait, nothing else in the
 * process runs meanwhile, and nobody sees it.
 */
export function withNavigatorGpu<Result>(gpu: GPU, use: () => Result): Result {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  if ((globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu === gpu) return use();
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  try {
    return withRuntimeDirectory(use);
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else Reflect.deleteProperty(globalThis, "navigator");
  }
}

/** Where no desktop runs there is no XDG_RUNTIME_DIR, and a Vulkan layer of Mesa complains of that on stderr. */
function withRuntimeDirectory<Result>(use: () => Result): Result {
  if (process.env.XDG_RUNTIME_DIR !== undefined) return use();
  process.env.XDG_RUNTIME_DIR = tmpdir();
  try {
    return use();
  } finally {
    delete process.env.XDG_RUNTIME_DIR;
  }
}
