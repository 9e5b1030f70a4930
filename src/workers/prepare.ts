/** @file Makes the kernel for a program and a tensor: its code, compiled once a process, and its tables in the arena. */
import type { Channels } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise, rowGrain } from "../ops/row-plan.ts";
import { grainOf } from "../ops/shards.ts";
import type { Arena } from "./arena.ts";
import { fillTable, type TableLayout, tableLayout } from "./channels.ts";
import { compileKernel } from "./compile.ts";
import { type Kernel, tableEntryBytes } from "./kernels.ts";
import { compileRowKernel } from "./rows/compile.ts";

/** Programs whose code is kept; each is some hundred bytes. */
const MOST_CODES = 256;
const codes = new Map<string, Uint8Array<ArrayBuffer>>();

/**
 * @param channels of the tensor, which fit the program (`checkFit`)
 * @param allocate gives the address of that many bytes in the arena, for as long as the kernel is used
 * @param rowLength of a row-wise program: the length of the last axis, null where a range is a row (`rows/fit.ts`)
 */
export function prepareKernel(
  program: Program,
  dtype: Dtype,
  channels: Channels | null,
  arena: Arena,
  allocate: (bytes: number) => number,
  rowLength: number | null = null,
): Kernel {
  const key = `${dtype} ${program.key}`;
  const rows = isRowWise(program) ? { length: rowLength } : null;
  return {
    key,
    code: codeOf(key, program, dtype),
    bytesPerElement: BYTES_PER_ELEMENT[dtype],
    inputs: program.inputs,
    grain: rows ? rowGrain(program, channels, rowLength) : grainOf(program, channels),
    rows,
    channels,
    tables: program.channels.length > 0 ? tables(program, dtype, channels!, arena, allocate) : null,
  };
}

function codeOf(key: string, program: Program, dtype: Dtype): Uint8Array<ArrayBuffer> {
  const code = codes.get(key) ?? (isRowWise(program) ? compileRowKernel : compileKernel)(program, dtype);
  codes.delete(key);
  codes.set(key, code);
  if (codes.size > MOST_CODES) codes.delete(codes.keys().next().value!);
  return code;
}

function tables(
  program: Program,
  dtype: Dtype,
  channels: Channels,
  arena: Arena,
  allocate: (bytes: number) => number,
): { layout: TableLayout; addresses: number[] } {
  const layout = tableLayout(channels);
  const { buffer } = arena.memory;
  const addresses = program.channels.map(({ values }) => {
    const address = allocate(layout.entries * tableEntryBytes(BYTES_PER_ELEMENT[dtype]));
    const { entries } = layout;
    const table =
      dtype === "float64"
        ? new Float64Array(buffer, address, entries)
        : new Float32Array(buffer, address, entries);
    fillTable(table, layout, values);
    return address;
  });
  return { layout, addresses };
}
