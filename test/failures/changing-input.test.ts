/** Inputs that change under the reader's feet. */
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { TruncatedError } from "../../src/errors.ts";
import { close } from "../../src/pipeline/close.ts";
import { inspect } from "../../src/pipeline/inspect.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { arrowOfZeros, npyOfZeros } from "../support/inputs.ts";
import { expectError, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const MIB = 2 ** 20;
const make: Record<string, (path: string) => string> = {
  arrow: (path) => arrowOfZeros(path, "file", (96 * MIB) / 16),
  arrows: (path) => arrowOfZeros(path, "stream", (96 * MIB) / 16),
  npy: (path) => npyOfZeros(path, 96 * MIB),
};

afterAll(close);

/** Calls `change` once some of the input is done, and much of it is not. */
function inTheMiddle(change: () => void) {
  let changed = false;
  return () => {
    if (!changed) change();
    changed = true;
  };
}

describe.each(Object.entries(make))("an %s input", (extension, makeInput) => {
  it.each([0, 1000, 50 * MIB])("that shrinks to %i bytes while it is read", async (length) => {
    const { path, write, read, names } = scene();
    const input = makeInput(path(`in.${extension}`));
    const output = write(`out.${extension}`, "what was here before");
    const onProgress = inTheMiddle(() => truncateSync(input, length));
    const failing = transform(input, output, { ops: "relu", overwrite: true, workers: 1, onProgress });
    await expect(failing).rejects.toThrow(TruncatedError);
    await expect(failing).rejects.toMatchObject({
      position: { path: input, byteOffset: expect.any(Number) },
      remedy: expect.stringMatching(/\w/),
    });
    expect(read(`out.${extension}`).toString()).toBe("what was here before");
    expect(names()).toEqual([`in.${extension}`, `out.${extension}`]);
  });

  it("that shrinks while the command waits for a slow reader", async () => {
    const { path } = scene();
    const input = makeInput(path(`in.${extension}`));
    const result = await sluice(["apply", "relu", input, "-"], {
      stdout: "open",
      started(child) {
        // Until someone reads on, no more than some windows are read ahead.
        child.stdout!.once("readable", () => {
          truncateSync(input, MIB);
          child.stdout!.resume();
        });
      },
    });
    expectError(result, 1, /The input became shorter while it was read \(.*in\.\w+, byte \d+\)/);
  });

  it("that grows while it is read is taken as it was", async () => {
    const { path, read } = scene();
    const input = makeInput(path(`in.${extension}`));
    const before = read(`in.${extension}`);
    const onProgress = inTheMiddle(() => appendFileSync(input, "and more, and more"));
    await transform(input, path("out"), { ops: "relu", workers: 1, onProgress });
    // Of zeros, relu makes zeros.
    expect(Buffer.compare(read("out"), before)).toBe(0);
  });

  it("that is replaced while it is read is taken as it was", async () => {
    const { path, read, write } = scene();
    const input = makeInput(path(`in.${extension}`));
    const before = read(`in.${extension}`);
    const onProgress = inTheMiddle(() => renameSync(write("new", "something else"), input));
    await transform(input, path("out"), { ops: "relu", workers: 1, onProgress });
    expect(Buffer.compare(read("out"), before)).toBe(0);
  });

  it("that shrinks while it is inspected", async () => {
    const { path } = scene();
    const input = makeInput(path(`in.${extension}`));
    const looking = inspect(input, { statistics: "all" });
    // Its size is known by the time that the first block comes.
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(input, "");
    await expect(looking).rejects.toThrow();
  });
});
