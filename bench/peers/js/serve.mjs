/**
 * @file The service that every JavaScript peer offers: one line "OP ELEMENTS REPEATS" on standard input, one line with
 * the milliseconds of one pass on standard output; NaN for an op that it lacks.
 */
import { createInterface } from "node:readline";

/** Values as activations meet them, from -4 to 4. For softmax they are rows of 1,024. */
export function makeInput(length) {
  return Float32Array.from({ length }, (_, i) => (Math.imul(i, 2654435761) >>> 16) / 8192 - 4);
}

/** @param {(op: string, elements: number) => Promise<(() => unknown) | undefined>} prepare gives one pass of the op. */
export async function serve(prepare) {
  const passes = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const [op, elements, repeats] = line.split(" ");
    const key = `${op} ${elements}`;
    if (!passes.has(key)) passes.set(key, await prepare(op, Number(elements)));
    const pass = passes.get(key);
    const start = performance.now();
    for (let i = 0; pass && i < Number(repeats); i++) await pass();
    console.log(pass ? ((performance.now() - start) / Number(repeats)).toFixed(6) : "NaN");
  }
}
