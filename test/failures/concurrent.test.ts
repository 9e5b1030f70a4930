/** More than one at a time: runs that race for one output, transforms beside each other, aborted at any moment. */
import { readFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { AbortError, OutputExistsError } from "../../src/errors.ts";
import { close } from "../../src/pipeline/close.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { arrowOfZeros, npyHeader, npyOfZeros } from "../support/inputs.ts";
import { sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;

afterAll(close);

/** An npy of equal numbers: two whole results of it differ in every element, and any mixture of them shows. */
function filled(value: number, count: number): Uint8Array {
  return Buffer.concat([npyHeader(count), new Uint8Array(new Float32Array(count).fill(value).buffer)]);
}

describe("two runs that write the same output at the same time", () => {
  const count = MIB;
  const results = [2, 3].map((factor) => Buffer.from(filled(factor, count)));
  const isWhole = (bytes: Buffer): boolean => results.some((result) => Buffer.compare(result, bytes) === 0);

  it("without overwrite: exactly one wins, the other one is told", async () => {
    const { write, path, read, names } = scene();
    const input = write("in.npy", filled(1, count));
    const run = (factor: number) => sluice(["apply", `mul(${factor})`, input, path("out.npy")]);
    const [a, b] = await Promise.all([run(2), run(3)]);
    expect([a.code, b.code].sort()).toEqual([0, 1]);
    const loser = a.code === 1 ? a : b;
    expect(loser.stderr).toMatch(/^sluice: .*exists already .*out\.npy/);
    expect(Buffer.compare(read("out.npy"), results[a.code === 0 ? 0 : 1]!)).toBe(0);
    expect(names()).toEqual(["in.npy", "out.npy"]);
  });

  it("with overwrite: one whole result stands", async () => {
    const { write, path, read, names } = scene();
    const input = write("in.npy", filled(1, count));
    const run = (factor: number) =>
      sluice(["apply", "--overwrite", `mul(${factor})`, input, path("out.npy")]);
    for (const { code, stderr } of await Promise.all([run(2), run(3), run(2), run(3)])) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
    expect(isWhole(read("out.npy"))).toBe(true);
    expect(names()).toEqual(["in.npy", "out.npy"]);
  });

  it("in one process: the same, many times over", async () => {
    const { write, path, read, names } = scene();
    const input = write("in.npy", filled(1, 5000));
    for (let round = 0; round < 30; round++) {
      const output = path(`out${round}`);
      const settled = await Promise.allSettled(
        Array.from({ length: 4 }, () => transform(input, output, { ops: "mul(2)" })),
      );
      expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const each of settled) {
        if (each.status === "rejected") expect(each.reason).toBeInstanceOf(OutputExistsError);
      }
      expect(Buffer.compare(read(`out${round}`), filled(2, 5000))).toBe(0);
    }
    expect(names().filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("a reader of the output sees the old or the new, never a part", async () => {
    const { write, path } = scene();
    const input = write("in.npy", filled(1, count));
    const output = write("out.npy", results[0]!);
    let running = true;
    const writing = (async () => {
      for (const factor of [3, 2, 3, 2, 3])
        await transform(input, output, { ops: `mul(${factor})`, overwrite: true });
      running = false;
    })();
    while (running) {
      expect(isWhole(readFileSync(path("out.npy")))).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
  });
});

describe("several transforms at once in one process", () => {
  it("one that fails does not disturb those beside it", async () => {
    const { path, write, read, names } = scene();
    const good = npyOfZeros(path("good.npy"), 64 * MIB);
    const large = arrowOfZeros(path("large.arrow"), "file", (64 * MIB) / 16);
    const bad = write("bad.arrow", fixture("small.arrow").slice(0, -20));
    const job = (input: string, output: string) =>
      transform(input, path(output), { ops: "relu", workers: 2 });
    const outcomes = await Promise.allSettled([
      ...[0, 1].map((i) => job(good, `good${i}`)),
      ...[0, 1].map((i) => job(bad, `bad${i}`)),
      ...[0, 1].map((i) => job(large, `large${i}`)),
      job(path("missing"), "missing-out"),
    ]);
    const fine = (outcome: PromiseSettledResult<unknown>): boolean => outcome.status === "fulfilled";
    expect(outcomes.map(fine)).toEqual([true, true, false, false, true, true, false]);
    for (const name of ["good0", "good1"]) expect(Buffer.compare(read(name), read("good.npy"))).toBe(0);
    for (const name of ["large0", "large1"]) expect(Buffer.compare(read(name), read("large.arrow"))).toBe(0);
    expect(names()).toHaveLength(3 + 4);
  });

  it("one that is aborted does not disturb those beside it", async () => {
    const { path, read, names } = scene();
    const input = npyOfZeros(path("in.npy"), 64 * MIB);
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const outcomes = Promise.allSettled(
      controllers.map(({ signal }, i) =>
        transform(input, path(`out${i}`), {
          ops: "relu",
          signal,
          // In the middle of its own work.
          ...(i % 2 === 0 ? {} : { onProgress: () => controllers[i]!.abort() }),
        }),
      ),
    );
    const [a, b, c, d] = await outcomes;
    for (const aborted of [b, d]) expect(aborted).toMatchObject({ reason: expect.any(AbortError) });
    for (const whole of [a, c]) expect(whole).toMatchObject({ status: "fulfilled" });
    for (const name of ["out0", "out2"]) expect(Buffer.compare(read(name), read("in.npy"))).toBe(0);
    expect(names()).toEqual(["in.npy", "out0", "out2"]);
  });
});

describe("an AbortSignal", () => {
  it("that was aborted before leaves nothing, and destroys the streams", async () => {
    const { write, path, untouched } = scene();
    const input = write("in.arrow", fixture("small.arrow"));
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    for (const output of [path("out.arrow"), "/dev/null"]) {
      const failing = untouched(() => transform(input, output, { ops: "relu", signal }));
      await expect(failing).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR", cause: reason });
    }
    const source = Readable.from([fixture("small.arrows")]);
    const sink = new Writable();
    await expect(transform(source, sink, { ops: "relu", signal })).rejects.toThrow(AbortError);
    expect([source.destroyed, sink.destroyed]).toEqual([true, true]);
  });

  it("that is aborted while the input stalls ends the transform, at any point of it", async () => {
    const bytes = fixture("tensors.arrows");
    const { path, names } = scene();
    for (let length = 0; length < bytes.length; length += 301) {
      const controller = new AbortController();
      const source = new Readable({ read() {} });
      if (length > 0) source.push(bytes.slice(0, length));
      const failing = transform(source, path("out"), { ops: "relu", signal: controller.signal });
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await expect(failing).rejects.toThrow(AbortError);
      expect(source.destroyed).toBe(true);
      expect(names()).toEqual([]);
    }
  });

  it("is listened to no longer than the transform takes", async () => {
    const { write, path } = scene();
    const input = write("in.arrow", fixture("small.arrow"));
    const { signal } = new AbortController();
    let listeners = 0;
    let most = 0;
    const count = (change: number) => (original: (...all: never[]) => void) =>
      function (this: AbortSignal, ...all: never[]) {
        listeners += change;
        most = Math.max(most, listeners);
        return original.apply(this, all);
      };
    signal.addEventListener = count(1)(signal.addEventListener) as typeof signal.addEventListener;
    signal.removeEventListener = count(-1)(signal.removeEventListener) as typeof signal.removeEventListener;
    await transform(input, path("out"), { ops: "relu", signal });
    await expect(transform(input, path("out"), { ops: "relu", signal })).rejects.toThrow();
    await expect(transform(path("missing"), path("out"), { ops: "relu", signal })).rejects.toThrow();
    // One: Node warns where there are more than ten, and ten transforms may share a signal.
    expect({ listeners, most }).toEqual({ listeners: 0, most: 1 });
  });

  it("gives a whole output or none, whenever it comes", async () => {
    const { path, read, names } = scene();
    const inputs = [
      npyOfZeros(path("small.npy"), 40_000),
      npyOfZeros(path("some.npy"), 8 * MIB),
      arrowOfZeros(path("large.arrows"), "stream", (48 * MIB) / 16),
    ];
    let turn = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...inputs),
        fc.constantFrom("file", "pipe"),
        fc.integer({ min: 0, max: 60 }),
        async (input, kind, delay) => {
          const output = `out${turn++}`;
          const controller = new AbortController();
          const source = kind === "file" ? input : Readable.from([readFileSync(input)]);
          const options = { ops: "relu", workers: 2, signal: controller.signal } as const;
          const transforming = transform(source, path(output), options);
          const timer = setTimeout(() => controller.abort(), delay);
          try {
            await transforming;
            expect(Buffer.compare(read(output), readFileSync(input))).toBe(0);
          } catch (error) {
            expect(error).toBeInstanceOf(AbortError);
            expect(names()).not.toContain(output);
          } finally {
            clearTimeout(timer);
          }
          expect(names().filter((name) => name.endsWith(".partial"))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
