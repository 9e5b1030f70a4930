/**
 * @file The loop of the fuzzer, a process of its own, so that a hang, a crash or endless memory in it is a result for
 * whoever started it: `node --import tsx loop.ts SEED FIRST COUNT`. Writes the number of each case to stdout before it
 * runs, and stops with exit code 1 at the first that is judged bad. The last line says what came of the cases.
 */
import { readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { SluiceError } from "../../src/errors.ts";
import { detectFormat } from "../../src/formats/detect.ts";
import type { Format } from "../../src/formats/layout.ts";
import { inspect } from "../../src/pipeline/inspect.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { oneBatch } from "../support/inputs.ts";
import { judgeError, judgeOutput, OPS } from "./judge.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const names = readdirSync(FIXTURES).filter((name) => /\.(arrow|arrows|npy)$/.test(name));
const { head, bodyBytes, tail } = oneBatch("file", 20_000);
const originals = [
  ...names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, FIXTURES))) })),
  // Larger than what is computed without a kernel.
  { name: "large.arrow", bytes: new Uint8Array(Buffer.concat([head, new Uint8Array(bodyBytes), tail])) },
];
/** Columns that are computed only when they are named. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  "plain.arrow": ["float"],
  "leaves.arrow": ["float", "double", "half", "tensor"],
  "leaves.arrows": ["last", "half"],
  "nested.arrow": ["struct.emb", "struct.x", "deep"],
};

const [seed, first, count] = process.argv.slice(2).map(Number) as [number, number, number];
const scratch = process.env.FUZZ_DIRECTORY!;
const outcomes: Record<string, number> = { computed: 0, unchanged: 0 };

function note(outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

for (let index = first; index < first + count; index++) {
  writeSync(1, `${index}\n`);
  const random = new Random(Math.imul(seed, 1_000_003) + index);
  const { name, bytes } = random.pick(originals);
  const input = mutate(bytes, random);
  try {
    await examine(input, NAMED[name], random);
  } catch (error) {
    const path = join(scratch, `bad-${seed}-${index}-${name}`);
    writeFileSync(path, input);
    console.error(`Case ${index} of seed ${seed}, made of ${name}:`, error);
    process.exit(1);
  }
}
const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
writeSync(1, `${JSON.stringify({ outcomes, peak: Number(peak) * 1024 })}\n`);
process.exit(0);

/** By path and through a pipe, in its own format and in the other one. */
async function examine(
  input: Uint8Array,
  columns: readonly string[] | undefined,
  random: Random,
): Promise<void> {
  const path = join(scratch, "input");
  writeFileSync(path, input);
  const format = formatOf(input);
  let accepted = 0;
  for (const piped of [false, true]) {
    const output = await run(piped ? cut(input, random) : path, format, columns);
    if (output === undefined) continue;
    judgeOutput(input, output, format!);
    accepted++;
    note(Buffer.compare(input, output) === 0 ? "unchanged" : "computed");
  }
  await inspect(path, { statistics: "all" }).catch(judgeError);
  await inspect(cut(input, random), { statistics: "none" }).catch(judgeError);
  if (format === undefined || format === "npy") return;
  const other = format === "arrow" ? "arrows" : "arrow";
  for (const piped of [false, true]) {
    const output = await run(piped ? cut(input, random) : path, other, columns);
    if (output === undefined) continue;
    note("converted");
    // What was written must be an input again; but a pipe shows damage that nobody sees who follows the footer.
    const again = await run(cut(output, random), other, columns);
    if (again === undefined && accepted === 2) throw new Error("The converted output is no input");
  }
}

/** The output; undefined where there was an error, and rightly so. */
async function run(
  source: string | AsyncIterable<Uint8Array>,
  format: Format | undefined,
  columns: readonly string[] | undefined,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  try {
    await transform(source, sink, { ops: OPS, columns, memory: "1MiB", workers: 1, format });
    return Buffer.concat(chunks);
  } catch (error) {
    judgeError(error);
    note((error as SluiceError).code);
    return undefined;
  }
}

function formatOf(input: Uint8Array): Format | undefined {
  try {
    return detectFormat(input.subarray(0, 16));
  } catch {
    return undefined;
  }
}

async function* cut(bytes: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(random.pick([3, 100, 10_000]));
    yield bytes.slice(at, at + length);
    at += length;
  }
}
