/** @file Ops along the last axis on real inputs: npy, Arrow lists of fixed and of varying length, arrays in memory. */
import { Readable } from "node:stream";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { ColumnError, CorruptError, MemoryError, UnsupportedError, UsageError } from "../../src/errors.ts";
import {
  createTransform,
  defineOp,
  grad,
  gradBatches,
  layerNorm,
  leakyRelu,
  logSoftmax,
  mul,
  rowSum,
  softmax,
  transform,
  transformBatches,
} from "../../src/index.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes, npyValues } from "../support/npy.ts";
import { chainReference } from "../support/row-reference.ts";
import { write } from "../support/written.ts";

const directory = temporaryDirectory();
let files = 0;
const newPath = (extension: string): string => directory.path(`${files++}.${extension}`);
const CHAIN = "leaky_relu(0.1) | softmax";

/** Numbers that are exact in float32. */
const number = (i: number): number => Math.round(Math.sin(i * 12.9898) * 5000) / 1024;
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => number(i));

function expectRow(got: ArrayLike<number>, x: readonly number[], chain = CHAIN): void {
  expect(got).toHaveLength(x.length);
  const truth = chainReference(chain, x);
  const wrong = truth.findIndex((value, i) => !(Math.abs(got[i]! - value) <= 1e-7 * Math.abs(value) + 1e-37));
  expect({ wrong, got: got[wrong] }).toEqual({ wrong: -1, got: undefined });
}

/** The lists of a column, nulls as they are. */
type Rows = readonly (readonly number[] | null)[];

function columnOf(rows: Rows, type: arrow.DataType = new arrow.List(item)): arrow.Vector {
  return arrow.vectorFromArray(rows as never, type as never) as arrow.Vector;
}
const item = new arrow.Field("item", new arrow.Float32(), true);

function rowsOf(vector: arrow.Vector): (number[] | null)[] {
  return Array.from(vector, (row) => (row ? Array.from(row as Iterable<number>) : null));
}

async function throughStream(
  bytes: Uint8Array,
  options: Parameters<typeof createTransform>[0],
  chunk = 1000,
) {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunk) parts.push(bytes.subarray(at, at + chunk));
  const out: Uint8Array[] = [];
  for await (const part of Readable.from(parts).pipe(createTransform(options))) out.push(part as Uint8Array);
  return Buffer.concat(out);
}

const LENGTHS = [3, 0, 1, 7, 0, 0, 64, 5, 1025, 2, 0];

/** Lists of all those lengths. */
function varyingRows(repeat = 1): number[][] {
  let i = 0;
  return Array.from({ length: repeat }, () => LENGTHS)
    .flat()
    .map((length) => Array.from({ length }, () => number(i++)));
}

describe("npy", () => {
  it.each([
    [7, 3],
    [5, 1000],
    [40, 5000],
    [3, 100_003],
  ])("%i rows of %i elements each become a distribution", async (count, length) => {
    const x = numbers(count * length);
    const input = directory.write(`${files++}.npy`, npyBytes(x, [count, length]));
    const output = newPath("npy");
    await transform(input, output, { ops: CHAIN });
    const y = npyValues(directory.read(output.slice(output.lastIndexOf("/") + 1)));
    for (let row = 0; row < count; row++) {
      const at = row * length;
      expectRow(y.subarray(at, at + length), [...x.subarray(at, at + length)]);
    }
  });

  it("gives the same bits for any number of workers and any memory, and from a pipe", async () => {
    const bytes = npyBytes(numbers(300 * 2001), [300, 2001]);
    const input = directory.write(`${files++}.npy`, bytes);
    const results: Buffer[] = [];
    for (const options of [{}, { workers: 1 }, { memory: 256 * 1024 }, { memory: 8 * 2 ** 20, workers: 3 }]) {
      const output = newPath("npy");
      await transform(input, output, { ops: "layer_norm | softmax", ...options });
      results.push(directory.read(output.slice(output.lastIndexOf("/") + 1)));
    }
    results.push(await throughStream(bytes, { ops: "layer_norm | softmax" }, 10_007));
    for (const result of results) expect(result.equals(results[0]!)).toBe(true);
  });

  it("a row that does not fit says how much memory it takes, and with that it fits", async () => {
    const input = directory.write(`${files++}.npy`, npyBytes(numbers(2 * 300_000), [2, 300_000]));
    const output = newPath("npy");
    const error = await transform(input, output, { ops: "softmax", memory: 512 * 1024 }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(MemoryError);
    const [, size] = /--memory[^0-9]*([0-9]+)KiB/.exec((error as MemoryError).remedy ?? "")!;
    await transform(input, output, { ops: "softmax", memory: Number(size) * 1024 });
    const y = npyValues(directory.read(output.slice(output.lastIndexOf("/") + 1)));
    expectRow(y.subarray(0, 300_000), [...numbers(300_000)], "softmax");
  });

  it("in column-major order is refused, with what to do", async () => {
    const bytes = Buffer.from(npyBytes(numbers(6), [2, 3]));
    bytes.write("True, ", bytes.indexOf("False,"), "latin1");
    const input = directory.write(`${files++}.npy`, bytes);
    const failure = transform(input, newPath("npy"), { ops: "softmax" });
    await expect(failure).rejects.toThrow(UnsupportedError);
    await expect(failure).rejects.toThrow(/lie 2 apart/);
  });
});

describe("lists of varying length", () => {
  const rows: Rows = [...varyingRows(), null, [1, 2], ...varyingRows()];

  it.each(["file", "stream"] as const)(
    "in an Arrow %s are a row each, from a file and from a pipe",
    async (kind) => {
      const table = new arrow.Table({
        id: columnOf([[1], [2]].flatMap(() => rows)),
        t: columnOf([...rows, ...rows]),
      });
      const bytes = write(kind, ...table.batches);
      const input = directory.write(`${files++}.arrow`, bytes);
      const output = newPath(kind === "file" ? "arrow" : "arrows");
      await transform(input, output, { ops: CHAIN, columns: ["t"] });
      const fromFile = directory.read(output.slice(output.lastIndexOf("/") + 1));
      // A file of apache-arrow's has no schema before its batches, which a pipe would need.
      for (const chunk of kind === "file" ? [] : [37, 100_000]) {
        const fromPipe = await throughStream(bytes, { ops: CHAIN, columns: ["t"] }, chunk);
        expect(fromPipe.equals(fromFile)).toBe(true);
      }
      const result = arrow.tableFromIPC(fromFile);
      expect(rowsOf(result.getChild("id")!)).toEqual(rowsOf(table.getChild("id")!));
      for (const [i, row] of rowsOf(result.getChild("t")!).entries()) {
        const before = [...rows, ...rows][i]!;
        if (before === null) expect(row).toBeNull();
        else expectRow(row!, [...before]);
      }
    },
  );

  it("in many rows cross windows", async () => {
    const all = varyingRows(400);
    const table = new arrow.Table({ t: columnOf(all) });
    const input = directory.write(`${files++}.arrow`, write("file", ...table.batches));
    const output = newPath("arrow");
    await transform(input, output, { ops: CHAIN, memory: 256 * 1024, workers: 2 });
    const result = arrow.tableFromIPC(directory.read(output.slice(output.lastIndexOf("/") + 1)));
    for (const [i, row] of rowsOf(result.getChild("t")!).entries()) expectRow(row!, all[i]!);
  });

  it("in lists are the innermost ones", async () => {
    const nested = [[[1, 2], [], [3]], [], [[4, 5, 6]]];
    const type = new arrow.List(new arrow.Field("item", new arrow.List(item), true));
    const table = new arrow.Table({ t: columnOf(nested as never, type) });
    const out = arrow.tableFromIPC(
      await throughStream(write("stream", ...table.batches), { ops: "softmax" }),
    );
    const got = Array.from(out.getChild("t")!, (outer: Iterable<Iterable<number>>) =>
      Array.from(outer, (inner) => Array.from(inner)),
    );
    for (const [i, outer] of nested.entries()) {
      expect(got[i]).toHaveLength(outer.length);
      for (const [j, inner] of outer.entries()) expectRow(got[i]![j]!, inner, "softmax");
    }
  });

  it("of fixed length within lists are the rows", async () => {
    const type = new arrow.List(new arrow.Field("item", new arrow.FixedSizeList(2, item), true));
    const table = new arrow.Table({
      t: columnOf(
        [
          [
            [1, 2],
            [3, 5],
          ],
          [],
          [[0, 4]],
        ] as never,
        type,
      ),
    });
    const out = arrow.tableFromIPC(
      await throughStream(write("stream", ...table.batches), { ops: "softmax" }),
    );
    const values = out.batches[0]!.data.children[0]!.children[0]!.children[0]!.values as Float32Array;
    for (const [i, pair] of [
      [1, 2],
      [3, 5],
      [0, 4],
    ].entries()) {
      expectRow(values.subarray(2 * i, 2 * i + 2), pair, "softmax");
    }
  });

  it("leave what no row holds as it is", async () => {
    const values = Float32Array.of(9, 9, 1, 2, 3, 4, 5, 9);
    const child = arrow.makeData({ type: new arrow.Float32(), length: 8, data: values });
    const data = arrow.makeData({
      ...{ type: new arrow.List(item), length: 3, nullCount: 0, child },
      valueOffsets: Int32Array.of(2, 4, 4, 7),
    });
    const table = new arrow.Table({ t: new arrow.Vector([data]) });
    for await (const batch of transformBatches(table.batches, { ops: "softmax" })) {
      const got = batch.data.children[0]!.children[0]!.values as Float32Array;
      expect([got[0], got[1], got[7]]).toEqual([9, 9, 9]);
      expectRow(got.subarray(2, 4), [1, 2], "softmax");
      expectRow(got.subarray(4, 7), [3, 4, 5], "softmax");
    }
  });

  it("with offsets that lie are corrupt", async () => {
    const table = new arrow.Table({ t: columnOf([[1, 2], [3], [4, 5]]) });
    for (const lie of [7, -1, 100]) {
      const bytes = Buffer.from(write("stream", ...table.batches));
      const offsets = Buffer.from(Int32Array.of(0, 2, 3, 5).buffer);
      const at = bytes.indexOf(offsets);
      expect(at).toBeGreaterThan(0);
      bytes.writeInt32LE(lie, at + 4);
      await expect(throughStream(bytes, { ops: "softmax" })).rejects.toThrow(CorruptError);
      const input = directory.write(`${files++}.arrows`, bytes);
      await expect(transform(input, newPath("arrows"), { ops: "softmax" })).rejects.toThrow(CorruptError);
    }
  });

  it("longer than the memory say how much they take", async () => {
    const table = new arrow.Table({ t: columnOf([[1], Array.from(numbers(200_000)), [2]]) });
    const input = directory.write(`${files++}.arrow`, write("file", ...table.batches));
    const failure = transform(input, newPath("arrow"), { ops: "softmax", memory: 256 * 1024 });
    await expect(failure).rejects.toThrow(MemoryError);
    await expect(failure).rejects.toMatchObject({ remedy: expect.stringMatching(/--memory/) as unknown });
  });
});

describe("gradients through rows", () => {
  const rows = varyingRows(3);
  const dys = rows.map((row) => row.map((_, i) => number(i + 7777)));
  const table = new arrow.Table({ x: columnOf(rows), dy: columnOf(dys), id: columnOf(rows) });
  const options = { ops: CHAIN, inputColumn: "x", upstream: "dy" } as const;

  /** dx of one row, and what it adds to the gradient of the slope. */
  function expectDx(dx: readonly number[], x: readonly number[], dy: readonly number[]): number {
    const alpha = 0.1;
    const y = chainReference(CHAIN, x);
    const dot = y.reduce((total, value, i) => total + value * dy[i]!, 0);
    let slope = 0;
    for (const [i, value] of x.entries()) {
      const ds = y[i]! * (dy[i]! - dot);
      const truth = value > 0 ? ds : alpha * ds;
      expect(Math.abs(dx[i]! - truth)).toBeLessThanOrEqual(1e-6 * Math.abs(truth) + 1e-12);
      if (value <= 0) slope += ds * value;
    }
    return slope;
  }

  it("give the same bits from files, pipes and batches, for any number of workers", async () => {
    const bytes = write("stream", ...table.batches);
    const input = directory.write(`${files++}.arrows`, bytes);
    const gradients: unknown[] = [];
    const results: Buffer[] = [];
    for (const more of [{}, { workers: 1, memory: 256 * 1024 }, { workers: 3, memory: 4 * 2 ** 20 }]) {
      const output = newPath("arrows");
      const result = await grad(input, output, { ...options, ...more });
      gradients.push(result.gradients);
      results.push(directory.read(output.slice(output.lastIndexOf("/") + 1)));
    }
    const piped = newPath("arrows");
    const { gradients: fromPipe } = await grad(Readable.from([bytes]), piped, options);
    gradients.push(fromPipe);
    results.push(directory.read(piped.slice(piped.lastIndexOf("/") + 1)));
    for (const each of gradients) expect(each).toEqual(gradients[0]);
    for (const each of results) expect(each.equals(results[0]!)).toBe(true);

    const dx = rowsOf(arrow.tableFromIPC(results[0]!).getChild("dy")!);
    let slope = 0;
    for (const [i, x] of rows.entries()) slope += expectDx(dx[i]!, x, dys[i]!);
    const [got] = Object.values(gradients[0] as Record<string, number>);
    expect(got).toBeCloseTo(slope, 8);

    const batches = gradBatches(table.batches, options);
    for await (const batch of batches) {
      const leaf = batch.getChild("dy")!;
      expect(rowsOf(leaf)).toEqual(dx);
    }
  });
});

describe("columns without rows", () => {
  it("of plain floats have no axis: a clear error", async () => {
    const table = new arrow.Table({ f: arrow.vectorFromArray([1, 2, 3], new arrow.Float32()) });
    const failure = throughStream(write("stream", ...table.batches), { ops: "softmax", columns: ["f"] });
    await expect(failure).rejects.toThrow(ColumnError);
    await expect(failure).rejects.toThrow(/goes along the last axis, but the column has no axis/);
  });

  it("variable_shape_tensors of two axes are refused", async () => {
    const data = new arrow.Field("data", new arrow.List(new arrow.Field("item", new arrow.Float32())));
    const shape = new arrow.Field(
      "shape",
      new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Int32())),
    );
    const type = new arrow.Struct([data, shape]);
    const vector = arrow.vectorFromArray([{ data: [1, 2], shape: [1, 2] }], type as never);
    const metadata = new Map([["ARROW:extension:name", "arrow.variable_shape_tensor"]]);
    const schema = new arrow.Schema([new arrow.Field("t", type, true, metadata)]);
    const batch = new arrow.RecordBatch(
      schema,
      arrow.makeData({
        type: new arrow.Struct(schema.fields),
        length: 1,
        nullCount: 0,
        children: [vector.data[0]!],
      }),
    );
    const failure = throughStream(write("stream", batch), { ops: "softmax" });
    await expect(failure).rejects.toThrow(UnsupportedError);
    await expect(failure).rejects.toThrow(/variable_shape_tensor of 2 axes/);
    const inMemory = transformBatches([batch], { ops: "softmax" })[Symbol.asyncIterator]();
    await expect(inMemory.next()).rejects.toThrow(/variable_shape_tensor of 2 axes/);
  });
});

describe("arrays in memory", () => {
  it("are one row unless told otherwise", () => {
    expectRow(softmax(Float32Array.of(1, 2, 3)), [1, 2, 3], "softmax");
    const two = softmax(Float32Array.of(1, 2, 3, 5), { rowLength: 2 });
    expectRow(two.subarray(0, 2), [1, 2], "softmax");
    expectRow(two.subarray(2), [3, 5], "softmax");
    expect(softmax(new Float32Array(0), { rowLength: 3 })).toEqual(new Float32Array(0));
  });

  it.each([511, 512, 70_000, 200_003])("of %i elements in one row", (length) => {
    const x = numbers(length);
    expectRow(softmax(x), [...x], "softmax");
  });

  it("of many rows are the rows one by one", () => {
    const x = numbers(300 * 1000);
    const y = logSoftmax(x, { rowLength: 1000 });
    for (const row of [0, 1, 65, 66, 299]) {
      const at = 1000 * row;
      expectRow(y.subarray(at, at + 1000), [...x.subarray(at, at + 1000)], "log_softmax");
    }
  });

  it("have gradients by row, and parameters' gradients over all of them", () => {
    for (const count of [4, 150]) {
      const [x, dy] = [numbers(count * 5), numbers(count * 5).reverse()];
      const { dx, gradients } = layerNorm.backward(x, dy, { rowLength: 5, eps: 0.5 });
      let total = 0;
      for (let row = 0; row < count; row++) {
        const [from, to] = [5 * row, 5 * row + 5];
        const one = layerNorm.backward(x.slice(from, to), dy.slice(from, to), { eps: 0.5 });
        expect(dx.slice(from, to)).toEqual(one.dx);
        total += one.gradients.eps as number;
      }
      expect(gradients.eps).toBeCloseTo(total, 6);
    }
  });

  it("refuse a rowLength that does not divide them, or that nothing asks for", () => {
    const x = new Float32Array(6);
    expect(() => softmax(x, { rowLength: 4 })).toThrow(/rowLength is 4, which does not divide/);
    for (const rowLength of [0, -2, 1.5, NaN]) expect(() => softmax(x, { rowLength })).toThrow(UsageError);
    expect(() => leakyRelu(x, { rowLength: 3 })).toThrow(/takes no rowLength/);
    expect(() => defineOp("rows_taken", { rowLength: 1 }, (x) => x)).toThrow(/called rowLength/);
  });

  it("go through ops of one's own along rows", () => {
    const share = defineOp("share_of_row", { scale: 1 }, (x, { scale }) => mul(scale, mul(x, rowSum(x))));
    expect(share(Float64Array.of(1, 2, 3, 4), { rowLength: 2 })).toEqual(Float64Array.of(3, 6, 21, 28));
    const { dx, gradients } = share.backward(Float64Array.of(1, 2), Float64Array.of(1, 1));
    expect([...dx]).toEqual([6, 6]);
    expect(gradients).toEqual({ scale: 9 });
  });
});
