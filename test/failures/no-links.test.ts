/** A file system without hard links, as FAT is: outputs appear whole all the same, and nothing is overwritten unasked. */
import { readFileSync, rmSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { IoError, OutputExistsError } from "../../src/errors.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { scene } from "../support/scene.ts";

vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  link: () => Promise.reject(Object.assign(new Error("not permitted"), { code: "EPERM" })),
}));

const whole = fixture("small.arrow");

it("a new output is put in its place", async () => {
  const { write, path, names } = scene();
  const input = write("in.arrow", whole);
  await transform(input, path("out.arrow"), { ops: "mul(1)" });
  expect(Buffer.compare(readFileSync(path("out.arrow")), whole)).toBe(0);
  expect(names()).toEqual(["in.arrow", "out.arrow"]);
});

it("of several at once one wins, and the others are told", async () => {
  const { write, path, names } = scene();
  const input = write("in.arrow", whole);
  for (let round = 0; round < 20; round++) {
    const runs = [1, 2, 3, 4].map(() => transform(input, path("out.arrow"), { ops: "mul(1)" }));
    const settled = await Promise.allSettled(runs);
    const losers = settled.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect(losers).toHaveLength(3);
    for (const loser of losers) expect(loser).toBeInstanceOf(OutputExistsError);
    expect(Buffer.compare(readFileSync(path("out.arrow")), whole)).toBe(0);
    expect(names()).toEqual(["in.arrow", "out.arrow"]);
    rmSync(path("out.arrow"));
  }
});

it("where the temporary file is taken away, no empty output stays", async () => {
  const { write, path, names } = scene();
  const input = write("in.arrow", whole);
  const onProgress = (): void => {
    for (const name of names()) if (name.endsWith(".partial")) rmSync(path(name));
  };
  await expect(transform(input, path("out.arrow"), { ops: "mul(1)", onProgress })).rejects.toThrow(IoError);
  expect(names()).toEqual(["in.arrow"]);
});
