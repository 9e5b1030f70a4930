import { truncateSync } from "node:fs";
import { Readable } from "node:stream";
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AbortError, ColumnError, TruncatedError } from "../../src/errors.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import { float16ToNumber } from "../../src/ops/float16.ts";
import { inspect, SAMPLE_BYTES } from "../../src/pipeline/inspect.ts";
import { StatisticsGatherer } from "../../src/pipeline/statistics.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes } from "../support/npy.ts";
import { arbitraryTable, leafValues } from "../support/tables.ts";

const directory = temporaryDirectory();

type Elements = Float32Array | Float64Array | Uint16Array;

/** Straight from the definitions, one pass for each figure. */
function statisticsOf(numbers: readonly number[]) {
  const finite = numbers.filter(Number.isFinite);
  const known = finite.length > 0;
  return {
    count: numbers.length,
    nan: numbers.filter(Number.isNaN).length,
    infinite: numbers.filter((x) => Math.abs(x) === Number.POSITIVE_INFINITY).length,
    zero: numbers.filter((x) => x === 0).length,
    negative: numbers.filter((x) => x < 0).length,
    min: known ? finite.reduce((a, b) => Math.min(a, b)) : undefined,
    max: known ? finite.reduce((a, b) => Math.max(a, b)) : undefined,
  };
}

const numbersOf = (elements: Elements): number[] =>
  elements instanceof Uint16Array ? Array.from(elements, float16ToNumber) : Array.from(elements);

const elements: fc.Arbitrary<readonly [Dtype, Elements]> = fc.oneof(
  fc.uint16Array({ maxLength: 60 }).map((array) => ["float16", Uint16Array.from(array)] as const),
  fc.array(fc.float(), { maxLength: 60 }).map((array) => ["float32", Float32Array.from(array)] as const),
  fc.array(fc.double(), { maxLength: 60 }).map((array) => ["float64", Float64Array.from(array)] as const),
);

describe("statistics", () => {
  it("are those of the definitions, however the elements come", () => {
    fc.assert(
      fc.property(elements, fc.nat({ max: 60 }), ([dtype, array], cut) => {
        const gatherer = new StatisticsGatherer(dtype);
        for (const part of [array.slice(0, cut), array.slice(cut)]) {
          gatherer.add(new Uint8Array(part.buffer));
        }
        const { mean, min, max, ...counts } = gatherer.result();
        const expected = statisticsOf(numbersOf(array));
        expect(counts).toEqual({ ...expected, min: undefined, max: undefined });
        // The sign of a zero is no matter here.
        expect([min, max].map((x) => x === 0 || x)).toEqual(
          [expected.min, expected.max].map((x) => x === 0 || x),
        );
        if (min === undefined || max === undefined) expect(mean).toBeUndefined();
        else {
          const slack = 1e-12 * Math.max(Math.abs(min), Math.abs(max));
          expect(mean).toBeGreaterThanOrEqual(min - slack);
          expect(mean).toBeLessThanOrEqual(max + slack);
        }
      }),
    );
  });

  it("have the mean of all blocks together", () => {
    const gatherer = new StatisticsGatherer("float64");
    for (const block of [[1, 2, 3], [10], [Number.NaN], []]) {
      gatherer.add(new Uint8Array(Float64Array.from(block).buffer));
    }
    expect(gatherer.result().mean).toBeCloseTo(4, 12);
  });

  it("have a mean where the sum is beyond the largest number", () => {
    const gatherer = new StatisticsGatherer("float64");
    gatherer.add(new Uint8Array(Float64Array.of(1.5e308, 1.5e308, 1.5e308, -1.5e308).buffer));
    expect(gatherer.result().mean).toBeCloseTo(7.5e307, -300);
  });
});

describe("inspect", () => {
  it("agrees with apache-arrow on any table, from a file and from a pipe", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTable, async ({ schema, batches, tensors }) => {
        const table = new arrow.Table(schema, [...batches]);
        const file = directory.write("table.arrow", arrow.tableToIPC(table, "file"));
        const stream = arrow.tableToIPC(table, "stream");
        const found = [await inspect(file), await inspect(Readable.from([stream]))];
        for (const each of found) {
          const rows = batches.map(({ numRows }) => numRows);
          expect(each.rows).toBe(table.numRows);
          expect(each.batches).toEqual({
            count: rows.length,
            minRows: Math.min(...rows, ...(rows.length === 0 ? [0] : [])),
            maxRows: Math.max(0, ...rows),
          });
          expect(each.fields.map(({ name }) => name)).toEqual(schema.fields.map(({ name }) => name));
          expect(each.metadata).toEqual(Object.fromEntries(schema.metadata));
          expect(each.tensors.map(({ name, dtype }) => [name, dtype])).toEqual([...tensors]);
        }
        const [fromFile, fromPipe] = found;
        expect(fromFile).toMatchObject({ format: "arrow", bytes: directory.read("table.arrow").length });
        expect(fromPipe).toMatchObject({
          format: "arrows",
          bytes: stream.length,
          tensors: fromFile!.tensors,
        });
        for (const { name, elements: count, statistics } of fromFile!.tensors) {
          const values = batches.flatMap((batch) => numbersOf(leafValues(batch.getChild(name)!.data[0]!)));
          expect(count).toBe(values.length);
          const expected = statisticsOf(values);
          expect(statistics).toMatchObject({
            count,
            nan: expected.nan,
            zero: expected.zero,
            negative: expected.negative,
          });
        }
      }),
      { numRuns: 30 },
    );
  });

  it("samples the first 64 MiB of each tensor, unless asked for all or none", async () => {
    // Zeros that take no room on the disk.
    const path = directory.write("sparse.npy", npyBytes(Float32Array.of(7), [2 ** 31]));
    truncateSync(path, 128 + 2 ** 33);
    const array = { shape: [2 ** 31], elements: 2 ** 31, bytes: 2 ** 33 };
    const [sample] = (await inspect(path)).tensors;
    expect(sample).toMatchObject({ ...array, statistics: { count: SAMPLE_BYTES / 4, max: 7 } });
    const [none] = (await inspect(path, { statistics: "none" })).tensors;
    expect(none).toMatchObject(array);
    expect(none).not.toHaveProperty("statistics");
    const short = directory.write("short.npy", npyBytes(new Float32Array(20 * 2 ** 20)));
    const [all] = (await inspect(short, { statistics: "all" })).tensors;
    expect(all?.statistics?.count).toBe(20 * 2 ** 20);
  });

  it("adds up streams that follow one another", async () => {
    const item = new arrow.Field("item", new arrow.Float32(), true);
    const table = new arrow.Table({ t: arrow.vectorFromArray([[1], [2, 3]], new arrow.List(item)) });
    const stream = arrow.tableToIPC(table, "stream");
    const found = await inspect(Readable.from([stream, stream]));
    expect(found).toMatchObject({ rows: 4, batches: { count: 2 }, bytes: 2 * stream.length });
    expect(found.fields).toHaveLength(1);
    expect(found.tensors).toMatchObject([{ name: "t", elements: 6, statistics: { min: 1, max: 3 } }]);
  });

  it("looks at the named columns, and at none where there is no tensor", async () => {
    const table = new arrow.Table({ f: arrow.vectorFromArray([1, 2], new arrow.Float64()) });
    const path = directory.write("plain.arrow", arrow.tableToIPC(table, "file"));
    expect((await inspect(path)).tensors).toEqual([]);
    expect((await inspect(path, { columns: ["f"] })).tensors).toMatchObject([
      { name: "f", shape: [], elements: 2 },
    ]);
    await expect(inspect(path, { columns: ["g"] })).rejects.toBeInstanceOf(ColumnError);
  });

  it("finds a truncated input out", async () => {
    const bytes = npyBytes(new Float32Array(1000));
    const cut = bytes.subarray(0, 1000);
    await expect(inspect(directory.write("cut.npy", cut))).rejects.toBeInstanceOf(TruncatedError);
    await expect(inspect(Readable.from([cut]))).rejects.toBeInstanceOf(TruncatedError);
  });

  it("stops at once when it is aborted, even while it waits for bytes", async () => {
    const controller = new AbortController();
    async function* slow() {
      yield npyBytes(new Float32Array(1000)).subarray(0, 1000);
      controller.abort();
      await new Promise(() => {});
    }
    const input = Readable.from(slow());
    await expect(inspect(input, { signal: controller.signal })).rejects.toBeInstanceOf(AbortError);
    expect(input.destroyed).toBe(true);
    await expect(inspect("x", { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError);
  });
});
