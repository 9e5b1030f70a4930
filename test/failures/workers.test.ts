/** Worker threads that are killed, that crash, that cannot even load: an error, and the next transform works. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WorkerError } from "../../src/errors.ts";
import { close } from "../../src/pipeline/close.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { acquirePool } from "../../src/workers/pool.ts";
import { build } from "../support/build.ts";
import { npyOfZeros } from "../support/inputs.ts";
import { expectError, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
/** Enough that the work is not over before the workers are up. */
const ENDLESS = 2 ** 40;

describe("a worker that is killed in the middle of its work", () => {
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => void workers.push(worker);
  beforeEach(() => void process.on("worker", remember));
  afterEach(() => void process.off("worker", remember));
  afterAll(close);

  /** Kills workers until one that was at work is among them, and the transform has settled. */
  async function killDuring(transforming: Promise<unknown>): Promise<void> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    void transforming.then(note, note);
    while (!settled) {
      await sleep(20);
      await workers.pop()?.terminate();
    }
  }

  it("fails the transform with a WorkerError, leaves no file, and the next one works", async () => {
    const { path, untouched, read } = scene();
    const input = npyOfZeros(path("in.npy"), ENDLESS);
    const small = npyOfZeros(path("small.npy"), 64 * MIB);
    for (const output of ["/dev/null", path("out.npy")]) {
      await untouched(async () => {
        const transforming = transform(input, output, { ops: "relu", workers: 2 });
        await killDuring(transforming);
        await expect(transforming).rejects.toThrow(WorkerError);
        await expect(transforming).rejects.toThrow(/^A worker thread failed: /);
      });
    }
    await transform(small, path("out.npy"), { ops: "relu", workers: 2 });
    expect(Buffer.compare(read("out.npy"), read("small.npy"))).toBe(0);
  });

  it("while several transforms run: each is whole or fails", async () => {
    const { path, read, names } = scene();
    const input = npyOfZeros(path("in.npy"), 128 * MIB);
    const all = Promise.allSettled(
      Array.from({ length: 4 }, (_, i) => transform(input, path(`out${i}`), { ops: "relu", workers: 2 })),
    );
    await killDuring(all);
    for (const [i, result] of (await all).entries()) {
      expect(names().includes(`out${i}`)).toBe(result.status === "fulfilled");
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(WorkerError);
      else expect(Buffer.compare(read(`out${i}`), read("in.npy"))).toBe(0);
    }
    expect(names().filter((name) => name.includes("partial"))).toEqual([]);
  });
});

/** The compiled package with another worker file; the whole command runs on it. */
function withWorker(code: string): { main: string; library: string } {
  const copy = mkdtempSync(join(tmpdir(), "sluice-worker-"));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(build(), copy, { recursive: true });
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(copy, "node_modules"));
  writeFileSync(join(copy, "dist", "workers", "entry.js"), code);
  return { main: join(copy, "dist", "cli", "main.js"), library: join(copy, "dist", "index.js") };
}

const ping = "export function ping() { return true; }\n";
const afterSome = (what: string): string =>
  `${ping} let n = 0; export default function run() { if (n++ > 2) { ${what} } return { ok: true }; }`;
const broken: Record<string, readonly [code: string, says: RegExp]> = {
  "throws when it is loaded": ["throw new Error('cannot load');", /A worker thread failed: cannot load/],
  "is no JavaScript": ["this is no JavaScript", /A worker thread failed: /],
  "exits when it is loaded": ["process.exit(7);", /A worker thread failed: .*7/],
  "has no function": ["export {}", /A worker thread failed: No handler/],
  "throws at work": [afterSome("throw new TypeError('lost')"), /A worker thread failed: lost/],
  "throws what is no error": [afterSome("throw 'tantrum'"), /A worker thread failed: tantrum/],
  "exits at work": [afterSome("process.exit(3)"), /A worker thread failed: .*3/],
  "runs out of memory": [
    afterSome("const all = []; for (;;) all.push(new Array(1e6).fill(n))"),
    /A worker thread failed: .*memory/,
  ],
  "crashes beside its work": [
    afterSome("setImmediate(() => { throw new Error('stray') }); return new Promise(() => {})"),
    /A worker thread failed: stray/,
  ],
};

describe.each(Object.entries(broken))("a worker file that %s", (_how, [code, says]) => {
  it("fails the command", async () => {
    const { path, write, untouched } = scene();
    const input = npyOfZeros(path("in.npy"), 512 * MIB);
    const output = write("out.npy", "what was here before");
    const { main } = withWorker(code);
    // With all the memory of the machine for its heap, a thread would take long to run out of it.
    const shell = 'NODE_OPTIONS=--max-old-space-size=64 exec "$@"';
    const result = await untouched(() =>
      sluice(["apply", "--overwrite", "relu", input, output], { main, shell }),
    );
    expectError({ ...result, peak: 1 }, 1, says);
  });
});

it("after workers that could not load, the next transform starts new ones", async () => {
  const { path, read } = scene();
  const { library } = withWorker("throw new Error('cannot load');");
  const good = build();
  const input = npyOfZeros(path("in.npy"), 256 * MIB);
  const script = join(library, "..", "script.mjs");
  writeFileSync(
    script,
    `import { copyFileSync } from "node:fs";
     import { transform } from "./index.js";
     const [input, output, good] = process.argv.slice(2);
     const first = await transform(input, output, { ops: "relu" }).catch((error) => error);
     console.log(first.code);
     copyFileSync(good, new URL("./workers/entry.js", import.meta.url));
     const second = await transform(input, output, { ops: "relu" });
     console.log(second.workers > 0);`,
  );
  const entry = join(good, "dist", "workers", "entry.js");
  const result = await sluice([input, path("out.npy"), entry], { main: script });
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout.toString()).toBe("ERR_WORKER\ntrue\n");
  expect(Buffer.compare(read("out.npy"), read("in.npy"))).toBe(0);
});

it("workers cannot require an ES module: Node aborts the process when a thread is ended in the middle of that", async () => {
  onTestFinished(close);
  const { path } = scene();
  const module = path("required.mjs");
  writeFileSync(module, "export default () => process.features.require_module ?? false;");
  const pool = acquirePool(1);
  try {
    expect(await pool.runIn(module, null)).toBe(false);
  } finally {
    pool.release();
  }
});
