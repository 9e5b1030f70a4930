/**
 * @file The device for tiny inputs: plain JavaScript in plain memory. It is done before a kernel would be compiled, and
 * loads neither the compiler nor the arena.
 */
import { type Device, RANGE_STRIDE, type Slot, type Window } from "../device.ts";
import type { TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import { evaluate } from "../ops/evaluate.ts";
import { evaluateRows } from "../ops/evaluate-rows.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise, rowGrain } from "../ops/row-plan.ts";
import { grainOf, ShardSums, sumsShape } from "../ops/shards.ts";
import { readPieces, readSpan, writeSpan } from "./files.ts";
import { checkFit } from "./fit.ts";
import { Lender } from "./lender.ts";
import { rowLengthOf } from "./rows/fit.ts";

const WINDOW_BYTES = 64 * 1024;

export function openSmallDevice(): Device {
  return new SmallDevice();
}

class SmallDevice implements Device {
  readonly name = "cpu";
  readonly workers = 0;
  windowBytes = WINDOW_BYTES;
  #program: Program | undefined;
  #tensors: readonly TensorColumn[] = [];
  /** Of a row-wise program: the length of each tensor's rows, null where a range is a row. */
  #rowLengths: readonly (number | null)[] | undefined;
  #sums: ShardSums | undefined;
  #slots = this.#makeSlots();

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const tensor of tensors) checkFit(program, tensor);
    this.#rowLengths = isRowWise(program) ? tensors.map(rowLengthOf) : undefined;
    const before = this.#program?.key === program.key ? this.#sums : undefined;
    const channels = tensors.map((tensor) => tensor.channels);
    this.#sums = program.sums.length > 0 ? new ShardSums(sumsShape(program, channels)) : undefined;
    // Sums go on where the tensors change and the program stays.
    if (before) this.#sums?.merge(before);
    this.#program = program;
    this.#tensors = tensors;
    this.#slots = this.#makeSlots();
    return tensors.map(({ channels }, i) =>
      this.#rowLengths ? rowGrain(program, channels, this.#rowLengths[i]!) : grainOf(program, channels),
    );
  }

  resize(windowBytes: number): void {
    if (windowBytes <= this.windowBytes) return;
    this.windowBytes = windowBytes;
    this.#slots = this.#makeSlots();
  }

  sums(): readonly Float64Array[] {
    return this.#sums?.values() ?? [];
  }

  acquire(): Promise<Slot> {
    return this.#slots.acquire();
  }

  release(slot: Slot): void {
    this.#slots.release(slot);
  }

  async run({ slot, length, ranges, read, others, write }: Window): Promise<void> {
    const bytes = slot.bytes.subarray(0, length);
    if (read) await readSpan(read, bytes);
    if (others) await readPieces(others, slot.bytes);
    // Bytes of our own may go out before the schema is known, and with it the program.
    const { inputs = 1, target = 0 } = this.#program ?? {};
    for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
      const { dtype, channels } = this.#tensors[ranges[at + 2]!]!;
      const places = inputs === 1 ? [ranges[at]!] : [ranges[at + 4]!, ranges[at]!];
      const parts = places.map((start) =>
        slot.bytes.subarray(start, start + ranges[at + 1]! * BYTES_PER_ELEMENT[dtype]),
      );
      // A typed array must begin at a multiple of its element's size; a file's elements need not.
      const copies = parts.map((part) => part.slice());
      const elements = copies.map(({ buffer }) => elementsOf(dtype, buffer));
      const position = channels ? { ...channels, first: ranges[at + 3]! } : undefined;
      if (this.#rowLengths) {
        const length = this.#rowLengths[ranges[at + 2]!] ?? ranges[at + 1]!;
        const end = ranges[at + 1]! - (ranges[at + 1]! % length);
        const rows = elements.map((each) => each.subarray(0, end));
        evaluateRows(this.#program!, dtype, rows, length, position, this.#sums);
      } else {
        evaluate(this.#program!, dtype, elements, position, this.#sums);
      }
      parts[target]!.set(copies[target]!);
    }
    if (write) await writeSpan(write, bytes);
  }

  #makeSlots(): Lender<Slot> {
    const length = this.windowBytes * (this.#program?.inputs ?? 1);
    return new Lender<Slot>(2, () => ({ address: 0, bytes: new Uint8Array(length) }));
  }

  close(): void {}
}

function elementsOf(dtype: Dtype, buffer: ArrayBuffer): Float32Array | Float64Array | Uint16Array {
  if (dtype === "float64") return new Float64Array(buffer);
  return dtype === "float32" ? new Float32Array(buffer) : new Uint16Array(buffer);
}
