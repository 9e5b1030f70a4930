/**
 * @file The device for tiny inputs: plain JavaScript in plain memory. It is done before a kernel would be compiled, and
 * loads neither the compiler nor the arena.
 */
import { type Device, RANGE_STRIDE, type Slot, type Window } from "../device.ts";
import type { TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import { evaluate } from "../ops/evaluate.ts";
import type { Program } from "../ops/program.ts";
import { readSpan, writeSpan } from "./files.ts";
import { checkFit } from "./fit.ts";
import { Lender } from "./lender.ts";

const WINDOW_BYTES = 64 * 1024;

export function openSmallDevice(): Device {
  return new SmallDevice();
}

class SmallDevice implements Device {
  readonly name = "cpu";
  readonly windowBytes = WINDOW_BYTES;
  readonly workers = 0;
  readonly #slots = new Lender<Slot>(2, () => ({ address: 0, bytes: new Uint8Array(WINDOW_BYTES) }));
  #program: Program | undefined;
  #tensors: readonly TensorColumn[] = [];

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const tensor of tensors) checkFit(program, tensor);
    this.#program = program;
    this.#tensors = tensors;
    return tensors.map(() => 1);
  }

  resize(): void {}

  sums(): readonly Float64Array[] {
    return [];
  }

  acquire(): Promise<Slot> {
    return this.#slots.acquire();
  }

  release(slot: Slot): void {
    this.#slots.release(slot);
  }

  async run({ slot, length, ranges, read, write }: Window): Promise<void> {
    const bytes = slot.bytes.subarray(0, length);
    if (read) await readSpan(read, bytes);
    for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
      const { dtype, channels } = this.#tensors[ranges[at + 2]!]!;
      const start = ranges[at]!;
      const part = bytes.subarray(start, start + ranges[at + 1]! * BYTES_PER_ELEMENT[dtype]);
      // A typed array must begin at a multiple of its element's size; a file's elements need not.
      const copy = part.slice();
      const position = channels ? { ...channels, first: ranges[at + 3]! } : undefined;
      evaluate(this.#program!, dtype, elementsOf(dtype, copy.buffer), position);
      part.set(copy);
    }
    if (write) await writeSpan(write, bytes);
  }

  close(): void {}
}

function elementsOf(dtype: Dtype, buffer: ArrayBuffer): Float32Array | Float64Array | Uint16Array {
  if (dtype === "float64") return new Float64Array(buffer);
  return dtype === "float32" ? new Float32Array(buffer) : new Uint16Array(buffer);
}
