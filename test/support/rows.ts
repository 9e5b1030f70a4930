/** @file Runs row kernels in a memory of their own, for comparison with the oracle. */
import type { Dtype } from "../../src/ops/dtype.ts";
import type { ElementArrays } from "../../src/ops/evaluate.ts";
import type { Program } from "../../src/ops/program.ts";
import { BLOCK } from "../../src/ops/shards.ts";
import { compileRowKernel, scratchOf } from "../../src/workers/rows/compile.ts";
import { ARRAYS, bytesOf } from "./kernel.ts";

/** 16 MiB. */
const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });

type Call = (...args: number[]) => void;

export interface RowRun {
  /** Whether nothing is stored between the passes, as for rows that are too long. */
  readonly long?: boolean;
  /** Bytes by which the arrays miss their natural alignment. */
  readonly shift?: number;
  /** One table for each channel parameter: a value for each element of a row. */
  readonly tables?: readonly (Float32Array | Float64Array)[];
}

/** What the kernel makes of the target among `elements`, which stay as they are; and the terms of its sums, one for each element. */
export function runRowKernel<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: readonly ElementArrays[D][],
  rowLength: number,
  { long = false, shift = 0, tables = [] }: RowRun = {},
): { readonly output: ElementArrays[D]; readonly terms: readonly Float64Array[] } {
  const code = compileRowKernel(program, dtype);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const call = (name: string): Call => exports[long ? `${name}Long` : name] as Call;
  const scratch = 64;
  let free = scratch + Math.ceil(scratchOf(program, dtype, null).full / 64) * 64;
  const termsAt = free;
  free += 8 * BLOCK * program.sums.length + shift;
  const place = (array: ArrayBufferView): number => {
    const address = free;
    new Uint8Array(memory.buffer, address, array.byteLength).set(bytesOf(array));
    // A guard behind each array, which must not change.
    new Uint8Array(memory.buffer, address + array.byteLength, 64).fill(0xa5);
    free += array.byteLength + 64;
    return address;
  };
  const arrays = elements.map(place);
  const tablesAt = tables.map(place);
  const target = elements[program.target]!;
  const rows = rowLength === 0 ? 3 : target.length / rowLength;
  const terms = program.sums.map(() => new Float64Array(target.length));
  if (program.sums.length === 0) call("run")(rows, rowLength, scratch, ...arrays, ...tablesAt);
  for (let row = 0; program.sums.length > 0 && row < rows && rowLength > 0; row++) {
    const at = (element: number): number[] => [
      ...arrays.map((address) => address + (row * rowLength + element) * target.BYTES_PER_ELEMENT),
      ...tablesAt.map((address, i) => address + element * tables[i]!.BYTES_PER_ELEMENT),
    ];
    call("start")(rowLength, scratch, ...at(0));
    for (let element = 0; element < rowLength; element += BLOCK) {
      const count = Math.min(BLOCK, rowLength - element);
      call("finish")(count, scratch, termsAt, element, ...at(element));
      for (const [sum, all] of terms.entries()) {
        const block = new Float64Array(memory.buffer, termsAt + 8 * BLOCK * sum, count);
        all.set(block, row * rowLength + element);
      }
    }
  }
  for (const [i, array] of [...elements, ...tables].entries()) {
    const end = [...arrays, ...tablesAt][i]! + array.byteLength;
    if (new Uint8Array(memory.buffer, end, 64).some((byte) => byte !== 0xa5)) {
      throw new Error(`the kernel wrote behind array ${i}`);
    }
  }
  const output = new ARRAYS[dtype](target.length) as ElementArrays[D];
  bytesOf(output).set(new Uint8Array(memory.buffer, arrays[program.target]!, target.byteLength));
  return { output, terms };
}
