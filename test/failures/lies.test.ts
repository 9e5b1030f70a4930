/**
 * Lengths and offsets that lie, in files whose every other byte is right: an error with a position, soon, and in little
 * memory, however many terabytes they promise.
 */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Float32, Table, vectorFromArray } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { SluiceError } from "../../src/errors.ts";
import { inspect } from "../../src/pipeline/inspect.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { npyHeader, oneBatch } from "../support/inputs.ts";
import { findFooter, findMessages, lie } from "../support/lies.ts";
import { expectError, sluice } from "../support/process.ts";
import { scene } from "../support/scene.ts";
import { write } from "../support/written.ts";

const file = fixture("small.arrow");
const stream = fixture("small.arrows");
type Change = Parameters<typeof lie>[1];

/** What no length and no offset can be. */
const WILD = [
  -1n,
  -(2n ** 31n),
  2n ** 31n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** Where the numbers of the record batch are, by what they are. */
function batchNumbers(bytes: Uint8Array): Record<string, number> {
  const { at } = findMessages(bytes).find(({ type }) => type === 3)!;
  return {
    "the length of the body": at.bodyLength,
    "the number of rows": at.rows,
    "the length of a column": at.nodes[0]!,
    "the length of its values": at.nodes[1]!,
    "the offset of a buffer": at.buffers.at(-1)!,
    "the length of a buffer": at.buffers.at(-1)! + 8,
  };
}

function footerNumbers(bytes: Uint8Array): Record<string, number> {
  const block = findFooter(bytes).batches[0]!;
  return { "the offset of a block": block, "the body of a block": block + 16 };
}

describe.each(Object.entries({ ...batchNumbers(file), ...footerNumbers(file) }))(
  "in a file, %s",
  (_what, at) => {
    it("is not believed", async () => {
      const { write, path, untouched } = scene();
      for (const wild of WILD) {
        const input = write("in.arrow", lie(file, [at, wild]));
        const failing = untouched(() => transform(input, path("out.arrow"), { ops: "relu" }));
        await expect(failing).rejects.toThrow(SluiceError);
        await expect(failing).rejects.toMatchObject({ position: { byteOffset: expect.any(Number) } });
      }
    });
  },
);

describe.each(Object.entries(batchNumbers(stream)))("in a stream, %s", (_what, at) => {
  it("is not believed", async () => {
    const { write, path, untouched } = scene();
    for (const wild of WILD) {
      const bytes = lie(stream, [at, wild]);
      for (const input of [write("in.arrows", bytes), Readable.from([bytes])]) {
        const failing = untouched(() => transform(input, path("out.arrows"), { ops: "relu" }));
        await expect(failing).rejects.toThrow(SluiceError);
        await expect(failing).rejects.toMatchObject({ position: { byteOffset: expect.any(Number) } });
      }
    }
  });
});

describe("the command", () => {
  const batch = findMessages(stream).find(({ type }) => type === 3)!;
  const blocks = findFooter(file);
  const { at } = findMessages(file).find(({ type }) => type === 3)!;
  const lies: Record<string, readonly [bytes: Uint8Array, extension: string, says: RegExp]> = {
    "a schema of 2 GiB": [lie(stream, [4, 2 ** 31 - 1, "int32"]), "arrows", /no known format/],
    "a schema of 60 MiB": [lie(stream, [4, 60 * 2 ** 20, "int32"]), "arrows", /ends inside the metadata/],
    "a schema of negative length": [lie(stream, [4, -8, "int32"]), "arrows", /no known format/],
    "a batch of 4 exabytes": [lie(stream, [batch.at.bodyLength, 2n ** 62n]), "arrows", /beyond 2\^53/],
    "a batch of 8 petabytes": [
      lie(stream, [batch.at.bodyLength, 2n ** 53n - 8n]),
      "arrows",
      /ends inside|middle of a batch/,
    ],
    "a million buffers": [lie(stream, [batch.at.bufferCount, 1e6, "int32"]), "arrows", /outside of itself/],
    "a buffer beyond the body": [lie(file, [at.buffers.at(-1)!, 4096]), "arrow", /not within its body/],
    "overlapping buffers": [overlapping(), "arrow", /overlap|share/],
    "blocks on top of each other": [overlappingBlocks(), "arrow", /over what is before it/],
    "a block beyond the end": [
      lie(file, [blocks.batches[0]!, 2n ** 40n]),
      "arrow",
      /does not fit before the footer/,
    ],
    "a footer of 2 GiB": [
      lie(file, [blocks.lengthAt, 2 ** 31 - 1, "int32"]),
      "arrow",
      /footer's length is 2147483647/,
    ],
    "a footer of negative length": [
      lie(file, [blocks.lengthAt, -1, "int32"]),
      "arrow",
      /footer's length is -1/,
    ],
    "a footer of no length": [lie(file, [blocks.lengthAt, 0, "int32"]), "arrow", /footer's length is 0/],
    "a footer of zeros": [zeroFooter(), "arrow", /outside of itself|metadata version/],
    "a billion batches": [lie(file, [blocks.batchCount, 1e9, "int32"]), "arrow", /outside of itself/],
    "an npy header of 4 GiB": [npyWithHeader(2 ** 32 - 1), "npy", /header has 4294967295 bytes/],
    "an npy of 4 PB": [npyHeader(2 ** 50), "npy", /ends inside|is too short|middle/],
    "an npy beyond 2^53": [npyHeader(2 ** 53), "npy", /beyond any file/],
    "an npy of negative length": [npyHeader(-5), "npy", /no tuple of lengths/],
  };

  it.each(Object.entries(lies))("does not believe %s", async (_what, [bytes, extension, says]) => {
    const { write, path, untouched } = scene();
    write("out", "what was here before");
    const input = write(`in.${extension}`, bytes);
    const options = ["apply", "--overwrite", "--format", extension, "relu"];
    const results = await untouched(() =>
      Promise.all([
        sluice([...options, input, path("out")]),
        sluice([...options, "-", path("out")], { stdin: bytes }),
      ]),
    );
    expectError(results[0], 1, says);
    // Through a pipe the same lie may be found elsewhere, and another name for it.
    expectError(results[1], 1, /^sluice: .*(byte \d+\)$|no known format)/m);
    await expect(inspect(input)).rejects.toThrow(says);
  });

  it("does not hold what a liar sends for ever", async () => {
    // A batch of 4 petabytes that keeps coming, into a reader that stops: no more than the windows is ever held.
    const { write } = scene();
    const { head } = oneBatch("stream", 2 ** 48);
    const shell = `(cat ${write("head", head)}; head -c 300000000 /dev/zero) | "$@" | tail -c 1; exit $\{PIPESTATUS[1]}`;
    expectError(
      await sluice(["apply", "relu", "-", "-"], { shell }),
      1,
      /ends in the middle of a batch .*byte 3000/,
    );
  });

  it("does not hold metadata that a liar sends for ever", async () => {
    const shell = `(printf '\\377\\377\\377\\377\\0\\0\\0\\3'; cat /dev/zero) | "$@"`;
    const result = await sluice(["apply", "relu", "-", "-"], { shell });
    expectError(result, 1, /metadata/);
  });
});

it("names of a megabyte do not flood the terminal", async () => {
  const { write: put, path } = scene();
  const names = ["a", "b"].map((name) => name.repeat(1e6));
  const columns = names.map((name) => [name, vectorFromArray([1, 2], new Float32())] as const);
  const input = put("in.arrow", write("file", new Table(Object.fromEntries(columns)).batches[0]!));
  for (const options of [[], ["--column", "none"], ["--json"]]) {
    const { code, stdout, stderr } = await sluice(["apply", ...options, "relu", input, path("out.arrow")]);
    expect(code).toBe(1);
    expect(stdout.length + stderr.length).toBeLessThan(6000);
    expect(stdout.toString() + stderr).toContain(" … ");
  }
});

function overlapping(): Uint8Array {
  const bytes = fixture("tensors.arrow");
  const { at } = findMessages(bytes).find(({ type }) => type === 3)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const filled = at.buffers.filter((buffer) => view.getBigInt64(buffer + 8, true) > 0n);
  return lie(bytes, [filled[1]!, view.getBigInt64(filled[0]!, true)]);
}

function overlappingBlocks(): Uint8Array {
  const bytes = fixture("tensors.arrow");
  const [first, second] = findFooter(bytes).batches;
  const change: Change = [second!, new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(first!, true)];
  return lie(bytes, change);
}

function zeroFooter(): Uint8Array {
  return file.slice().fill(0, findFooter(file).start, findFooter(file).lengthAt);
}

function npyWithHeader(length: number): Uint8Array {
  const bytes = new Uint8Array(readFileSync(new URL("../fixtures/version2.npy", import.meta.url)));
  new DataView(bytes.buffer).setUint32(8, length, true);
  return bytes;
}
