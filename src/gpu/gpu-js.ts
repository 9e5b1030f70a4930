/**
 * @file The one place that knows gpu.js: a typed facade over what we use of it, with a comment at each of its traps.
 * gpu.js translates kernels to WGSL, compiles them and starts them.
 */
import { GpuError } from "../errors.ts";
import { findWebGpu, withNavigatorGpu } from "./adapter.ts";
import { buildBeside, type KernelInside } from "./build.ts";
import type { ArgumentKind, KernelConstant, KernelSource } from "./kernel-source.ts";
import { loadPeer } from "./peers.ts";
import { GpuQueue } from "./queue.ts";
import type { DeviceArray } from "./staging.ts";
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

export interface GpuInfo {
  /** As people know it: `NVIDIA GeForce RTX 4090`, `SwiftShader`. */
  readonly adapter: string;
  /** Whether it computes in software. */
  readonly isSoftware: boolean;
  /** Bytes that one array on the device may have. */
  readonly arrayBytes: number;
}

/** Elements of a result; of a plane its width and height. */
export type Extent = number | readonly [width: number, height: number];

export interface GpuKernel {
  /**
   * Starts it over arrays on the device, and gives the result's array, which the next start overwrites. Within
   * `GpuQueue.submit`.
   */
  start(values: readonly (DeviceArray | number)[], length: Extent): Promise<DeviceArray>;
  dispose(): void;
}

export interface GpuJs {
  readonly info: GpuInfo;
  readonly queue: GpuQueue;
  /** Translates and compiles, while the process goes on. @throws GpuError with what gpu.js or the driver says */
  kernel(source: KernelSource): Promise<GpuKernel>;
  /** Nothing is under way but kernels that compile; these reject. */
  close(): void;
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
        buildBeside(this.#context.device, created.kernel, build),
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

  close(): void {
    this.#isClosed = true;
    for (const kernel of this.#kernels) kernel.dispose();
  }
}

function notCompiled(cause: Error): GpuError {
  // The kernel's text follows, which may be long; the cause has it.
  const [problem] = cause.message.split("\n--- generated WGSL ---");
  return new GpuError(`A kernel does not compile: ${problem!.trim()}`, {
    cause,
    remedy: "Report it, with this message; until then compute on the CPU: --device cpu.",
  });
}

function describe({ info }: GPUAdapter, { limits }: GPUDevice): GpuInfo {
  return {
    adapter: info.description || info.device || info.vendor || "an adapter without a name",
    isSoftware: info.isFallbackAdapter === true,
    arrayBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}

function settingsOf({
  constants,
  functions = [],
  arguments: kinds,
  plane = false,
}: KernelSource): Readonly<Record<string, unknown>> {
  const named = Object.entries(constants).map(([name, value]) => ({ name, ...constantOf(value) }));
  return {
    // Fixes the rank of the shape, and with `dynamicOutput` not its length.
    output: plane ? [1, 1] : [1],
    dynamicOutput: true,
    dynamicArguments: true,
    // Results stay on the device.
    pipeline: true,
    precision: "single",
    // A loop up to an argument ends here, without an error; the default is 1000.
    loopMaxIterations: 2 ** 31 - 1,
    functions,
    constants: Object.fromEntries(named.map(({ name, value }) => [name, value])),
    constantTypes: Object.fromEntries(named.map(({ name, type }) => [name, type])),
    // Where it is left to guess, the value of the first call decides whether an argument is an integer.
    argumentTypes: kinds.map((kind) => TYPES[kind]),
  };
}

function constantOf(constant: KernelConstant): { value: Float32Array | number; type: string } {
  if (constant instanceof Float32Array) return { value: constant, type: "Array" };
  if ("integer" in constant) return { value: constant.integer, type: "Integer" };
  const { float } = constant;
  // It is written out in decimals, and an infinity as the largest number there is.
  if (!Number.isFinite(float)) throw new RangeError(`gpu.js cannot take ${float} as a constant`);
  return { value: Math.fround(float), type: "Float" };
}

const TYPES: Readonly<Record<ArgumentKind, string>> = {
  array: "Input",
  table: "Input",
  integer: "Integer",
  float: "Float",
};
const lengthOf = (extent: Extent): number => (typeof extent === "number" ? extent : extent[0] * extent[1]);
const isArray = (kind: ArgumentKind): boolean => kind === "array" || kind === "table";

/** What gpu.js does not check: a short array is read beyond its end without an error, and gives something. */
function checkArguments(
  kinds: readonly ArgumentKind[],
  values: readonly (DeviceArray | number)[],
  length: number,
): void {
  if (values.length !== kinds.length) {
    throw new RangeError(`The kernel takes ${kinds.length} arguments, not ${values.length}`);
  }
  if (length < 1) throw new RangeError("A kernel cannot give an empty array");
  for (const [i, value] of values.entries()) {
    const kind = kinds[i]!;
    if (isArray(kind) === (typeof value === "number"))
      throw new RangeError(`Argument ${i} is to be an ${kind}`);
    if (typeof value === "number") continue;
    const least = kind === "array" ? length : 1;
    if (value.length < least) {
      throw new RangeError(`Argument ${i} has ${value.length} elements, and the kernel reads ${least}`);
    }
  }
}
