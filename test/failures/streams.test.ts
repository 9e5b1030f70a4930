/** Streams that end, break or are abandoned: the error is told once, nothing waits for ever, nothing keeps listening. */
import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReadableStream, WritableStream } from "node:stream/web";
import { afterAll, describe, expect, it } from "vitest";
import {
  AbortError,
  CorruptError,
  IoError,
  SluiceError,
  TruncatedError,
  UsageError,
} from "../../src/errors.ts";
import { transformBatches } from "../../src/pipeline/batches.ts";
import { close } from "../../src/pipeline/close.ts";
import { createTransform } from "../../src/pipeline/duplex.ts";
import { grad } from "../../src/pipeline/grad.ts";
import type { StreamSource } from "../../src/pipeline/source.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { createWebTransform } from "../../src/pipeline/web.ts";
import { fixture } from "../support/fixtures.ts";
import { npyOfZeros, oneBatch } from "../support/inputs.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const whole = fixture("tensors.arrows");
const options = { ops: "relu", columns: ["image"] } as const;

afterAll(close);

/** A stream that begins well, and never ends. */
async function* endless(): AsyncGenerator<Uint8Array> {
  yield oneBatch("stream", 2 ** 40).head;
  for (;;) yield new Uint8Array(65_536);
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

const closed = (stream: Readable | Writable): Promise<unknown> =>
  new Promise((resolve) => (stream.closed ? resolve(undefined) : stream.once("close", resolve)));

describe("a transform stream that is destroyed", () => {
  it.each(["at once", "before any byte", "in the middle", "at its end"])("%s closes", async (when) => {
    const stream = createTransform(options);
    if (when === "before any byte") await new Promise((resolve) => setImmediate(resolve));
    if (when === "in the middle") {
      stream.write(whole.slice(0, 3000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (when === "at its end") {
      stream.end(whole);
      for await (const _ of stream);
    }
    stream.destroy();
    await closed(stream);
    expect(stream.errored).toBe(null);
  });

  it("with an error tells that one", async () => {
    const stream = createTransform(options);
    const error = new Error("mine");
    const told = new Promise((resolve) => stream.once("error", resolve));
    stream.write(whole.slice(0, 3000));
    stream.destroy(error);
    expect(await told).toBe(error);
    await closed(stream);
  });

  it("calls back every write", async () => {
    const stream = createTransform(options);
    stream.on("error", () => {});
    const calls = Array.from({ length: 5 }, () => new Promise((resolve) => stream.write(whole, resolve)));
    stream.destroy();
    await Promise.all(calls);
  });
});

describe("a transform stream in a pipeline", () => {
  it("passes on the error of its source", async () => {
    const error = new Error("the source broke");
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield whole.slice(0, 3000);
      throw error;
    }
    const stream = createTransform(options);
    const sink = nowhere();
    await expect(pipeline(breaking, stream, sink)).rejects.toBe(error);
    expect([stream.destroyed, sink.destroyed]).toEqual([true, true]);
  });

  it("passes on the error of its sink", async () => {
    const error = new Error("the sink broke");
    const sink = new Writable({ write: (_chunk, _encoding, done) => done(error) });
    const source = Readable.from(endless());
    const stream = createTransform({ ops: "relu" });
    await expect(pipeline(source, stream, sink)).rejects.toBe(error);
    await closed(stream);
    expect(source.destroyed).toBe(true);
  });

  it.each<[string, Uint8Array, new (...all: never[]) => Error]>([
    ["a truncated input", whole.slice(0, -60), TruncatedError],
    ["a corrupt input", whole.with(12, 0xff).with(13, 0xff).with(14, 0xff), CorruptError],
    ["an empty input", new Uint8Array(0), SluiceError],
  ])("tells of %s", async (_what, bytes, kind) => {
    const source = Readable.from(bytes.length === 0 ? [] : [bytes]);
    const sink = nowhere();
    await expect(pipeline(source, createTransform(options), sink)).rejects.toThrow(kind);
    expect([source.destroyed, sink.destroyed]).toEqual([true, true]);
  });

  it("is aborted by a signal, its own or the pipeline's", async () => {
    for (const own of [true, false]) {
      const { signal } = new AbortController();
      const controller = new AbortController();
      const stream = createTransform({ ops: "relu", signal: own ? controller.signal : signal });
      let seen = 0;
      const sink = new Writable({
        write(chunk: Uint8Array, _encoding, done) {
          seen += chunk.length;
          if (seen > 4 * MIB) controller.abort();
          done();
        },
      });
      const piping = pipeline(endless, stream, sink, { signal: own ? signal : controller.signal });
      await expect(piping).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
      await closed(stream);
    }
  });

  it("whose consumer stops early stops the source", async () => {
    const source = Readable.from(endless());
    const stream = createTransform({ ops: "relu" });
    source.on("error", () => {});
    source.pipe(stream);
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 3) break;
    await closed(stream);
    source.destroy();
    await closed(source);
  });
});

describe("the web twin", () => {
  it("passes on the error of its source", async () => {
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(whole.slice(0, 3000));
        controller.error(new Error("the source broke"));
      },
    });
    const piping = source.pipeThrough(createWebTransform(options)).pipeTo(new WritableStream());
    await expect(piping).rejects.toThrow("the source broke");
  });

  it("passes on the error of its sink", async () => {
    const sink = new WritableStream({
      write() {
        throw new Error("the sink broke");
      },
    });
    const source = ReadableStream.from(endless());
    await expect(source.pipeThrough(createWebTransform({ ops: "relu" })).pipeTo(sink)).rejects.toThrow(
      "the sink broke",
    );
  });

  it("tells of a bad input", async () => {
    const source = ReadableStream.from([whole.slice(0, -60)]);
    const piping = source.pipeThrough(createWebTransform(options)).pipeTo(new WritableStream());
    await expect(piping).rejects.toThrow(TruncatedError);
  });

  it("whose reader stops early stops the source", async () => {
    let stopped = (): void => {};
    const over = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* endless();
      } finally {
        stopped();
      }
    }
    const reader = ReadableStream.from(watched())
      .pipeThrough(createWebTransform({ ops: "relu" }))
      .getReader();
    await reader.read();
    await reader.cancel("enough");
    await over;
  });
});

describe("transform between streams", () => {
  it("tells of a source that breaks, at any moment, and destroys the sink", async () => {
    for (const length of [0, 3, 500, 3000, whole.length]) {
      const error = new Error("the source broke");
      async function* breaking(): AsyncGenerator<Uint8Array> {
        if (length > 0) yield whole.slice(0, length);
        throw error;
      }
      for (const source of [breaking(), Readable.from(breaking())]) {
        const sink = nowhere();
        const failing = transform(source, sink, options);
        await expect(failing).rejects.toThrow(IoError);
        await expect(failing).rejects.toMatchObject({ cause: error });
        expect(sink.destroyed).toBe(true);
      }
    }
  });

  it("tells of a source that has failed already, or is destroyed", async () => {
    const { path, names } = scene();
    const failed = new Readable({ read() {} });
    failed.on("error", () => {});
    failed.destroy(new Error("failed before"));
    await expect(transform(failed, path("out"), options)).rejects.toThrow("failed before");
    const destroyed = new Readable({ read() {} });
    destroyed.destroy();
    await expect(transform(destroyed, path("out"), options)).rejects.toThrow(SluiceError);
    expect(names()).toEqual([]);
  });

  it("tells of a source that fails before anybody listens", async () => {
    const { path, names } = scene();
    const source = new Readable({ read() {} });
    process.nextTick(() => source.destroy(new Error("failed at once")));
    await expect(transform(source, path("out"), options)).rejects.toThrow("failed at once");
    expect(names()).toEqual([]);
  });

  it("tells of a sink that breaks, is destroyed, or has ended", async () => {
    const { path } = scene();
    const input = npyOfZeros(path("in.npy"), 16 * MIB);
    const breaking = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the sink broke")) });
    const destroyed = nowhere();
    destroyed.destroy();
    const ended = nowhere();
    ended.end();
    const closing = new Writable({
      write() {
        this.destroy();
      },
    });
    for (const sink of [breaking, destroyed, ended, closing]) {
      sink.on("error", () => {});
      await expect(transform(input, sink, { ops: "relu" })).rejects.toThrow(IoError);
      await expect(transform(input, sink, { ops: "relu" })).rejects.toThrow(/^Could not write: /);
    }
  });

  it("tells of a sink that breaks in its last moment", async () => {
    const sink = new Writable({
      write: (_chunk, _encoding, done) => done(),
      final: (done) => done(new Error("could not flush")),
    });
    await expect(transform(Readable.from([whole]), sink, options)).rejects.toThrow(/could not flush/);
  });

  it("is aborted while a window is open and the source answers late", async () => {
    const { path, names } = scene();
    const controller = new AbortController();
    let calls = 0;
    const source: StreamSource = {
      kind: "stream",
      path: "late",
      async next() {
        // All but the end marker: the batch is in a window that waits for more.
        if (calls++ === 0) return whole.slice(0, -8);
        controller.abort();
        await new Promise((resolve) => setTimeout(resolve, 50));
        return undefined;
      },
      close: async () => {},
    };
    const failing = transform(source, path("out"), { ...options, signal: controller.signal });
    await expect(failing).rejects.toThrow(AbortError);
    expect(names()).toEqual([]);
  });

  it("is aborted while the sink takes all, and never finishes", async () => {
    const controller = new AbortController();
    const sink = new Writable({
      write: (_chunk, _encoding, done) => done(),
      final: () => controller.abort(),
    });
    const failing = transform(Readable.from([whole]), sink, { ...options, signal: controller.signal });
    await expect(failing).rejects.toThrow(AbortError);
    expect(sink.destroyed).toBe(true);
  });

  it("destroys them whatever is wrong, before one is opened, too", async () => {
    const missing = "no/such/file.npy";
    const relu = { ops: "relu" };
    const ways: readonly ((x: Readable, dy: Readable, sink: Writable) => [Promise<unknown>, ...unknown[]])[] =
      [
        (x, _, sink) => [transform(x, sink, { ops: "no such op" }), x, sink],
        (x, dy, sink) => [grad({ x, dy }, sink, { ops: "no such op" }), x, dy, sink],
        (x, dy, sink) => [grad({ x, dy }, sink, { ...relu, inputColumn: "x", upstream: "dy" }), x, dy, sink],
        (x, _, sink) => [grad({ x, dy: x }, sink, relu), x, sink],
        (x, _, sink) => [grad({ x, dy: missing }, sink, relu), x, sink],
        (_, dy, sink) => [grad({ x: missing, dy }, sink, relu), dy, sink],
        (x, dy) => [grad({ x, dy }, missing, relu), x, dy],
      ];
    for (const way of ways) {
      const silent = (): Readable => new Readable({ read() {} });
      const sink = nowhere();
      sink.on("error", () => {});
      const [failing, ...streams] = way(silent(), silent(), sink);
      await expect(failing).rejects.toThrow(SluiceError);
      expect(streams.map((stream) => (stream as Readable | Writable).destroyed)).not.toContain(false);
    }
  });

  it("leaves no output where the caller's last progress report throws", async () => {
    const { write, path, names } = scene();
    const input = write("in.arrows", whole);
    // The first comes with the one window, the last when all is done.
    let reports = 0;
    const onProgress = (): void => {
      if (++reports === 2) throw new Error("mine");
    };
    await expect(transform(input, path("out"), { ...options, onProgress })).rejects.toThrow("mine");
    expect(names()).toEqual(["in.arrows"]);
  });

  it("refuses inputs and outputs that are none", async () => {
    const { write, path, names } = scene();
    const input = write("in.arrows", whole);
    const http = new URL("http://localhost/in.arrow");
    for (const none of [undefined, null, 42, [whole], {}, http]) {
      await expect(transform(none as unknown as string, path("out"), options)).rejects.toThrow(UsageError);
    }
    for (const none of [undefined, null, 42, [], new WritableStream(), http]) {
      await expect(transform(input, none as unknown as string, options)).rejects.toThrow(UsageError);
    }
    expect(names()).toEqual(["in.arrows"]);
  });

  it("refuses chunks that are no bytes", async () => {
    for (const chunks of [["text"], [whole.slice(0, 3000), 42], [null], [{ some: "object" }]]) {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield* chunks as unknown as Uint8Array[];
      }
      await expect(transform(source(), nowhere(), options)).rejects.toThrow(/A chunk of the input is/);
    }
  });

  it("leaves no more listeners on its streams than Node itself does", async () => {
    const [source, sink, iterated] = [new PassThrough(), new PassThrough(), new PassThrough()];
    for (const stream of [source, iterated]) stream.end(whole);
    sink.resume();
    await transform(source, sink, options);
    for await (const _ of iterated);
    await Promise.all([source, sink, iterated].map(closed));
    for (const event of source.eventNames()) {
      // One that ignores errors stays: they may come late.
      if (event === "error") continue;
      expect([event, source.listenerCount(event)]).toEqual([event, iterated.listenerCount(event)]);
    }
    expect(sink.listenerCount("drain")).toBe(0);
  });
});

describe("transformBatches", () => {
  it("whose consumer stops early closes the source and gives the memory back", async () => {
    const { RecordBatchReader } = await import("apache-arrow");
    const batches = [...RecordBatchReader.from(fixture("small.arrows"))];
    for (let round = 0; round < 100; round++) {
      let closedSource = false;
      function* source() {
        try {
          for (;;) yield* batches;
        } finally {
          closedSource = true;
        }
      }
      // Four gigabytes of arena would be used up if any of it were kept.
      for await (const _ of transformBatches(source(), { ops: "relu", memory: "1GiB" })) break;
      expect(closedSource).toBe(true);
    }
  });

  it("tells of a source that breaks, and of a signal", async () => {
    const { RecordBatchReader } = await import("apache-arrow");
    const batches = [...RecordBatchReader.from(fixture("small.arrows"))];
    function* breaking() {
      yield* batches;
      throw new Error("the source broke");
    }
    const all = async (signal?: AbortSignal): Promise<void> => {
      for await (const _ of transformBatches(breaking(), { ops: "relu", signal }));
    };
    await expect(all()).rejects.toThrow("the source broke");
    await expect(all(AbortSignal.abort())).rejects.toThrow(AbortError);
  });
});
