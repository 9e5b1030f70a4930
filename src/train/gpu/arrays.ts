/** @file Arrays that stay on the device, and copies between them. */
import type { GpuQueue } from "../../gpu/queue.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import { BufferUsage } from "../../gpu/webgpu.ts";

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Makes an array of zeros. @throws GpuError where there is no room */
export async function makeArray(queue: GpuQueue, length: number): Promise<DeviceArray> {
  const { STORAGE, COPY_SRC, COPY_DST } = BufferUsage;
  const size = Math.max(1, length) * FLOAT;
  const buffer = await queue.make(() =>
    queue.device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST }),
  );
  return { buffer, length };
}

/** Numbers that go from one array to another. */
export interface Move {
  readonly from: DeviceArray;
  /** Index of the first one; 0 where it is left out. */
  readonly start?: number;
  readonly to: DeviceArray;
  readonly at?: number;
  /** Left out: all of `from`. */
  readonly count?: number;
}

/** Hands the copies to the device, behind what it was handed before. Within `GpuQueue.submit`. */
export function move({ device }: GpuQueue, moves: readonly Move[]): void {
  const encoder = device.createCommandEncoder();
  for (const { from, start = 0, to, at = 0, count = from.length } of moves) {
    encoder.copyBufferToBuffer(from.buffer, start * FLOAT, to.buffer, at * FLOAT, count * FLOAT);
  }
  device.queue.submit([encoder.finish()]);
}
