/**
 * @file The types of what we use of WebGPU (https://www.w3.org/TR/webgpu/), so that no package is needed for them.
 */

export interface GPU {
  requestAdapter(): Promise<GPUAdapter | null>;
}

export interface GPUAdapter {
  readonly info: GPUAdapterInfo;
}

export interface GPUAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Whether it computes in software. */
  readonly isFallbackAdapter?: boolean;
}

export interface GPUDevice {
  readonly limits: GPULimits;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: GPUQueue;
  createBuffer(descriptor: { size: number; usage: number; mappedAtCreation?: boolean }): GPUBuffer;
  createCommandEncoder(): GPUCommandEncoder;
  createComputePipeline(descriptor: object): GPUComputePipeline | null;
  createComputePipelineAsync(descriptor: object): Promise<GPUComputePipeline>;
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
}

export interface GPULimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

export interface GPUQueue {
  submit(commands: readonly GPUCommandBuffer[]): void;
  onSubmittedWorkDone(): Promise<void>;
}

export interface GPUBuffer {
  readonly size: number;
  mapAsync(mode: number, offset?: number, size?: number): Promise<void>;
  /** Detached by `unmap`. */
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export interface GPUCommandEncoder {
  copyBufferToBuffer(source: GPUBuffer, from: number, target: GPUBuffer, to: number, size: number): void;
  finish(): GPUCommandBuffer;
}

/** Opaque. */
export interface GPUComputePipeline {
  readonly label: string;
}

/** Opaque. */
export interface GPUCommandBuffer {
  readonly label: string;
}

/** The specification pins these numbers (sections 5.1.2 and 5.1.3); the globals with their names are a browser's. */
export const BufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  STORAGE: 0x0080,
} as const;
export const MapMode = { READ: 0x0001, WRITE: 0x0002 } as const;
