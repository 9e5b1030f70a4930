/** A slow consumer stops the producer: proven by the bytes that are read ahead, which are a few windows at most. */
import { PassThrough, Readable, Writable } from "node:stream";
import { ReadableStream, WritableStream } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordBatchReader } from "apache-arrow";
import { afterAll, describe, expect, it } from "vitest";
import { transformBatches } from "../../src/pipeline/batches.ts";
import { close } from "../../src/pipeline/close.ts";
import { createTransform } from "../../src/pipeline/duplex.ts";
import type { Progress } from "../../src/pipeline/options.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { createWebTransform } from "../../src/pipeline/web.ts";
import { npyOfZeros, oneBatch } from "../support/inputs.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const CHUNK = 64 * 1024;
/** One worker has three windows of 2 MiB: one under way, the next one ready, one that is filled or written. */
const AHEAD = 3 * 2 * MIB + 4 * CHUNK;
const options = { ops: "relu", workers: 1 } as const;

afterAll(close);

/** A producer without end, which counts what was taken from it. */
function producer() {
  const counter = { produced: 0 };
  const { head } = oneBatch("stream", 2 ** 40);
  async function* produce(): AsyncGenerator<Uint8Array> {
    yield head;
    for (;;) {
      counter.produced += CHUNK;
      if (counter.produced > 100 * MIB) throw new Error("The producer was not stopped");
      yield new Uint8Array(CHUNK);
    }
  }
  return { counter, produce };
}

/** Waits until nothing was produced for a while. A pause that comes too early can only make a test pass. */
async function quiet(counter: { produced: number }): Promise<void> {
  for (let before = -1; before !== counter.produced; await sleep(150)) before = counter.produced;
}

describe("with nobody who reads, the producer stops after a few windows", () => {
  it("through createTransform", async () => {
    const { counter, produce } = producer();
    const stream = Readable.from(produce()).pipe(createTransform(options));
    stream.on("error", () => {});
    await quiet(counter);
    expect(counter.produced).toBeGreaterThan(MIB);
    expect(counter.produced).toBeLessThan(AHEAD);
    // It goes on where someone reads, and stops again where they stop.
    let taken = 0;
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      taken += chunk.length;
      if (taken > 20 * MIB) break;
    }
    await quiet(counter);
    expect(counter.produced).toBeGreaterThan(taken - CHUNK);
    expect(counter.produced).toBeLessThan(taken + AHEAD + 2 * MIB);
    stream.destroy();
  });

  it("through createWebTransform", async () => {
    const { counter, produce } = producer();
    const reader = ReadableStream.from(produce()).pipeThrough(createWebTransform(options)).getReader();
    await reader.read();
    await quiet(counter);
    expect(counter.produced).toBeLessThan(AHEAD + 4 * MIB);
    await reader.cancel();
  });

  it("through transform, from stream to stream", async () => {
    const { counter, produce } = producer();
    let wake = (): void => {};
    const sink = new Writable({
      highWaterMark: CHUNK,
      write(_chunk, _encoding, done) {
        wake = done;
      },
    });
    const transforming = transform(produce(), sink, options);
    await quiet(counter);
    expect(counter.produced).toBeGreaterThan(MIB);
    // A Writable is given chunks until it says that it is full, which is after the first window.
    expect(counter.produced).toBeLessThan(AHEAD + 2 * MIB);
    sink.destroy();
    wake();
    await expect(transforming).rejects.toThrow(/Could not write/);
  });

  it("through transform, from a file: what waits for the reader is bounded", async () => {
    const { path } = scene();
    const input = npyOfZeros(path("in.npy"), 1024 * MIB);
    const sink = new PassThrough({ highWaterMark: CHUNK });
    let done = 0;
    const onProgress = ({ bytes }: Progress): void => {
      done = bytes;
    };
    const transforming = transform(input, sink, { ...options, onProgress });
    transforming.catch(() => {});
    await sleep(300);
    expect(done).toBeLessThan(AHEAD);
    sink.destroy();
    await expect(transforming).rejects.toThrow(/Could not write/);
  });

  it("through transformBatches: a batch is asked for when one is asked of it", async () => {
    const { head, bodyBytes } = oneBatch("stream", 1000);
    const batches = [...RecordBatchReader.from(Buffer.concat([head, new Uint8Array(bodyBytes)]))];
    let asked = 0;
    async function* source() {
      for (; ; asked++) yield batches[0]!;
    }
    const results = transformBatches(source(), options);
    for (let i = 0; i < 3; i++) await results.next();
    await sleep(50);
    expect(asked).toBe(2);
    await results.return();
  });
});

it("a web consumer that is slow is never sent more than it asks for", async () => {
  const { counter, produce } = producer();
  let received = 0;
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      received += chunk.length;
      await sleep(5);
      if (received > 30 * MIB) throw new Error("enough");
      expect(counter.produced - received).toBeLessThan(AHEAD + 6 * MIB);
    },
  });
  const piping = ReadableStream.from(produce()).pipeThrough(createWebTransform(options)).pipeTo(sink);
  await expect(piping).rejects.toThrow("enough");
});
