/** @file Reading ahead: while the rows of one group of windows are served, the next one is read, and no more. */
import { describe, expect, it } from "vitest";
import type { WindowBuffer } from "../../../src/train/data/buffers.ts";
import type { Table } from "../../../src/train/data/column.ts";
import { Epoch } from "../../../src/train/data/epoch.ts";
import { Loader } from "../../../src/train/data/loader.ts";
import { RowBuffer } from "../../../src/train/data/row-buffer.ts";
import { RowWindows } from "../../../src/train/data/row-windows.ts";

/** Ten windows of 4 rows, of which the last one has 2. */
const ROWS = 38;
const starts = Float64Array.of(0, ROWS);
const table = { path: "", rows: ROWS, starts, features: [], label: undefined, weight: undefined };
const windows = new RowWindows([table as unknown as Table], 4);
const usable = Uint32Array.from({ length: 10 }, (_, window) => windows.rowsIn(window));
const none = { skipped: 0, validation: 0, isWeighted: true, trainRows: [], validationRows: [] };
const survey = {
  ...{
    usable,
    heldOut: new Uint32Array(10),
    usableBefore: Float64Array.from(usable, (_, i) => 4 * i),
    train: ROWS,
  },
  ...none,
};

/** An epoch over groups of two windows, in order; `log` tells which buffer was asked to read what. */
function epoch(fail: (first: number) => boolean = () => false) {
  const log: string[] = [];
  const given: unknown[] = [];
  const layout = { features: 1, targets: 1, weighted: false, gaps: false };
  const bufferOf = (name: string): WindowBuffer => {
    const buffer = new RowBuffer(8, layout);
    return {
      async load(these) {
        log.push(`${name} ${[...(these as Uint32Array)].join(" ")}`);
        await new Promise(setImmediate);
        if (fail(these[0]!)) throw new Error(`window ${these[0]}`);
        const bases = Array.from(these, (_, i) => 4 * i);
        for (let row = 0; row < 8; row++) buffer.features[row] = 4 * these[0]! + row;
        return { buffer, bases };
      },
    };
  };
  const loader = new Loader(windows, survey, 1, 0, null);
  const buffers = [bufferOf("a"), bufferOf("b")] as const;
  const options = { part: "train", rows: 9 } as const;
  const reader = new Epoch(
    loader,
    options,
    () => buffers,
    (back) => given.push(back),
  );
  const target = {
    features: new Float32Array(ROWS),
    targets: new Float32Array(ROWS),
    weights: new Float32Array(ROWS),
  };
  const fill = async (rows: number): Promise<number[]> => {
    const filled = await reader.fill(target, rows);
    return [...target.features.subarray(0, filled)];
  };
  return { reader, fill, log, given, buffers };
}

describe("an epoch", () => {
  it("reads two groups at first, and the next one only when the one before is served", async () => {
    const { fill, log } = epoch();
    expect(log).toEqual([]);
    expect(await fill(7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(log).toEqual(["a 0 1", "b 2 3"]);
    expect(await fill(1)).toEqual([7]);
    expect(log).toEqual(["a 0 1", "b 2 3"]);
    expect(await fill(1)).toEqual([8]);
    expect(log).toEqual(["a 0 1", "b 2 3", "a 4 5"]);
    expect((await fill(100)).length).toBe(ROWS - 9);
    expect(log).toEqual(["a 0 1", "b 2 3", "a 4 5", "b 6 7", "a 8 9"]);
  });

  it("gives its buffers back at its end, or when it is closed", async () => {
    const { reader, fill, given, buffers } = epoch();
    await fill(ROWS);
    expect(given).toEqual([]);
    expect(await fill(1)).toEqual([]);
    expect(given).toEqual([buffers]);
    await reader.close();
    const other = epoch();
    await other.fill(1);
    await other.reader.close();
    expect(other.given).toEqual([other.buffers]);
  });

  it("does not read what is skipped as a whole", async () => {
    const { reader, fill, log } = epoch();
    await reader.skip(27);
    expect(log).toEqual([]);
    expect(await fill(2)).toEqual([27, 28]);
    expect(log).toEqual(["a 6 7", "b 8 9"]);
  });

  it("tells that a read has failed when its rows are asked for", async () => {
    const { fill, reader } = epoch((first) => first === 2);
    expect((await fill(8)).length).toBe(8);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    await expect(fill(1)).rejects.toThrow("window 2");
    await expect(fill(1)).rejects.toThrow("window 2");
    await reader.close();
  });
});
