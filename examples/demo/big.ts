/** @file Act three: a file of 1 GiB, generated, computed, copied for comparison, and verified to its last byte. */
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sluice, sluiceAgain } from "./command.ts";
import { BATCHES, COLUMNS, expectedFile, generatedFile, ROWS_PER_BATCH } from "./generated.ts";
import { count, say, size } from "./say.ts";

const { fround } = Math;
const ALPHA = fround(0.01);
const reference = (x: number): number => (x > 0 ? x : fround(ALPHA * x));

const ROUNDS = 3;

export async function showBig(directory: string): Promise<void> {
  say.heading("3. One GiB of embeddings, generated");
  const input = join(directory, "big.arrows");
  const output = join(directory, "big-out.arrows");
  await pipeline(Readable.from(generatedFile()), createWriteStream(input));
  const { size: bytes } = await stat(input);
  say.line(
    `${size(bytes)}: ${count(ROWS_PER_BATCH * BATCHES)} rows of ${count(COLUMNS)} float32, an id and a name, in ${BATCHES} batches.`,
  );

  const applied: number[] = [];
  const copied: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    copied.push(await timeCopy(input, join(directory, "copy")));
    // Each writes a new file, into memory that the one before has just given back.
    await rm(output, { force: true });
    const args = ["apply", "leaky_relu", "big.arrows", "big-out.arrows"];
    applied.push(round === 0 ? await sluice(args, directory) : await sluiceAgain(args, directory));
  }
  await rm(input);

  const elements = ROWS_PER_BATCH * BATCHES * COLUMNS;
  await verifyBytes(output, expectedFile(reference));
  say.verified(
    `all ${count(elements)} elements have the bits that plain JavaScript gives,\n` +
      `and the other ${count(bytes - elements * 4)} bytes are untouched`,
  );
  say.line(`\nRates, the best of ${ROUNDS} rounds:`);
  say.line(`  sluice apply  ${rate(bytes, applied)}   the whole process, from start to exit`);
  say.line(`  a plain copy  ${rate(bytes, copied)}   fs.copyFile, the same file`);
}

function rate(bytes: number, times: readonly number[]): string {
  const best = Math.min(...times);
  return `${(bytes / 2 ** 30 / best).toFixed(2)} GiB/s  ${best.toFixed(2)} s`;
}

async function timeCopy(from: string, to: string): Promise<number> {
  const start = performance.now();
  await copyFile(from, to);
  const seconds = (performance.now() - start) / 1000;
  await rm(to);
  return seconds;
}

/** Compares a file with the bytes that it must have. @throws Error that names the first one that differs */
async function verifyBytes(path: string, expected: Iterable<Uint8Array>): Promise<void> {
  const chunks = expected[Symbol.iterator]();
  let wanted: Uint8Array = new Uint8Array(0);
  let at = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    for (let rest = chunk as Buffer; rest.length > 0; ) {
      if (wanted.length === 0) wanted = chunks.next().value ?? wanted;
      const length = Math.min(rest.length, wanted.length);
      if (length === 0) throw new Error(`The output is longer than ${at} bytes`);
      if (rest.compare(wanted, 0, length, 0, length) !== 0) throw new Error(differenceIn(rest, wanted, at));
      rest = rest.subarray(length);
      wanted = wanted.subarray(length);
      at += length;
    }
  }
  if (wanted.length > 0 || !chunks.next().done) throw new Error(`The output ends at byte ${at}, too early`);
}

function differenceIn(actual: Uint8Array, expected: Uint8Array, start: number): string {
  const index = actual.findIndex((byte, i) => byte !== expected[i]);
  return `Byte ${start + index} of the output is ${actual[index]}, not ${expected[index]}`;
}
