/** An input that ends too early, cut at every boundary that matters, as a file and through a pipe. */
import { rmSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { SluiceError } from "../../src/errors.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { findFooter, findMessages } from "../support/lies.ts";
import { expectError, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const arrow = fixture("tensors.arrow");
const arrows = fixture("tensors.arrows");
const npy = fixture("c_f4.npy");

/** Where the parts of an Arrow input begin, by name. */
function boundaries(bytes: Uint8Array): Record<string, number> {
  const messages = findMessages(bytes);
  const [schema, batch] = [messages[0]!, messages.find(({ type }) => type === 3)!];
  return {
    "the schema's prefix": schema.offset + 3,
    "the schema's length": schema.offset + 6,
    "the schema": schema.offset + 100,
    "the prefix of a batch": batch.offset + 2,
    "the metadata of a batch": batch.offset + 50,
    "the gap between metadata and body": batch.offset + batch.lead,
    "the body": batch.offset + batch.lead + 5,
    "the last byte of a body": batch.offset + batch.lead + batch.bodyLength - 1,
  };
}

const last = findMessages(arrow).at(-1)!;
const end = last.offset + last.lead + last.bodyLength;
const footer = findFooter(arrow);
const cuts: Record<string, readonly [bytes: Uint8Array, cuts: Record<string, number>]> = {
  arrow: [
    arrow,
    {
      "the magic": 4,
      "the padding of the magic": 7,
      ...boundaries(arrow),
      "the end marker": end + 4,
      "the footer": footer.start + 20,
      "the footer's length": footer.lengthAt + 2,
      "the end magic": arrow.length - 3,
    },
  ],
  arrows: [arrows, { ...boundaries(arrows), "the end marker": arrows.length - 3 }],
  npy: [
    npy,
    {
      "the magic": 4,
      "the version": 7,
      "the header's length": 9,
      "the header": 40,
      "the gap between header and array": 10 + npy[8]! + npy[9]! * 256,
      "an element": npy.length - 2,
    },
  ],
};

describe.each(Object.entries(cuts))("%s cut in", (extension, [bytes, places]) => {
  it.each(Object.entries(places))("%s", async (_place, length) => {
    const { untouched, write, path } = scene();
    const cut = bytes.slice(0, length);
    write(`in.${extension}`, cut);
    write(`out.${extension}`, "what was here before");
    const apply = (input: string) =>
      sluice(["apply", "--overwrite", "leaky_relu", input, path(`out.${extension}`)], { stdin: cut });
    const results = await untouched(() => Promise.all([apply(path(`in.${extension}`)), apply("-")]));
    for (const result of results) {
      expectError(result, 1, /^sluice: (The (input|file)|An Arrow file) .*(byte \d+\)$|has only \d+ bytes)/m);
    }
  });
});

describe("cut at any byte, an input gives no output and the library goes on", () => {
  it.each(Object.entries(cuts))("%s", async (extension, [bytes]) => {
    const { write, path, names } = scene();
    const input = `in.${extension}`;
    for (let length = 0; length < bytes.length; length += 29) {
      const cut = bytes.slice(0, length);
      write(input, cut);
      const whole = extension === "arrows" && endsABatch(cut);
      const options = { ops: "leaky_relu", overwrite: true };
      const fromFile = transform(path(input), path("out"), options);
      const piped = transform(
        Readable.from([cut]),
        new Writable({ write: (_, __, done) => done() }),
        options,
      );
      for (const result of await Promise.allSettled([fromFile, piped])) {
        if (whole) continue;
        expect(result).toMatchObject({ status: "rejected", reason: expect.any(SluiceError) });
      }
      expect(names()).toEqual(whole ? [input, "out"] : [input]);
      rmSync(path("out"), { force: true });
    }
  });
});

/** A stream may end without a marker, after any of its messages. */
function endsABatch(cut: Uint8Array): boolean {
  return findMessages(arrows).some(
    (message) => cut.length === message.offset + message.lead + message.bodyLength,
  );
}
