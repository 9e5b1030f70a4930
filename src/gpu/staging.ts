/**
 * @file The way of arrays to the device and back. The host writes into memory that the device copies from, and reads from
 * memory that it copied to, so that there is one copy of the data on our side each way.
 *
 * ```text
 *   slot --gather--> upload buffer --device--> array --kernels--> result --device--> download buffer --scatter--> slot
 * ```
 *
 * gpu.js' own arguments and results would be copied twice more each way, into memory that is new for every call, and an
 * input that two kernels read would go to the device twice.
 */
import type { GpuQueue } from "./queue.ts";
import { BufferUsage, type GPUBuffer, MapMode } from "./webgpu.ts";

/** Float32s in a buffer of the device, the first `length` of it. */
export interface DeviceArray {
  readonly buffer: GPUBuffer;
  readonly length: number;
}

interface Upload {
  readonly source: GPUBuffer;
  readonly target: GPUBuffer;
  /** Settles when `source` is mapped, and can be written. */
  mapped: Promise<void>;
  /** All of it, while it is mapped. */
  memory: ArrayBuffer | undefined;
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Serves one piece of work at a time; its buffers grow to what is needed, and stay. */
export class Staging {
  readonly #queue: GpuQueue;
  readonly #uploads: Upload[] = [];
  #download: GPUBuffer | undefined;

  constructor(queue: GpuQueue) {
    this.#queue = queue;
  }

  /** Where to write arrays of these lengths, before `run`; each is at least 1. @throws GpuError */
  async open(lengths: readonly number[]): Promise<readonly Float32Array[]> {
    try {
      const arrays: Float32Array[] = [];
      for (const [i, length] of lengths.entries()) {
        const upload = await this.#uploadOf(i, length * FLOAT);
        await upload.mapped;
        upload.memory ??= upload.source.getMappedRange();
        arrays.push(new Float32Array(upload.memory, 0, length));
      }
      return arrays;
    } catch (error) {
      this.close();
      throw await this.#queue.explain(error);
    }
  }

  async #uploadOf(i: number, bytes: number): Promise<Upload> {
    const known = this.#uploads[i];
    if (known && known.source.size >= bytes) return known;
    if (known) destroyUpload(known);
    const size = roundSize(bytes);
    const { MAP_WRITE, COPY_SRC, COPY_DST, STORAGE } = BufferUsage;
    const { device } = this.#queue;
    const { source, target } = await this.#queue.make(() => ({
      source: device.createBuffer({ size, usage: MAP_WRITE | COPY_SRC }),
      target: device.createBuffer({ size, usage: STORAGE | COPY_DST | COPY_SRC }),
    }));
    const upload = { source, target, mapped: source.mapAsync(MapMode.WRITE), memory: undefined };
    this.#uploads[i] = upload;
    return upload;
  }

  /**
   * Sends what was written to the device, has `work` start kernels over it, and hands what they give to `take`, which
   * must not keep it. `work` and `take` do not wait.
   *
   * @throws GpuError; nothing is under way any more
   */
  async run(
    lengths: readonly number[],
    work: (arrays: readonly DeviceArray[]) => Promise<readonly DeviceArray[]>,
    take: (results: readonly Float32Array[]) => void,
  ): Promise<void> {
    try {
      await this.#run(lengths, work, take);
    } catch (error) {
      // Whatever state its buffers are in, the next ones begin anew.
      this.close();
      throw await this.#queue.explain(error);
    }
  }

  async #run(
    lengths: readonly number[],
    work: (arrays: readonly DeviceArray[]) => Promise<readonly DeviceArray[]>,
    take: (results: readonly Float32Array[]) => void,
  ): Promise<void> {
    const { device } = this.#queue;
    const uploads = this.#uploads.slice(0, lengths.length);
    const { result, checked } = await this.#queue.submit(async () => {
      const up = device.createCommandEncoder();
      const arrays = uploads.map((upload, i): DeviceArray => {
        const { source, target } = upload;
        const length = lengths[i]!;
        upload.memory = undefined;
        source.unmap();
        up.copyBufferToBuffer(source, 0, target, 0, length * FLOAT);
        return { buffer: target, length };
      });
      device.queue.submit([up.finish()]);
      // At once, so that the next piece of work need not wait for it.
      for (const upload of uploads) {
        upload.mapped = upload.source.mapAsync(MapMode.WRITE);
        upload.mapped.catch(() => {});
      }
      const results = await work(arrays);
      const down = device.createCommandEncoder();
      const bytes = results.reduce((total, { length }) => total + length * FLOAT, 0);
      const download = this.#downloadOf(bytes);
      let at = 0;
      for (const { buffer, length } of results) {
        down.copyBufferToBuffer(buffer, 0, download, at, length * FLOAT);
        at += length * FLOAT;
      }
      device.queue.submit([down.finish()]);
      const mapped = download.mapAsync(MapMode.READ, 0, bytes);
      mapped.catch(() => {});
      return { download, mapped, lengths: results.map(({ length }) => length), bytes };
    });
    const { download, mapped, bytes } = result;
    const outcomes = await Promise.allSettled([checked, mapped, ...uploads.map((upload) => upload.mapped)]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    const range = download.getMappedRange(0, bytes);
    let at = 0;
    const results = result.lengths.map((length) => {
      const array = new Float32Array(range, at, length);
      at += length * FLOAT;
      return array;
    });
    try {
      take(results);
    } finally {
      download.unmap();
    }
  }

  #downloadOf(bytes: number): GPUBuffer {
    if (this.#download && this.#download.size >= bytes) return this.#download;
    this.#download?.destroy();
    this.#download = this.#queue.device.createBuffer({
      size: roundSize(bytes),
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
    });
    return this.#download;
  }

  /** Nothing of it is under way. */
  close(): void {
    for (const upload of this.#uploads.splice(0)) destroyUpload(upload);
    this.#download?.destroy();
    this.#download = undefined;
  }
}

function destroyUpload({ source, target }: Upload): void {
  source.destroy();
  target.destroy();
}

/** In few steps, so that windows of slightly different lengths need no new buffer each. */
function roundSize(bytes: number): number {
  const step = 2 ** Math.max(8, Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
