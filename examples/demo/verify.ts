/**
 * @file Verifies what `sluice apply` wrote against plain JavaScript: every element of the computed column by its bits, and
 * every other byte of the file against the input. Where the elements lie is apache-arrow's word, not Sluice's.
 */
import { type Data, tableFromIPC } from "apache-arrow";

/** An op on one float32 element. Each step rounds to float32, as the standard has it. */
export type Reference = (x: number) => number;

export interface Verified {
  readonly elements: number;
  /** Bytes that had to stay as they were. */
  readonly carried: number;
}

/**
 * Compares an output with its input, both whole Arrow files.
 * @throws Error that names the first element or byte that is wrong
 */
export function verifyFile(
  before: Uint8Array,
  after: Uint8Array,
  column: string,
  reference: Reference,
): Verified {
  if (before.length !== after.length)
    throw new Error(`The output has ${after.length} bytes, not ${before.length}`);
  let at = 0;
  let elements = 0;
  for (const values of valuesOf(before, column)) {
    const start = values.byteOffset - before.byteOffset;
    sameBytes(before, after, at, start);
    at = start + values.byteLength;
    // A copy: elements need not begin at a multiple of four bytes in the file as it was read.
    const results = new Float32Array(new Uint8Array(after.subarray(start, at)).buffer);
    verifyElements(values, results, reference, elements);
    elements += values.length;
  }
  sameBytes(before, after, at, before.length);
  return { elements, carried: before.length - elements * 4 };
}

/** Compares element by element; `first` is the number of the first one, for the message. */
export function verifyElements(x: Float32Array, y: Float32Array, reference: Reference, first: number): void {
  for (let i = 0; i < x.length; i++) {
    const expected = reference(x[i]!);
    if (!sameBits(expected, y[i]!)) {
      throw new Error(`Element ${first + i} is ${y[i]}; of ${x[i]} plain JavaScript makes ${expected}`);
    }
  }
}

/** The same bits, but for those of NaN, which JavaScript does not promise to keep. */
function sameBits(a: number, b: number): boolean {
  return Object.is(a, b);
}

function sameBytes(before: Uint8Array, after: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (before[i] !== after[i]) throw new Error(`Byte ${i} is outside the tensor, and was changed`);
  }
}

/** The float32 elements of a column, batch by batch, as views on the bytes of the file. */
export function valuesOf(file: Uint8Array, column: string): Float32Array[] {
  const table = tableFromIPC(file);
  const index = table.schema.fields.findIndex(({ name }) => name === column);
  return table.batches.map((batch) => {
    let data: Data | undefined = batch.data.children[index];
    while (data?.children.length) data = data.children[0];
    if (!(data?.values instanceof Float32Array)) throw new Error(`${column} is no column of float32`);
    if (data.values.buffer !== file.buffer) throw new Error("apache-arrow has copied the file");
    return data.values.subarray(0, data.length);
  });
}
