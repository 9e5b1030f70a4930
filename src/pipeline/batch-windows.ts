/** @file Windows of a tensor that is in memory: copied into slots, computed, and copied back. */
import { type Device, RANGE_STRIDE } from "../device.ts";
import type { Position } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import type { FloatValues, Run } from "./batch-data.ts";
import { widen } from "./widen.ts";

export interface TensorRuns {
  /** Changed in place. */
  readonly values: FloatValues;
  /** x, where `values` is dy. */
  readonly other: FloatValues | undefined;
  /** What of the values is computed. */
  readonly runs: readonly Run[];
  /** A window ends inside a run only at multiples of so many elements of it. */
  readonly grain: number;
  /** Index of the tensor on the device. */
  readonly tensor: number;
  readonly column: TensorColumn;
  readonly position: Position;
}

/** Ranges of one window; as many as in `windows.ts`. */
const MOST_RANGES = 16_384;

/** Computes all runs, several windows at once where there are workers. */
export async function computeRuns(device: Device, job: TensorRuns): Promise<void> {
  const { values, other, runs, grain, tensor, column, position } = job;
  const { dtype, channels } = column;
  const size = BYTES_PER_ELEMENT[dtype];
  const period = channels ? channels.count * channels.stride : 1;
  const count = runs.reduce((most, run) => Math.max(most, Math.min(grain, run.count)), 0);
  const bytes = count * size;
  if (bytes > device.windowBytes) widen(device, { count, bytes, grain, tensor: column, position });
  const { windowBytes } = device;
  const target = bytesOf(values);
  const source = other && bytesOf(other);

  const pass = async (parts: readonly Run[]): Promise<void> => {
    const slot = await device.acquire();
    try {
      const ranges: number[] = [];
      let length = 0;
      for (const { start, count } of parts) {
        const [from, to] = [start * size, (start + count) * size];
        slot.bytes.set(target.subarray(from, to), length);
        if (source) slot.bytes.set(source.subarray(from, to), windowBytes + length);
        ranges.push(length, count, tensor, start % period, source ? windowBytes + length : 0);
        length += to - from;
      }
      await device.run({ slot, length, ranges: Float64Array.from(ranges) });
      for (const [i, { start, count }] of parts.entries()) {
        const at = ranges[i * RANGE_STRIDE]!;
        target.set(slot.bytes.subarray(at, at + count * size), start * size);
      }
    } finally {
      device.release(slot);
    }
  };
  const underWay = [...cut(runs, grain, Math.floor(windowBytes / size))].map(pass);
  const outcomes = await Promise.allSettled(underWay);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Windows of at most `room` elements, each a list of parts of runs. */
function* cut(runs: readonly Run[], grain: number, room: number): Generator<readonly Run[]> {
  let parts: Run[] = [];
  let left = room;
  for (const { start, count } of runs) {
    for (let done = 0; done < count; ) {
      const rest = count - done;
      const taken = rest <= left ? rest : left - (left % grain);
      if (taken > 0) parts.push({ start: start + done, count: taken });
      done += taken;
      left -= taken;
      if (done === count && parts.length < MOST_RANGES) continue;
      yield parts;
      parts = [];
      left = room;
    }
  }
  if (parts.length > 0) yield parts;
}

function bytesOf({ buffer, byteOffset, byteLength }: FloatValues): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
