/**
 * Extremes that must not become errors, and settings that must: sizes beyond 2^31 and 2^32, a million batches, little
 * memory, many threads. SLUICE_TEST_HUGE=1 goes further, and takes 6 GiB of disk and a minute.
 */
import { closeSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryError, UsageError } from "../../src/errors.ts";
import { close } from "../../src/pipeline/close.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { arrowOfZeros, manyBatches, npyOfZeros, oneBatch } from "../support/inputs.ts";
import { expectError, expectLittleMemory, type ProcessResult, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const HUGE = process.env.SLUICE_TEST_HUGE === "1";

afterAll(close);

function expectDone(result: ProcessResult): Record<string, unknown> {
  expect(result).toMatchObject({ hung: false, signal: null, stderr: "", code: 0 });
  return JSON.parse(result.stdout.toString()) as Record<string, unknown>;
}

describe("a record batch that is larger than the arena, than 2 GiB, than memory may be", () => {
  const bytes = (HUGE ? 5 : 2) * GIB + 16 * 1001;
  /** Pipes are slower than files. */
  const pipedBytes = HUGE ? bytes : 400 * MIB + 16 * 1001;

  /** The last row, which is all that is not zero. */
  function writeLastRow(path: string, kind: "file" | "stream", size: number): number {
    const { head, bodyBytes } = oneBatch(kind, size / 16);
    const at = head.length + bodyBytes - 16;
    const file = openSync(path, "r+");
    writeSync(file, new Uint8Array(Float32Array.of(-1, 2, -3, 4).buffer), 0, 16, at);
    closeSync(file);
    return at;
  }

  it("comes out of a file whole, to its last row", async () => {
    const { path } = scene();
    const input = arrowOfZeros(path("in.arrow"), "file", bytes / 16);
    const at = writeLastRow(input, "file", bytes);
    const tail = statSync(input).size - at;
    const shell = `"$@" | tail -c ${tail}; [ $\{PIPESTATUS[0]} = 0 ]`;
    const result = await sluice(["apply", "mul(-2)", input, "-", "--format", "arrow"], { shell });
    expect(result).toMatchObject({ hung: false, stderr: "", code: 0 });
    expectLittleMemory(result);
    const last = result.stdout.subarray(0, 16);
    expect(new Float32Array(Uint8Array.from(last).buffer)).toEqual(Float32Array.of(2, -4, 6, -8));
    expect(result.stdout.length).toBe(tail);
  });

  it("comes through a pipe whole, to its last row", async () => {
    const { path } = scene();
    const input = arrowOfZeros(path("in.arrows"), "stream", pipedBytes / 16);
    const at = writeLastRow(input, "stream", pipedBytes);
    const tail = statSync(input).size - at;
    const shell = `cat ${input} | "$@" | tail -c ${tail}; [ $\{PIPESTATUS[1]} = 0 ]`;
    const result = await sluice(["apply", "mul(-2)", "-", "-"], { shell });
    expect(result).toMatchObject({ hung: false, stderr: "", code: 0 });
    expectLittleMemory(result);
    const last = result.stdout.subarray(0, 16);
    expect(new Float32Array(Uint8Array.from(last).buffer)).toEqual(Float32Array.of(2, -4, 6, -8));
  });

  const fromFileToFile = async () => {
    const { path } = scene();
    const input = arrowOfZeros(path("in.arrow"), "file", bytes / 16);
    const at = writeLastRow(input, "file", bytes);
    const result = await sluice(["apply", "mul(-2)", "--json", input, path("out.arrow")]);
    expectDone(result);
    expectLittleMemory(result);
    expect(statSync(path("out.arrow")).size).toBe(statSync(input).size);
    const last = new Float32Array(4);
    const file = openSync(path("out.arrow"), "r");
    readSync(file, last, 0, 16, at);
    closeSync(file);
    rmSync(path("out.arrow"));
    expect(last).toEqual(Float32Array.of(2, -4, 6, -8));
  };
  if (HUGE) it("goes from file to file", fromFileToFile, 300_000);
});

describe("batches of one row, as many as there are", () => {
  const count = HUGE ? 1_000_000 : 100_000;

  it.each([
    ["a file, to a file", (input: string, output: string) => `"$@" ${input} ${output}.arrows`],
    ["a pipe, to an Arrow file", (input: string, output: string) => `cat ${input} | "$@" - ${output}.arrow`],
  ])("from %s", async (_what, command) => {
    const { path } = scene();
    const input = manyBatches(path("in.arrows"), count);
    const shell = command(input, path("out"));
    const result = await sluice(["apply", "--json", "relu"], { shell });
    expect(expectDone(result)).toMatchObject({ rows: count, batches: count, elements: 4 * count });
    // A footer holds 24 bytes for each batch, and is built in memory.
    expect(result.peak).toBeLessThan(300 * MIB);
  });
});

describe("memory", () => {
  it.each(["128KiB", "7777777", "100GiB"])("%s is enough", async (memory) => {
    const { path, read } = scene();
    const input = npyOfZeros(path("in.npy"), 48 * MIB);
    const result = await sluice(["apply", "--memory", memory, "--json", "relu", input, path("out.npy")]);
    expectDone(result);
    expectLittleMemory(result);
    expect(Buffer.compare(read("out.npy"), read("in.npy"))).toBe(0);
  });

  it.each(["1", "64KiB", "131071", "0", "-5", "0.1", "lots", "1e9", "9PiB", "99999999999GiB", ""])(
    "%j is a mistake, however small the input",
    async (memory) => {
      const { write, path, untouched } = scene();
      const input = write("in.arrow", fixture("small.arrow"));
      const result = await untouched(() =>
        sluice(["apply", `--memory=${memory}`, "relu", input, path("out.arrow")]),
      );
      expectError(result, 2, /memory/);
    },
  );

  it("that cannot hold the values of all channels says how much more it takes", async () => {
    const { path, untouched } = scene();
    const input = arrowOfZeros(path("in.arrow"), "file", MIB);
    const options = { ops: "prelu([1, 2, 3, 4])", memory: "128KiB" };
    const failing = untouched(() => transform(input, path("out.arrow"), options));
    await expect(failing).rejects.toThrow(MemoryError);
    await expect(failing).rejects.toMatchObject({
      remedy: expect.stringMatching(/^Give \d+ bytes more/),
    });
  });
});

it("a limit on address space leaves no room for the arena, and that is told", async () => {
  const { path, untouched } = scene();
  const input = npyOfZeros(path("in.npy"), MIB);
  const shell = 'ulimit -v 4000000; exec "$@"';
  const result = await untouched(() => sluice(["apply", "relu", input, path("out.npy")], { shell }));
  expectError(result, 1, /No shared WebAssembly memory .*\n {2}Raise the limit on address space/);
});

describe("workers", () => {
  it.each(["1", "3", "1000000"])("%s at most give the same bytes", async (workers) => {
    const { path, read } = scene();
    const input = npyOfZeros(path("in.npy"), 48 * MIB);
    const result = await sluice(["apply", "--workers", workers, "--json", "relu", input, path("out.npy")]);
    expect(expectDone(result).workers).toBeLessThanOrEqual(Number(workers));
    expect(Buffer.compare(read("out.npy"), read("in.npy"))).toBe(0);
  });

  it.each(["0", "-1", "1.5", "two", "1e3", "99999999999999999999", ""])(
    "%j are a mistake",
    async (workers) => {
      const { write, path, untouched } = scene();
      const input = write("in.arrow", fixture("small.arrow"));
      const result = await untouched(() =>
        sluice(["apply", `--workers=${workers}`, "relu", input, path("out.arrow")]),
      );
      expectError(result, 2, /--workers cannot be/);
      for (const each of [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY]) {
        await expect(transform(input, path("out"), { ops: "relu", workers: each })).rejects.toThrow(
          UsageError,
        );
      }
    },
  );
});

it("as many transforms as someone starts share one arena, which holds them or says that it is full", async () => {
  const { path, names } = scene();
  const input = npyOfZeros(path("in.npy"), MIB);
  const many = Array.from({ length: 100 }, (_, i) =>
    transform(input, path(`out${i}`), { ops: "relu", memory: "4GiB", workers: 64 }),
  );
  const results = await Promise.allSettled(many);
  for (const [i, result] of results.entries()) {
    expect(names().includes(`out${i}`)).toBe(result.status === "fulfilled");
    if (result.status === "rejected") expect(result.reason).toBeInstanceOf(MemoryError);
  }
});
