/** @file How large windows are, and how many are under way, in the memory that there is. */
import { MemoryError } from "../errors.ts";

/** What a program and its tensors need. */
export interface Need {
  readonly inputs: number;
  /** Bytes that an element of a window takes: 2 or 4. On the device it takes 4. */
  readonly bytesPerElement: 2 | 4;
  /** Arrays of a window's length that the kernels keep on the device. */
  readonly arrays: number;
}

export interface Room {
  readonly windowBytes: number;
  /** Windows that are filled, computed or written. */
  readonly slots: number;
  /** Windows on their way to the GPU, on it, and back. */
  readonly stagings: number;
}

const PAGE = 4096;
/** Large enough that handing a window to the GPU costs little beside the work. */
const MOST_WINDOW = 8 * 1024 * 1024;
const LEAST_WINDOW = 1024 * 1024;
/** Windows that an input is cut into, so that one is on its way while another one is computed. */
const WINDOWS = 8;
const MOST = { slots: 5, stagings: 3 };
const LEAST = { slots: 2, stagings: 1 };

/** The room that the device takes of `memory` bytes, for as many bytes to come as are expected. */
export function roomIn(memory: number, need: Need, expectedBytes = Number.POSITIVE_INFINITY): Room {
  const pages = Math.floor(memory / (bytesPerByte(need, MOST) * PAGE));
  if (pages >= 1) return { ...MOST, windowBytes: Math.min(windowFor(expectedBytes), pages * PAGE) };
  return {
    ...LEAST,
    windowBytes: Math.max(1, Math.floor(memory / (bytesPerByte(need, LEAST) * PAGE))) * PAGE,
  };
}

function windowFor(expectedBytes: number): number {
  const share = Math.ceil(expectedBytes / WINDOWS / PAGE) * PAGE;
  return Math.max(LEAST_WINDOW, Math.min(MOST_WINDOW, share));
}

/** The same with windows of at least `windowBytes`. @throws MemoryError */
export function roomFor(windowBytes: number, memory: number, need: Need): Room {
  const whole = Math.ceil(windowBytes / PAGE) * PAGE;
  for (const counts of [MOST, LEAST]) {
    if (whole * bytesPerByte(need, counts) <= memory) return { ...counts, windowBytes: whole };
  }
  throw new MemoryError(`A window of ${windowBytes} bytes does not fit in memory`, {
    remedy: `Give at least ${Math.ceil((whole * bytesPerByte(need, LEAST)) / 1024)}KiB with --memory.`,
  });
}

/** Bytes that are taken for each byte of a window, here and on the device. */
function bytesPerByte(
  { inputs, bytesPerElement, arrays }: Need,
  { slots, stagings }: Omit<Room, "windowBytes">,
): number {
  const wide = Float32Array.BYTES_PER_ELEMENT / bytesPerElement;
  const staging = (2 * inputs + 1) * wide;
  return slots * inputs + stagings * staging + arrays * wide;
}
