/** WebGPU in Node: put in place for a moment, and nothing of it is left behind. Needs a GPU. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { findWebGpu, withNavigatorGpu } from "../../src/gpu/adapter.ts";
import { openGpuJs } from "../../src/gpu/gpu-js.ts";
import type { GPU } from "../../src/gpu/webgpu.ts";

const GPU_JS = new URL("../../src/gpu/gpu-js.ts", import.meta.url).href;
const gpu = { requestAdapter: async () => null } satisfies GPU;
const seen = (): unknown => (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu;
const own = Object.getOwnPropertyDescriptor(globalThis, "navigator");

function define(descriptor: PropertyDescriptor): void {
  Object.defineProperty(globalThis, "navigator", { ...descriptor, configurable: true });
}

afterEach(() => {
  if (own) Object.defineProperty(globalThis, "navigator", own);
  else Reflect.deleteProperty(globalThis, "navigator");
});

describe("navigator.gpu", () => {
  it("is there while gpu.js looks for it, and gone afterwards", () => {
    expect(withNavigatorGpu(gpu, seen)).toBe(gpu);
    expect(Object.getOwnPropertyDescriptor(globalThis, "navigator")).toEqual(own);
  });

  it("is gone, too, where gpu.js throws", () => {
    const fail = (): never => {
      throw new Error("no");
    };
    expect(() => withNavigatorGpu(gpu, fail)).toThrow("no");
    expect(Object.getOwnPropertyDescriptor(globalThis, "navigator")).toEqual(own);
  });

  it.each([
    ["a getter, as in Node 21", { get: () => ({ hardwareConcurrency: 2 }), enumerable: true }],
    ["a value", { value: { userAgent: "x" }, writable: true, enumerable: false }],
  ])("leaves a navigator that is %s as it was", (_, descriptor) => {
    define(descriptor);
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    expect(withNavigatorGpu(gpu, seen)).toBe(gpu);
    expect(Object.getOwnPropertyDescriptor(globalThis, "navigator")).toEqual(before);
  });

  it("of the host is used as it is", async () => {
    const navigator = { gpu };
    define({ value: navigator, enumerable: true });
    expect(await findWebGpu()).toBe(gpu);
    expect(withNavigatorGpu(gpu, () => (globalThis as { navigator?: unknown }).navigator)).toBe(navigator);
  });
});

it("opening a GPU leaves globalThis and the environment as they were", async () => {
  const state = (): unknown => [
    Object.entries(Object.getOwnPropertyDescriptors(globalThis)).sort(([a], [b]) => (a < b ? -1 : 1)),
    { ...process.env },
  ];
  // Node puts it in place when it is first read, and Dawn reads it.
  expect(DOMException.name).toBe("DOMException");
  const before = state();
  const opened = await openGpuJs();
  const whileOpen = state();
  opened.close();
  expect(whileOpen).toEqual(before);
  expect(state()).toEqual(before);
});

it("a worker thread gets no GPU, for to terminate it would end the process", async () => {
  const script = `
    const { parentPort } = require("node:worker_threads");
    import("tsx/esm/api").then(async ({ tsImport }) => {
      const { openGpuJs } = await tsImport(${JSON.stringify(GPU_JS)}, ${JSON.stringify(import.meta.url)});
      await openGpuJs().catch(({ code, message }) => parentPort.postMessage({ code, message }));
    });
  `;
  const worker = new Worker(script, { eval: true });
  const [said] = await once(worker, "message");
  await worker.terminate();
  expect(said).toEqual({
    code: "ERR_GPU",
    message: "A GPU is used from the main thread alone, and this is a worker thread",
  });
});
