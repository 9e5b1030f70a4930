import { closeSync, openSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Device, OtherReads } from "../../src/device.ts";
import { TruncatedError } from "../../src/errors.ts";
import { backward } from "../../src/ops/backward.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { openCpuDevice } from "../../src/workers/cpu.ts";
import { acquirePool, closePool } from "../../src/workers/pool.ts";
import { openSmallDevice } from "../../src/workers/small.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { bytesOf } from "../support/kernel.ts";

const { path, write, read } = temporaryDirectory();
afterAll(closePool);

const DEVICES: Readonly<Record<string, () => Promise<Device>>> = {
  "the small device": async () => openSmallDevice(),
  "the main thread": async () => openCpuDevice({ workers: 1, memory: 2 ** 24 }),
  "a worker": async () => {
    const pool = acquirePool(1);
    while (!pool.ready) await new Promise((resolve) => setTimeout(resolve, 10));
    pool.release();
    return openCpuDevice({ workers: 1, memory: 2 ** 24, expectedBytes: 2 ** 30 });
  },
};

const program = backward(parseChain("leaky_relu(0.5)"));
const tensor = { name: "v", dtype: "float32", shape: [null], channels: null } as const;

/**
 * ```text
 *   x.bin    ? 1 -2 ? ? 3 -4       dy.bin   10 20 | 30 40
 * ```
 */
async function runPieces(device: Device, pieces: (windowBytes: number) => number[]): Promise<Float32Array> {
  const xPath = write("x.bin", bytesOf(Float32Array.of(99, 1, -2, 99, 99, 3, -4)));
  const dyPath = write("dy.bin", bytesOf(Float32Array.of(10, 20, 30, 40)));
  const outPath = path("out.bin");
  const fds = [openSync(xPath, "r"), openSync(dyPath, "r"), openSync(outPath, "w")] as const;
  try {
    await device.prepare(program, [tensor]);
    const slot = await device.acquire();
    const { windowBytes } = device;
    const others: OtherReads = { fd: fds[0], path: xPath, pieces: Float64Array.from(pieces(windowBytes)) };
    try {
      await device.run({
        slot,
        length: 16,
        ranges: Float64Array.of(0, 2, 0, 0, windowBytes, 8, 2, 0, 0, windowBytes + 11),
        read: { fd: fds[1], path: dyPath, offset: 0 },
        others,
        write: { fd: fds[2], path: outPath, offset: 0 },
      });
    } finally {
      device.release(slot);
    }
    return new Float32Array(new Uint8Array(read("out.bin")).buffer);
  } finally {
    for (const fd of fds) closeSync(fd);
    device.close();
  }
}

describe.each(Object.entries(DEVICES))("%s", (_, open) => {
  it("reads pieces of another file to their places", async () => {
    const device = await open();
    const dx = await runPieces(device, (at) => [4, 8, at, 20, 8, at + 11]);
    expect([...dx]).toEqual([10, 10, 30, 20]);
    expect(device.name).toBe("cpu");
  });

  it("says where a piece is missing", async () => {
    const device = await open();
    const failing = runPieces(device, (at) => [4, 8, at, 24, 8, at + 11]);
    await expect(failing).rejects.toThrow(TruncatedError);
    await expect(failing).rejects.toMatchObject({
      position: { path: expect.stringMatching(/x\.bin$/), byteOffset: 28 },
    });
  });
});
