/** @file How much memory rows take, and inputs that lie about how much there is. */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { MemoryError, SluiceError } from "../../../src/errors.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { findMessages, lie } from "../../support/lies.ts";
import { randomFrom } from "../../support/random.ts";
import { fixed, list, write } from "../../support/written.ts";
import { batches, column, DEFAULTS, file, numberedBatches, serve } from "./served.ts";

const directory = temporaryDirectory();
const KIB = 1024;
/** 4,000 rows of 1 KiB. */
const path = directory.write("a.arrow", write("file", ...numberedBatches([4000], 255)));

describe("memory", () => {
  it("is two buffers, or what all rows take where that is less", async () => {
    const sizes: number[] = [];
    for (const shuffle of [0, 1024 * KIB, 1500 * KIB, 64 * KIB * KIB]) {
      const data = await openDataset(path, { ...DEFAULTS, shuffle });
      sizes.push(Math.ceil(data.memory / KIB / KIB));
      await data.close();
    }
    // A window is 1 MiB, and rows that are not shuffled have buffers of their own, of up to four.
    expect(sizes).toEqual([5, 5, 6, 4]);
  });

  it("that is too small is an error that says what to give", async () => {
    const error = await openDataset(path, { ...DEFAULTS, shuffle: 1900 * KIB, memory: 3000 * KIB }).catch(
      (error) => error,
    );
    expect(error).toBeInstanceOf(MemoryError);
    expect(error.message).toContain("take 8MiB; 3MiB are left for them");
    expect(error.remedy).toMatch(/^Give 5MiB more with --memory \(in the API: memory\)/);
  });

  it("that is left over lets a smaller shuffle be given, which then fits", async () => {
    const rows = Array.from({ length: 8 }, (_, i) => (i + 1) * 4000);
    const big = directory.write("big.arrow", write("file", ...numberedBatches(rows, 255)));
    const memory = 20 * KIB * KIB;
    const error = await openDataset(big, { ...DEFAULTS, shuffle: 15 * KIB * KIB, memory }).catch(
      (error) => error,
    );
    const [, less] = /--shuffle such as (\d+)MiB/.exec(error.remedy)!;
    const data = await openDataset(big, { ...DEFAULTS, shuffle: Number(less) * KIB * KIB, memory });
    expect(data.memory).toBeLessThanOrEqual(memory);
    expect(Number(less)).toBeGreaterThan(3);
    await data.close();
  });
});

describe("lengths that lie", () => {
  const columns = {
    x: column(
      [
        [1, 2],
        [3, 4],
      ],
      fixed(2, new arrow.Float32()),
    ),
    y: column([0, 1], new arrow.Int32()),
  };
  const bytes = file(columns, "stream");
  const { at } = findMessages(bytes).find(({ type }) => type === 3)!;
  const open = (content: Uint8Array) => openDataset(directory.write("lie.arrows", content), { ...DEFAULTS });

  it.each([
    ["rows", [[at.rows, 2n ** 50n], ...at.nodes.map((node) => [node, 2n ** 50n])]],
    ["rows of a column", [[at.nodes[0]!, 3]]],
    ["slots of the elements", [[at.nodes[1]!, 3]]],
    ["a short values buffer", [[at.buffers[2]! + 8, 8]]],
    ["a buffer outside of the body", [[at.buffers[2]!, 2n ** 40n]]],
    ["a short label buffer", [[at.buffers.at(-1)! + 8, 4]]],
    ["a short validity", [[at.nodes[0]! + 8, 1]]],
  ] as [string, [number, bigint | number][]][])(
    "%s are found before anything is read",
    async (_, changes) => {
      const used = process.memoryUsage().arrayBuffers;
      await expect(open(lie(bytes, ...changes))).rejects.toThrow(SluiceError);
      expect(process.memoryUsage().arrayBuffers - used).toBeLessThan(64 * KIB * KIB);
    },
  );

  it("a huge file of one batch is opened without reading it, and asks for what a row needs", async () => {
    // 2 rows of 2 GiB, in a hole.
    const size = 2 ** 29;
    const type = fixed(size, new arrow.Float32());
    const child = arrow.makeData({ type: new arrow.Float32(), length: 2, data: Float32Array.of(1, 2) });
    const x = new arrow.Vector([arrow.makeData({ type, length: 2, child })]);
    const bytes = file({ y: column([0, 1], new arrow.Int32()), x }, "stream");
    const message = findMessages(bytes).find(({ type }) => type === 3)!;
    const values = message.at.buffers.at(-1)!;
    const offset = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(values, true));
    const length = 2 * size * 4;
    const lying = lie(
      bytes,
      [message.at.bodyLength, offset + length],
      [message.at.nodes.at(-1)!, 2 * size],
      [values + 8, length],
    );
    const path = directory.write(
      "huge.arrows",
      lying.subarray(0, message.offset + message.lead + message.bodyLength),
    );
    const fd = openSync(path, "r+");
    ftruncateSync(fd, message.offset + message.lead + offset + length);
    closeSync(fd);
    const error = await openDataset(path, { ...DEFAULTS, memory: 2 ** 28 }).catch((error) => error);
    expect(error).toBeInstanceOf(MemoryError);
    expect(error.message).toContain("4097MiB; 256MiB are left");
  });

  it("a flipped byte is an error of ours or changes a value, and never more", async () => {
    const parts = [0, 3].map((start) => ({
      x: column([[start, 1], null, [3, 4]], list(new arrow.Float32())),
      t: column(
        [
          [1, 2],
          [3, null],
          [5, 6],
        ],
        fixed(2, new arrow.Float64()),
      ),
      y: column(["a", null, "b"], start === 0 ? new arrow.Utf8() : new arrow.Utf8()),
    }));
    const encoded = file({
      x: column([[1], [2]], fixed(1, new arrow.Float32())),
      y: column(["a", "b"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())),
    });
    const random = randomFrom(7);
    const originals = [write("file", ...batches(...parts)), write("stream", ...batches(...parts)), encoded];
    for (const [kind, original] of originals.entries()) {
      for (let run = 0; run < 150; run++) {
        const bytes = Uint8Array.from(original);
        bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        const path = directory.write("flipped.arrow", bytes);
        const features = kind === 2 ? "x" : ["x", "t"];
        try {
          const data = await openDataset(path, {
            ...DEFAULTS,
            features,
            label: "y",
            skipNulls: true,
            memory: 2 ** 24,
          });
          const { features: rows } = await serve(data, data.open("train", 0));
          expect(rows.length).toBe(data.rows.train);
          await data.close();
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
        }
      }
    }
  });
});
