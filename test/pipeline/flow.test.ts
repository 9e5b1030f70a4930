/** The flow by itself: random layouts, every pair of source and sink, both devices, against a straight-line reference. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/device.ts";
import type { Channels, Step, Steps, TensorColumn } from "../../src/formats/layout.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../../src/ops/dtype.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { FileFeed, StreamFeed } from "../../src/pipeline/feed.ts";
import { flow } from "../../src/pipeline/flow.ts";
import { ProgressMeter } from "../../src/pipeline/progress.ts";
import { openSink, type Sink, type StreamSink } from "../../src/pipeline/sink.ts";
import { openSource, streamSource } from "../../src/pipeline/source.ts";
import { openCpuDevice } from "../../src/workers/cpu.ts";
import { closePool } from "../../src/workers/pool.ts";
import { openSmallDevice } from "../../src/workers/small.ts";

const CHANNELS: Channels = { count: 3, stride: 2 };
const program = fuse(parseChain("mul(2) | prelu([0.5, -1, 4])"));
const dtypes: readonly Dtype[] = ["float16", "float32", "float64"];
const tensors: TensorColumn[] = dtypes.map((dtype) => ({
  name: dtype,
  dtype,
  shape: [3, 2],
  channels: CHANNELS,
}));

type Part =
  | { readonly kind: "keep" | "drop"; readonly length: number }
  | { readonly kind: "emit"; readonly bytes: Uint8Array }
  | { readonly kind: "elements"; readonly tensor: number; readonly count: number; readonly first: number }
  | { readonly kind: "look"; readonly length: number }
  | { readonly kind: "batch"; readonly rows: number };

// Windows are 64 KiB here: parts below, at and far above that.
const length = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.constant(65_536),
);
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constantFrom("keep" as const, "drop" as const), length }),
  fc.record({ kind: fc.constant("emit" as const), bytes: fc.uint8Array({ maxLength: 50 }) }),
  fc.record({
    kind: fc.constant("elements" as const),
    tensor: fc.integer({ min: 0, max: 2 }),
    count: length,
    first: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({ kind: fc.constant("look" as const), length: fc.integer({ min: 0, max: 200_000 }) }),
  fc.record({ kind: fc.constant("batch" as const), rows: fc.integer({ min: 0, max: 9 }) }),
);

/** The layout as steps; also what every look ahead must show. */
function* stepsOf(parts: readonly Part[], input: Uint8Array): Steps {
  yield { step: "schema", fields: [], tensors, metadata: new Map() };
  let at = 0;
  for (const each of parts) {
    if (each.kind === "look") {
      const seen = yield { step: "peek", length: each.length };
      expect(Buffer.compare(seen, input.subarray(at, at + each.length))).toBe(0);
      continue;
    }
    const { kind, ...rest } = each;
    yield { step: kind, ...rest } as Step;
    at += inputBytes(each);
  }
}

function inputBytes(each: Part): number {
  if (each.kind === "keep" || each.kind === "drop") return each.length;
  return each.kind === "elements" ? each.count * BYTES_PER_ELEMENT[dtypes[each.tensor]!] : 0;
}

/** What must come out. */
function reference(parts: readonly Part[], input: Uint8Array): Buffer {
  const output: Uint8Array[] = [];
  let at = 0;
  for (const each of parts) {
    const bytes = input.slice(at, at + inputBytes(each));
    at += bytes.length;
    if (each.kind === "emit") output.push(each.bytes);
    if (each.kind === "keep") output.push(bytes);
    if (each.kind === "elements") {
      const dtype = dtypes[each.tensor]!;
      const array = { float16: Uint16Array, float32: Float32Array, float64: Float64Array }[dtype];
      evaluate(program, dtype, new array(bytes.buffer), { ...CHANNELS, first: each.first });
      output.push(bytes);
    }
  }
  return Buffer.concat(output);
}

/** Bytes whose floats are ordinary: the sign of a computed NaN is the processor's choice. */
function ordinaryBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(randomBytes(size));
  for (let i = 0; i < size; i++) bytes[i] = bytes[i]! & 0xbb;
  return bytes;
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-flow-"));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await closePool();
});

const devices: Record<string, () => Device> = {
  "plain JavaScript": openSmallDevice,
  "the main thread": () => openCpuDevice({ workers: 2, memory: 10 * 65_536 - 1 }),
  workers: () => openCpuDevice({ workers: 2, memory: 10 * 65_536 - 1, expectedBytes: 2 ** 30 }),
};

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function run(
  parts: readonly Part[],
  input: Uint8Array,
  from: string,
  to: string,
  device: Device,
  chunk: number,
) {
  const inputPath = join(directory, "in");
  const outputPath = join(directory, "out");
  writeFileSync(inputPath, input);
  const source =
    from === "file" ? await openSource(inputPath) : streamSource(Readable.from(cut(input, chunk)), "in");
  const feed = source.kind === "file" ? new FileFeed(source) : new StreamFeed(source);
  const taken: Uint8Array[] = [];
  const collector: StreamSink = {
    kind: "stream",
    path: "out",
    write: async (bytes) => void taken.push(bytes.slice()),
    commit: async () => {},
    discard: async () => {},
  };
  const sink: Sink =
    to === "file" ? await openSink(outputPath, { overwrite: true, signal: undefined }) : collector;
  const meter = new ProgressMeter(undefined, device, undefined);
  try {
    await flow({
      ...{ steps: stepsOf(parts, input), feed, device, sink, meter, signal: undefined },
      onSchema: (schema) => device.prepare(program, schema.tensors),
    });
    await sink.commit();
  } finally {
    device.close();
    await source.close();
  }
  return { output: to === "file" ? readFileSync(outputPath) : Buffer.concat(taken), done: meter.finish() };
}

describe("a flow gives what a straight walk gives", () => {
  for (const [name, open] of Object.entries(devices)) {
    for (const [from, to] of [
      ["file", "file"],
      ["file", "stream"],
      ["stream", "file"],
      ["stream", "stream"],
    ] as const) {
      it(`from ${from} to ${to}, on ${name}`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(part, { maxLength: 30 }),
            fc.constantFrom(7, 1000, 65_536, 1_000_000),
            async (parts, chunk) => {
              const size = parts.reduce((sum, each) => sum + inputBytes(each), 0);
              const input = ordinaryBytes(size);
              const { output, done } = await run(parts, input, from, to, open(), chunk);
              expect(Buffer.compare(output, reference(parts, input))).toBe(0);
              const count = (kind: string): Part[] => parts.filter((each) => each.kind === kind);
              expect(done.bytes).toBe(size);
              expect(done.elements).toBe(
                count("elements").reduce((sum, each) => sum + (each.kind === "elements" ? each.count : 0), 0),
              );
            },
          ),
          { numRuns: 15 },
        );
      }, 60_000);
    }
  }
});
