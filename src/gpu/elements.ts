/** @file How kernels read what belongs to an element: data, the parameters of its channel, the values of its row. */
import type { Channels } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import type { Flat } from "./kernel-source.ts";
import type { KernelText, Parameter, ReadInput } from "./source.ts";

/** Values that the elements of a row share, as a step before gave them: one value of all rows after the other. */
export interface RowValues {
  /** The step that gave them; undefined where there are none yet. */
  readonly step: number | undefined;
  /** The input that is the length of the row. */
  readonly length: number;
  /** The inputs that the values are, in their order. */
  readonly inputs: readonly number[];
}

/** What a kernel over the elements of a program takes and reads. */
export interface Elements {
  readonly parameters: readonly Parameter[];
  readonly reads: readonly number[];
  readonly takes: readonly (keyof Flat)[];
  /** How the inputs of element `i` are read. */
  read(text: KernelText, i: string): ReadInput;
}

/**
 * @param kind of the data: `table` where the kernel gives more elements than there are
 * @param takes what the kernel needs beside
 */
export function elementsOf(
  program: Program,
  channels: Channels | null,
  rows: RowValues | undefined,
  kind: "array" | "table",
  takes: readonly (keyof Flat)[] = [],
): Elements {
  const data = Array.from({ length: program.inputs }, (_, i): Parameter => [`x${i}`, kind]);
  const all = new Set(takes);
  if (program.channels.length > 0) all.add("channel").add("within");
  if (rows) all.add("length").add("rowLength");
  const numbers = [...all];
  const reads = rows?.step === undefined ? [] : [rows.step];
  return {
    parameters: [
      ...data,
      ...reads.map((): Parameter => ["rows", "table"]),
      ...numbers.map((name): Parameter => [name, "integer"]),
    ],
    reads,
    takes: numbers,
    read(text, i) {
      const row = rows && (() => text.quotient(i, "rowLength"));
      return (index) => {
        if (index < program.inputs) return `x${index}[${i}]`;
        const parameter = program.channels[index - program.inputs];
        if (parameter) return channelValue(text, program, index - program.inputs, channels!, i);
        return rowValue(text, rows!, index, row!());
      };
    },
  };
}

/** An input that is the length of a row, or a value of it. */
export function rowValue(
  text: KernelText,
  { length, inputs }: RowValues,
  index: number,
  row: string,
): string {
  return index === length ? "rowLength" : `rows[${inputs.indexOf(index)} * ${rowsOf(text)} + ${row}]`;
}

/** The number of rows. */
export const rowsOf = (text: KernelText): string => text.quotient("length", "rowLength");

function channelValue(
  text: KernelText,
  { channels }: Program,
  at: number,
  { count, stride }: Channels,
  i: string,
): string {
  text.array("channels", Float32Array.from(channels.flatMap(({ values }) => values)));
  const turns = stride === 1 ? `within + ${i}` : text.quotient(`within + ${i}`, stride);
  return `this.constants.channels[${at * count} + ${text.remainder(`channel + ${turns}`, count)}]`;
}
