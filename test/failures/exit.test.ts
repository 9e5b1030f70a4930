/** A process that has used the library ends by itself, closed or not, whatever went wrong; and rejects nothing unheard. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { build } from "../support/build.ts";
import { fixture } from "../support/fixtures.ts";
import { arrowOfZeros, npyOfZeros } from "../support/inputs.ts";
import { expectLittleMemory, type ProcessResult, sluice } from "../support/process.ts";
import { type Scene, scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const LIBRARY = pathToFileURL(join(build(), "dist", "index.js")).href;

/** Bodies of scripts that see the library, and the paths of inputs: `large` takes workers, `small` and `stream` do not. */
const scripts: Record<string, string> = {
  "a transform": `await transform(large, out, { ops: "relu" });`,
  "a transform, and close": `await transform(large, out, { ops: "relu" }); await close(); await close();`,
  "close alone": `await close();`,
  "close while a transform runs, which goes on to its end": `
    let started;
    const first = new Promise((resolve) => (started = resolve));
    const running = transform(large, out, { ops: "relu", onProgress: () => started() });
    await first;
    await Promise.all([close(), running]);
    await transform(small, out, { ops: "relu", overwrite: true });
    await transform(large, out, { ops: "relu", overwrite: true });`,
  "a transform that fails": `
    await transform("missing.arrow", out, { ops: "relu" }).catch(() => {});
    await transform(large, "/dev/full", { ops: "relu" }).catch(() => {});`,
  "a transform that is aborted": `
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await transform(large, out, { ops: "relu", signal: controller.signal, onProgress }).catch(() => {});`,
  "an abort while the input stalls": `
    const stalled = new Readable({ read() {} });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await transform(stalled, out, { ops: "relu", signal: controller.signal }).catch(() => {});`,
  "a progress callback that throws": `
    const onProgress = () => { throw new Error("mine"); };
    const error = await transform(large, out, { ops: "relu", onProgress }).catch((error) => error);
    if (error.message !== "mine") throw error;`,
  "a transform stream that nobody used": `createTransform({ ops: "relu" });`,
  "a transform stream that was left in the middle": `
    const stream = createTransform({ ops: "relu" });
    stream.write(readFileSync(stream_).subarray(0, 300));
    stream.read();`,
  "a transform stream that was destroyed": `
    const stream = createTransform({ ops: "relu" });
    stream.write(readFileSync(stream_).subarray(0, 300));
    stream.destroy();`,
  "a web transform that was cancelled": `
    const { readable } = createWebTransform({ ops: "relu" });
    await readable.cancel();`,
  "streams that were left by their consumer": `
    const piped = createReadStream(huge).pipe(createTransform({ ops: "relu" }));
    for await (const chunk of piped) break;`,
  "a pipeline that broke": `
    const sink = new Writable({ write: (chunk, encoding, done) => done(new Error("full")) });
    await pipeline(createReadStream(huge), createTransform({ ops: "relu" }), sink).catch(() => {});`,
  "batches that were left in the middle": `
    const { RecordBatchReader } = await import("apache-arrow");
    const batches = [...RecordBatchReader.from(readFileSync(stream_))];
    for await (const batch of transformBatches([...batches, ...batches], { ops: "relu" })) break;`,
  "a named pipe that nobody opened": `
    execFileSync("mkfifo", [out]);
    for (const [a, b] of [[out, small + ".out"], [small, out]]) {
      await transform(a, b, { ops: "relu", signal: AbortSignal.timeout(50) }).catch(() => {});
    }`,
  "an input that was inspected": `await inspect(large); await inspect("missing").catch(() => {});`,
};

function run(here: Scene, body: string): Promise<ProcessResult> {
  const { path, write } = here;
  const paths = {
    large: npyOfZeros(path("large.npy"), 96 * MIB),
    huge: arrowOfZeros(path("huge.arrows"), "stream", (1024 * MIB) / 16),
    small: write("small.arrow", fixture("small.arrow")),
    stream_: write("stream.arrows", fixture("small.arrows")),
    out: path("out"),
  };
  const script = write(
    "script.mjs",
    `import { execFileSync } from "node:child_process";
     import { createReadStream, readFileSync } from "node:fs";
     import { Readable, Writable } from "node:stream";
     import { pipeline } from "node:stream/promises";
     import { close, createTransform, createWebTransform, inspect, transform, transformBatches } from "${LIBRARY}";
     const { large, huge, small, stream_, out } = ${JSON.stringify(paths)};
     ${body.replace('import("apache-arrow")', `import("${import.meta.resolve("apache-arrow")}")`)}
     console.log("at its end");`,
  );
  return sluice([], { main: script });
}

it.each(Object.entries(scripts))("after %s", async (_after, body) => {
  const result = await run(scene(), body);
  expect(result).toMatchObject({ hung: false, signal: null, stderr: "", code: 0 });
  expect(result.stdout.toString()).toBe("at its end\n");
  expectLittleMemory(result);
});

describe("a process that is ended in the middle leaves no output and no temporary file", () => {
  it.each([
    ["by process.exit", "process.exit(5)", 5],
    ["by an exception that nobody catches", "setImmediate(() => { throw new Error('mine') })", 1],
    ["by a rejection that nobody catches", "Promise.reject(new Error('mine'))", 1],
  ])("%s", async (_how, end, code) => {
    const here = scene();
    const result = await run(here, `await transform(huge, out, { ops: "relu", onProgress: () => ${end} });`);
    expect(result).toMatchObject({ hung: false, signal: null, code });
    expect(here.names()).toEqual(["huge.arrows", "large.npy", "script.mjs", "small.arrow", "stream.arrows"]);
  });
});
