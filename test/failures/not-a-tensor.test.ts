/** Inputs that are no Arrow or npy at all: each is named for what it is, with a way to convert it, and nothing is written. */
import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { expectError, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const zeros = new Uint8Array(100);
const png = Buffer.from("89504e470d0a1a0a0000000d494844520000000100000001", "hex");

const contents: Record<string, readonly [bytes: Uint8Array, says: RegExp]> = {
  "an empty file": [new Uint8Array(0), /The input is empty/],
  "one byte": [Uint8Array.of(7), /only 1 byte/],
  "English text": [text("To be, or not to be, that is the question."), /is text/],
  CSV: [text("x,y\n1,2\n3,4\n5,6\n7,8\n"), /is text \(CSV, perhaps\)/],
  JSON: [text('{"embedding": [1, -2, 3]}'), /looks like JSON/],
  PNG: [png, /no known format/],
  zeros: [zeros, /no known format/],
  Parquet: [Buffer.concat([text("PAR1"), zeros, text("PAR1")]), /is a Parquet file/],
  gzip: [gzipSync("ARROW1"), /compressed with gzip/],
  zip: [Buffer.concat([text("PK\x03\x04"), deflateRawSync(zeros)]), /zip archive/],
  "a pickle": [Buffer.from("80049503000000000000008c0578", "hex"), /Python pickle/],
  safetensors: [Buffer.concat([Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0), text("{}")]), /safetensors/],
  "a terminal's escape codes": [text("\x1b]0;owned\x07 and some more"), /no known format/],
};

describe.each(Object.entries(contents))("%s", (_name, [bytes, says]) => {
  it("is refused, as a file and from a pipe", async () => {
    const { write, path, untouched } = scene();
    write("in.arrow", bytes);
    write("out.arrow", "what was here before");
    const apply = (input: string) =>
      sluice(["apply", "--overwrite", "relu", input, path("out.arrow")], { stdin: bytes });
    const results = await untouched(() => Promise.all([apply(path("in.arrow")), apply("-")]));
    for (const result of results) expectError(result, 1, says);
  });
});

describe("devices", () => {
  it.each([
    ["/dev/null", /The input is empty/],
    ["/dev/zero", /no known format/],
    ["/dev/urandom", /^sluice: The input/],
  ])("%s is read no further than it takes to see that it is no tensor", async (device, says) => {
    const { path, untouched } = scene();
    const result = await untouched(() => sluice(["apply", "relu", device, path("out.arrow")]));
    expectError(result, 1, says);
  });

  it("a device behind a valid beginning is given up when a length cannot be", async () => {
    const { path, untouched } = scene();
    // An Arrow stream whose schema message is endless zeros.
    const shell = "(printf '\\377\\377\\377\\377\\0\\0\\0\\1'; cat /dev/zero) | \"$@\"";
    const result = await untouched(() => sluice(["apply", "relu", "-", path("out.arrows")], { shell }));
    expectError(result, 1, /metadata/);
  });
});

it("a directory is refused, whatever it is called", async () => {
  const { write, path, root, untouched } = scene();
  write("data.arrow/part-0.arrow", "");
  for (const input of [path("data.arrow"), root]) {
    const result = await untouched(() => sluice(["apply", "relu", input, path("out.arrow")]));
    expectError(result, 1, /Could not open the input: EISDIR .*\n {2}Name a file, not a directory/);
  }
});

it("the name of a column cannot paint the terminal", async () => {
  const { write, path } = scene();
  const input = write("in\x1b[31m.arrow", "nothing");
  const { stderr } = await sluice(["apply", "relu", input, path("out.arrow")]);
  expect(stderr).toContain("in\\u001b[31m.arrow");
});
