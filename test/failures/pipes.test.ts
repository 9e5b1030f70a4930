/** Neighbours in a pipeline that leave early: readers that have seen enough, writers that die. */
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { EXIT } from "../../src/cli/exit.ts";
import { close } from "../../src/pipeline/close.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { arrowOfZeros, npyOfZeros } from "../support/inputs.ts";
import { expectError, expectLittleMemory, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const stream = fixture("small.arrows");

afterAll(close);

/** Ends a shell with the exit code of one command of its last pipeline, not of the last one. */
const exitWith = (command: number): string => `exit $\{PIPESTATUS[${command}]}`;

describe("a reader that closes the pipe early ends the command quietly", () => {
  it.each(["", "--json", "--quiet"])("file to pipe %s", async (option) => {
    const { path, untouched } = scene();
    const input = npyOfZeros(path("in.npy"), 256 * MIB);
    const shell = `"$@" | head -c 100000; ${exitWith(0)}`;
    const options = option === "" ? [] : [option];
    const result = await untouched(() => sluice(["apply", ...options, "relu", input, "-"], { shell }));
    expect(result).toMatchObject({ hung: false, signal: null, code: EXIT.brokenPipe, stderr: "" });
    expect(result.stdout.length).toBe(100_000);
    expectLittleMemory(result);
  });

  it("pipe to pipe, and the producer is told", async () => {
    const { path } = scene();
    const input = arrowOfZeros(path("in.arrows"), "stream", (256 * MIB) / 16);
    const shell = `cat ${input} | "$@" | head -c 100000; ${exitWith(1)}`;
    const result = await sluice(["apply", "relu", "-", "-"], { shell });
    expect(result).toMatchObject({ hung: false, signal: null, code: EXIT.brokenPipe, stderr: "" });
  });

  it("a reader that never reads", async () => {
    const { path } = scene();
    const input = npyOfZeros(path("in.npy"), 256 * MIB);
    const result = await sluice(["apply", "relu", input, "-"], {
      shell: `"$@" | true; ${exitWith(0)}`,
    });
    expect(result).toMatchObject({ hung: false, signal: null, code: EXIT.brokenPipe, stderr: "" });
  });

  it("a named pipe", async () => {
    const { path, names } = scene();
    const input = npyOfZeros(path("in.npy"), 256 * MIB);
    execFileSync("mkfifo", [path("pipe")]);
    const shell = `head -c 100000 ${path("pipe")} > /dev/null & "$@"; code=$?; wait; exit $code`;
    const result = await sluice(["apply", "relu", input, path("pipe")], { shell });
    expect(result).toMatchObject({ hung: false, signal: null, code: EXIT.brokenPipe, stderr: "" });
    expect(names()).toEqual(["in.npy", "pipe"]);
  });

  it("inspect and help, too", async () => {
    for (const operands of [
      ["inspect", new URL("../fixtures/leaves.arrow", import.meta.url).pathname],
      ["--help"],
    ]) {
      const result = await sluice(operands, { shell: `"$@" | true; ${exitWith(0)}` });
      expect(result).toMatchObject({ hung: false, signal: null, stderr: "" });
      expect([EXIT.done, EXIT.brokenPipe]).toContain(result.code);
    }
  });
});

it("a slow reader gets everything: the workers come while stdout is blocked", async () => {
  const { path, read } = scene();
  const input = arrowOfZeros(path("in.arrows"), "stream", (96 * MIB) / 16);
  const shell = `cat ${input} | "$@" | (sleep 0.5; cat) > ${path("out")}; ${exitWith(1)}`;
  const result = await sluice(["apply", "relu", "-", "-"], { shell });
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(Buffer.compare(read("out"), read("in.arrows"))).toBe(0);
});

describe("a producer that dies", () => {
  it.each([0, 3, 100, stream.length - 60])("after %i bytes gives an error and no output", async (length) => {
    const { write, path, untouched } = scene();
    write("out.arrows", "what was here before");
    const part = write("part", stream.slice(0, length));
    const shell = `(cat ${part}; kill -9 $BASHPID) 2>/dev/null | "$@"`;
    const result = await untouched(() =>
      sluice(["apply", "--overwrite", "relu", "-", path("out.arrows")], { shell }),
    );
    expectError(result, 1, /^sluice: The (input|stream) /);
  });

  it("from a named pipe", async () => {
    const { write, path, names } = scene();
    const part = write("part", stream.slice(0, 300));
    execFileSync("mkfifo", [path("pipe")]);
    const shell = `cat ${part} > ${path("pipe")} & "$@"; code=$?; wait; exit $code`;
    const result = await sluice(["apply", "relu", path("pipe"), path("out.arrows")], { shell });
    expectError(result, 1, /^sluice: The input ends /);
    expect(names()).toEqual(["part", "pipe"]);
  });
});

it("what goes through named pipes is what goes through files", async () => {
  const { write, path, read } = scene();
  const input = write("in.arrows", stream);
  execFileSync("mkfifo", [path("a"), path("b")]);
  const shell = `cat ${input} > ${path("a")} & cat ${path("b")} > ${path("piped")} & "$@"; code=$?; wait; exit $code`;
  const result = await sluice(["apply", "leaky_relu", path("a"), path("b")], { shell });
  expect(result).toMatchObject({ code: 0, stderr: "" });
  await transform(input, path("out.arrows"), { ops: "leaky_relu" });
  expect(Buffer.compare(read("piped"), read("out.arrows"))).toBe(0);
});

it("named pipes close no descriptor but their own", async () => {
  // A descriptor that is closed twice takes whatever file got its number meanwhile with it.
  const { write, path } = scene();
  const input = write("in.arrows", stream);
  for (let round = 0; round < 20; round++) {
    const [a, b] = [path(`a${round}`), path(`b${round}`)];
    execFileSync("mkfifo", [a, b]);
    const others = Array.from({ length: 8 }, () => readAll(createReadStream(input)));
    const feeding = transform(input, a, { ops: "relu" });
    const passing = transform(a, b, { ops: "relu" });
    const [piped] = await Promise.all([readAll(createReadStream(b)), feeding, passing]);
    expect(piped.length).toBe(stream.length);
    for (const bytes of await Promise.all(others)) expect(Buffer.compare(bytes, stream)).toBe(0);
  }
});

async function readAll(readable: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readable) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
