/**
 * @file The small interface that every device offers. `pipeline` fills slots, or says where a file's bytes lie, and the
 * device computes in place; nothing above it asks which device it has.
 */
import type { TensorColumn } from "./formats/layout.ts";
import type { Program } from "./ops/program.ts";

/** A reusable piece of a device's memory, `windowBytes` long. `address` is known to the device alone. */
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
 * Where the elements lie in a window: four numbers a range, so that a window of thousands of tiny batches crosses to a
 * worker as one flat array: byte offset in the slot, count of elements, index of the tensor, index of the first element
 * in its batch modulo the tensor's channel period (`count * stride`; 0 without channels).
 */
export type Ranges = Float64Array;
export const RANGE_STRIDE = 4;

/** One piece of work: the bytes of a slot, with the elements among them. */
export interface Window {
  readonly slot: Slot;
  /** Bytes of the slot in use. */
  readonly length: number;
  readonly ranges: Ranges;
  /** Read the bytes from here first; otherwise the slot is filled already. */
  readonly read?: FileSpan;
  /** Write the bytes here afterwards; otherwise the caller takes them from the slot. */
  readonly write?: FileSpan;
}

export interface Device {
  readonly name: "cpu";
  /** Bytes of a slot; the most that one window holds. */
  readonly windowBytes: number;
  /** Worker threads that took part so far. */
  readonly workers: number;
  /** Makes the kernels for these tensors; ranges refer to them by index. Throws where op and tensor do not fit. */
  prepare(program: Program, tensors: readonly TensorColumn[]): Promise<void>;
  /** The next free slot; waits until there is one. */
  acquire(): Promise<Slot>;
  release(slot: Slot): void;
  /** Reads, computes and writes one window. Nothing of it is under way any more when the promise settles. */
  run(window: Window): Promise<void>;
  /** Gives everything back. Call it once no window is under way. */
  close(): void;
}
