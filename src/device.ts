/**
 * @file The small interface that every device offers. `pipeline` fills slots, or says where a file's bytes lie, and the
 * device computes in place; nothing above it asks which device it has.
 */
import type { TensorColumn } from "./formats/layout.ts";
import type { Program } from "./ops/program.ts";

/**
 * A reusable piece of a device's memory: `windowBytes` for the window and, where the program has a second input, as many
 * again for the elements of that one. `address` is known to the device alone.
 */
export interface Slot {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A place in an open file. */
export interface FileSpan {
  readonly fd: number;
  readonly offset: number;
  /** For error messages. */
  readonly path: string;
}

/**
 * Where the elements lie in a window: five numbers a range, so that a window of thousands of tiny batches crosses to a
 * worker as one flat array: byte offset in the slot, count of elements, index of the tensor, index of the first element
 * in its batch modulo the tensor's channel period (`count * stride`; 0 without channels), and for a program with two
 * inputs the byte offset in the slot of x's elements (0 otherwise); the range itself is then dy.
 */
export type Ranges = Float64Array;
export const RANGE_STRIDE = 5;

/** Pieces of a file that go into a slot beside the window: x's elements, where dy is what the window holds. */
export interface OtherReads {
  readonly fd: number;
  /** For error messages. */
  readonly path: string;
  /** Three numbers a piece: byte offset in the file, length, byte offset in the slot. */
  readonly pieces: Float64Array;
}
export const PIECE_STRIDE = 3;

/** One piece of work: the bytes of a slot, with the elements among them. */
export interface Window {
  readonly slot: Slot;
  /** Bytes of the slot in use. */
  readonly length: number;
  readonly ranges: Ranges;
  /** Read the bytes from here first; otherwise the slot is filled already. */
  readonly read?: FileSpan;
  /** Read these too, before computing. */
  readonly others?: OtherReads;
  /** Write the bytes here afterwards; otherwise the caller takes them from the slot. */
  readonly write?: FileSpan;
}

/** What computes. */
export type DeviceName = "cpu" | "gpu";
/** The way to a GPU. */
export type GpuApi = "webgpu" | "headless-gl";

export interface Device {
  readonly name: DeviceName;
  /** Why it is this one, where nobody named one (`auto`). It may change while the work goes on, and so may the name. */
  readonly reason?: string | undefined;
  /** Where it is a GPU. It may change as the name does. */
  readonly api?: GpuApi | undefined;
  /** The most that one window holds; changes with `prepare` and `resize`, and may grow with `acquire`. */
  readonly windowBytes: number;
  /** Worker threads that took part so far. */
  readonly workers: number;
  /**
   * Makes the kernels for these tensors; ranges refer to them by index. Gives each tensor's grain: a range may only begin
   * and end at multiples of that many elements from the start of its run, or with the run. Throws where op and tensor do
   * not fit. No window is under way, and no slot is out.
   */
  prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]>;
  /**
   * Makes windows hold at least this many bytes, for a grain that is larger. No window is under way, and no slot is out.
   * Throws MemoryError, which says how much memory it takes.
   */
  resize(windowBytes: number): void;
  /**
   * The program's sums over all elements computed so far, in its order: one number each, or one for each channel. The same
   * bits for any number of workers and any size of windows. No window is under way.
   */
  sums(): readonly Float64Array[];
  /** The next free slot; waits until there is one. */
  acquire(): Promise<Slot>;
  release(slot: Slot): void;
  /**
   * Reads, computes and writes one window. Nothing of it is under way any more when the promise settles. Where it rejects
   * with GpuError, what was filled into the slot is still in it, and nothing was added to the sums.
   */
  run(window: Window): Promise<void>;
  /** Gives everything back. Call it once no window is under way. */
  close(): void;
}
