/** Interrupted: promptly over with 130, whatever the command waits for, and nothing left. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fixtures.ts";
import { npyOfZeros, oneBatch } from "../support/inputs.ts";
import { expectLittleMemory, type ProcessResult, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const GIB = 2 ** 30;
const stream = fixture("small.arrows");

function expectInterrupted(result: ProcessResult): void {
  expect(result).toMatchObject({ hung: false, signal: null, code: 130 });
  expect(result.stderr).toMatch(/^sluice: .*\n( {2}.*\n)?$/);
  expectLittleMemory(result);
}

/** Whether the process has got so far that it handles signals itself. Node catches all of them but SIGHUP, the first bit. */
function listens({ pid }: ChildProcess): boolean {
  const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return caught !== undefined && (BigInt(`0x${caught}`) & 1n) !== 0n;
}

/** Sends a signal as soon as `ready` says so, and the command waits for what will not come. */
function interrupt(ready: () => boolean, ...signals: readonly NodeJS.Signals[]) {
  return async (child: ChildProcess): Promise<void> => {
    while (child.exitCode === null && !(listens(child) && ready())) await sleep(5);
    for (const signal of signals) child.kill(signal);
  };
}
const always = () => true;

describe.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s", (signal) => {
  it("halfway through a large file", async () => {
    const { path, write, root, untouched } = scene();
    const input = npyOfZeros(path("in.npy"), 16 * GIB);
    const output = write("out.npy", "what was here before");
    const halfway = (): boolean =>
      readdirSync(root).some((name) => name.endsWith(".partial") && statSync(join(root, name)).size > 1e6);
    const started = interrupt(halfway, signal);
    expectInterrupted(
      await untouched(() => sluice(["apply", "--overwrite", "relu", input, output], { started })),
    );
  });
});

describe("SIGINT while it waits", () => {
  it.each([
    ["the first byte", 0],
    ["the rest of the schema", 100],
    ["the rest of a batch", stream.length - 50],
    ["the end marker", stream.length - 5],
  ])("for %s, from a pipe", async (_what, length) => {
    const { path, names } = scene();
    for (const operands of [
      ["apply", "relu", "-", path("out.arrow")],
      ["apply", "relu", "-", "-"],
      ["inspect", "-"],
    ]) {
      const result = await sluice(operands, {
        stdin: "open",
        started(child) {
          child.stdin!.write(stream.slice(0, length), () => interrupt(always, "SIGINT")(child));
        },
      });
      expectInterrupted(result);
    }
    expect(names()).toEqual([]);
  });

  it("for a reader of its output", async () => {
    const { path } = scene();
    const input = npyOfZeros(path("in.npy"), GIB);
    for (const operands of [
      ["apply", "relu", input, "-"],
      ["apply", "relu", "-", "-"],
    ]) {
      const result = await sluice(operands, {
        stdin: "open",
        stdout: "open",
        started(child) {
          // A producer that never stops.
          const { head } = oneBatch("stream", 2 ** 40);
          const more = (): void =>
            void child.stdin!.write(new Uint8Array(65_536), (error) => error || more());
          child.stdin!.write(head, more);
          child.stdout!.once("readable", () => interrupt(always, "SIGINT")(child));
        },
      });
      expectInterrupted(result);
    }
  });

  it("for a writer of the named pipe that is its input", async () => {
    const { path, untouched } = scene();
    execFileSync("mkfifo", [path("in.arrow")]);
    for (const operands of [
      ["apply", "relu", path("in.arrow"), path("out.arrow")],
      ["inspect", path("in.arrow")],
    ]) {
      const started = interrupt(always, "SIGINT");
      expectInterrupted(await untouched(() => sluice(operands, { started })));
    }
  });

  it("for a reader of the named pipe that is its output", async () => {
    const { path, write, untouched } = scene();
    const input = write("in.arrows", stream);
    execFileSync("mkfifo", [path("out.arrow")]);
    const started = interrupt(always, "SIGINT");
    expectInterrupted(
      await untouched(() => sluice(["apply", "relu", input, path("out.arrow")], { started })),
    );
  });
});

it("a second signal, right after the first, leaves nothing either", async () => {
  const { path, root, untouched } = scene();
  const input = npyOfZeros(path("in.npy"), 16 * GIB);
  const halfway = (): boolean =>
    readdirSync(root).some((name) => name.endsWith(".partial") && statSync(join(root, name)).size > 1e6);
  const started = interrupt(halfway, "SIGINT", "SIGTERM");
  const result = await untouched(() => sluice(["apply", "relu", input, path("out.npy")], { started }));
  expect(result).toMatchObject({ hung: false, signal: null, code: 130 });
});

it("with --quiet, an interrupted command says nothing", async () => {
  const started = interrupt(always, "SIGINT");
  const result = await sluice(["apply", "--quiet", "relu", "-", "-"], { stdin: "open", started });
  expect(result).toMatchObject({ code: 130, stderr: "" });
});
