/** @file A network over windows of rows: while one window is computed, the next one is read. */
import { MemoryError } from "../../errors.ts";

export interface WindowEngineOptions {
  /** Most worker threads. */
  readonly workers: number;
  /** Bytes for weights, windows and all between the layers. */
  readonly memory: number;
}

/** The same network on the workers (`cpu-windows.ts`) or on a GPU (`../gpu/gpu-windows.ts`). */
export interface WindowEngine {
  /** Most rows of a window. */
  readonly rows: number;
  /** Threads that took part; 0 where the calling one did it all, or a GPU. */
  readonly workers: number;
  /** The outputs of the rows of one window. */
  run(rows: Float32Array): Promise<Float32Array>;
  /** Gives everything back, when nothing is under way any more. */
  close(): Promise<void>;
}

/** Windows that may be under way at once; what comes of the first one must be taken before a third one begins. */
export const AT_ONCE = 2;
/** Bytes of the features of a window. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** Rows of a window are a multiple of this. */
const STEP = 8;

/**
 * As many rows as fit, and are worth having.
 *
 * @param bytesOf the bytes of an engine whose windows have so many rows
 * @param most rows that are wanted
 * @throws MemoryError where not even the fewest fit
 */
export function fittingRows(
  inputs: number,
  memory: number,
  bytesOf: (rows: number) => number,
  most = Number.POSITIVE_INFINITY,
): number {
  let rows = STEP * Math.max(1, Math.floor(Math.min(WINDOW_BYTES / (4 * inputs), most) / STEP));
  for (;;) {
    const bytes = bytesOf(rows);
    if (bytes <= memory) return rows;
    if (rows === STEP) {
      throw new MemoryError(`The network and ${AT_ONCE * STEP} rows take ${bytes} bytes of memory`, {
        remedy: `Give it ${Math.ceil(bytes / 2 ** 20)}MiB or more with --memory (in the API: memory).`,
      });
    }
    rows = STEP * Math.max(1, Math.floor(rows / 2 / STEP));
  }
}
