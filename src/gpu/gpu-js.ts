/**
 * @file WebGPU through gpu.js: a typed facade over what we use of its mode `webgpu`, with a comment at each of its traps.
 * gpu.js translates kernels to WGSL, compiles them and starts them.
 */
import { GpuError } from "../errors.ts";
import { findWebGpu, withNavigatorGpu } from "./adapter.ts";
import { buildAsync, type KernelInside } from "./build.ts";
import type { Extent, Gpu, GpuInfo, KernelOf } from "./gpu.ts";
import { checkArguments, isArray, lengthOf, notCompiled, settingsOf } from "./kernel-settings.ts";
import type { ArgumentKind, KernelSource } from "./kernel-source.ts";
import { type GpuRates, measureRates } from "./measure.ts";
import { loadPeer } from "./peers.ts";
import { GpuQueue } from "./queue.ts";
import { type DeviceArray, Staging } from "./staging.ts";
import type { GPUAdapter, GPUBuffer, GPUDevice } from "./webgpu.ts";

/** What we use of gpu.js' exports; its published types say little of its WebGPU mode. */
interface GpuJsModule {
  readonly GPU: new (settings: {
    mode: "webgpu";
  }) => {
    createKernel(source: string, settings: Readonly<Record<string, unknown>>): Shortcut;
  };
  readonly WebGPUContext: { acquire(): Promise<Context> };
  readonly WebGPUBufferResult: new (of: {
    buffer: GPUBuffer;
    output: readonly number[];
    context: Context;
    kernel: undefined;
  }) => BufferResult;
  input(values: Float32Array, size: readonly number[]): object;
}

/** The adapter and the device that all of gpu.js in a process shares. */
interface Context {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
}

interface Shortcut {
  (...values: readonly unknown[]): Promise<BufferResult>;
  readonly kernel: KernelInside;
  build(...values: readonly unknown[]): Promise<void>;
  setOutput(output: readonly number[]): void;
  destroy(): void;
}

/** An array on the device. */
interface BufferResult {
  /** `_refs` is gpu.js' count of those who share the buffer. */
  readonly buffer: GPUBuffer & { _refs?: number };
  delete(): void;
}

/** Starts over arrays within `GpuQueue.submit`. */
export type GpuKernel = KernelOf<DeviceArray>;

export interface GpuJs extends Gpu<DeviceArray> {
  readonly queue: GpuQueue;
}

/** @throws GpuError where a package is missing, or there is no adapter */
export async function openGpuJs(): Promise<GpuJs> {
  const gpu = await findWebGpu();
  const module = await loadPeer<GpuJsModule>("gpu.js");
  // It looks for navigator.gpu in the constructor, and in `acquire` before that waits for anything.
  const [gpuJs, acquired] = withNavigatorGpu(
    gpu,
    () => [new module.GPU({ mode: "webgpu" }), module.WebGPUContext.acquire()] as const,
  );
  const context = await acquired.catch((cause: Error) => {
    throw new GpuError("There is no GPU that WebGPU can use", {
      cause,
      remedy:
        "Install a Vulkan driver (Linux), or a software one such as SwiftShader; or compute on the CPU: --device cpu.",
    });
  });
  return new Facade(module, gpuJs, context);
}

/** gpu.js has one device for the process, and so there is one queue for all who open it. */
const queues = new WeakMap<Context, GpuQueue>();

class Facade implements GpuJs {
  readonly info: GpuInfo;
  readonly queue: GpuQueue;
  readonly #module: GpuJsModule;
  readonly #gpuJs: InstanceType<GpuJsModule["GPU"]>;
  readonly #context: Context;
  readonly #kernels = new Set<GpuKernel>();
  #isClosed = false;

  constructor(module: GpuJsModule, gpuJs: InstanceType<GpuJsModule["GPU"]>, context: Context) {
    const { adapter, device } = context;
    this.#module = module;
    this.#gpuJs = gpuJs;
    this.#context = context;
    this.info = describe(adapter, device);
    this.queue = queues.get(context) ?? new GpuQueue(device, this.info.adapter);
    queues.set(context, this.queue);
  }

  async kernel(source: KernelSource): Promise<GpuKernel> {
    const { arguments: kinds } = source;
    let shortcut: Shortcut | undefined;
    try {
      const created = this.#gpuJs.createKernel(source.source, settingsOf(source));
      shortcut = created;
      const samples = kinds.map((kind) => (isArray(kind) ? this.#module.input(new Float32Array(1), [1]) : 0));
      // Built before the first run: until it is built, runs that overlap all get the length of the last one. In a turn, for
      // gpu.js prints what no error scope has caught.
      const build = () => created.build(...samples);
      const { result, checked } = await this.queue.submit(() =>
        buildAsync(this.#context.device, created.kernel, build),
      );
      await checked;
      // Out of the turn: others go on meanwhile.
      if (result.pipeline) created.kernel.computePipeline = await result.pipeline;
    } catch (cause) {
      shortcut?.destroy();
      throw this.queue.isLost ? await this.queue.explain(cause) : notCompiled(cause as Error);
    }
    const built = shortcut;
    if (this.#isClosed) {
      built.destroy();
      throw new GpuError("The GPU was closed while it compiled");
    }
    const kernel: GpuKernel = {
      start: (values, length) => this.#start(built, kinds, values, length),
      dispose: () => {
        if (this.#kernels.delete(kernel)) built.destroy();
      },
    };
    this.#kernels.add(kernel);
    return kernel;
  }

  async #start(
    shortcut: Shortcut,
    kinds: readonly ArgumentKind[],
    values: readonly (DeviceArray | number)[],
    extent: Extent,
  ): Promise<DeviceArray> {
    const length = lengthOf(extent);
    checkArguments(kinds, values, length);
    const given = values.map((value) =>
      typeof value === "number"
        ? value
        : new this.#module.WebGPUBufferResult({
            buffer: value.buffer,
            output: [value.length],
            context: this.#context,
            kernel: undefined,
          }),
    );
    shortcut.setOutput(typeof extent === "number" ? [extent] : extent);
    const result = await shortcut(...given);
    // Gives up our share of it; the kernel keeps its own, and uses it again.
    result.delete();
    // Each handle counts as a share of its buffer, and `delete` would destroy one that is not gpu.js' own.
    for (const handle of given) if (typeof handle !== "number") handle.buffer._refs!--;
    return { buffer: result.buffer, length };
  }

  staging(): Staging {
    return new Staging(this.queue);
  }

  rates(): Promise<GpuRates> {
    return measureRates(this);
  }

  close(): void {
    this.#isClosed = true;
    for (const kernel of this.#kernels) kernel.dispose();
  }
}

function describe({ info }: GPUAdapter, { limits }: GPUDevice): GpuInfo {
  return {
    api: "webgpu",
    adapter: info.description || info.device || info.vendor || "an adapter without a name",
    isSoftware: info.isFallbackAdapter === true,
    arrayBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}
