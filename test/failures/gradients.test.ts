/** What goes wrong on the way backward: each with its class, its place and its remedy, and no output. */
import { Readable } from "node:stream";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import {
  ColumnError,
  createGradTransform,
  defineOp,
  type FileGradOptions,
  grad,
  gradBatches,
  MemoryError,
  type SluiceError,
  TruncatedError,
  UnsupportedError,
  UsageError,
} from "../../src/index.ts";
import { pow2 } from "../../src/ops/expr.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes } from "../support/npy.ts";
import { ipc, type PairsOptions, pairs } from "../support/pairs.ts";

const directory = temporaryDirectory();
const OPS = { ops: "leaky_relu" };
const XY = { ...OPS, inputColumn: "x", upstream: "dy" };

const f32 = new arrow.Float32();
const item = (type: arrow.DataType) => new arrow.Field("item", type, true);
const list = (type: arrow.DataType) => new arrow.List(item(type));
const fixed = (size: number, type: arrow.DataType) => new arrow.FixedSizeList(size, item(type));

function write(
  name: string,
  columns: Record<string, arrow.Vector>,
  format: "file" | "stream" = "file",
): string {
  return directory.write(name, arrow.tableToIPC(new arrow.Table(columns), format));
}
const from = (values: readonly unknown[], type: arrow.DataType) =>
  arrow.vectorFromArray(values as never, type) as arrow.Vector;

/** The error of a run that must fail and leave nothing. */
async function errorOf(
  input: Parameters<typeof grad>[0],
  options: FileGradOptions = XY,
): Promise<SluiceError> {
  const before = directory.names();
  const name = options.upstream === undefined ? "never.npy" : "never.arrow";
  const error = await grad(input, directory.path(name), options).then(
    () => new Error("It did not fail"),
    (cause: SluiceError) => cause,
  );
  expect(directory.names()).toEqual(before);
  return error as SluiceError;
}

describe("two columns that do not match", () => {
  it.each([
    ["dtypes", fixed(2, f32), fixed(2, new arrow.Float64())],
    ["lengths", fixed(2, f32), fixed(1, f32)],
    ["nesting", list(f32), f32],
  ] as const)("of different %s are both named with their types", async (_, xType, dyType) => {
    const make = (type: arrow.DataType) =>
      from(
        [type instanceof arrow.Float ? 1 : new Array((type as arrow.FixedSizeList).listSize ?? 2).fill(1)],
        type,
      );
    const input = write("types.arrow", { x: make(xType), dy: make(dyType) });
    const error = await errorOf(input);
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toMatch(/"dy" is \S.*, but "x" is \S/);
    expect(error.position).toEqual({ path: input, column: "dy" });
    expect(error.remedy).toContain("one type");
  });

  const ragged = (format: "file" | "stream") =>
    write(
      `ragged-${format}.arrow`,
      { x: from([[1, 2], [3], [4]], list(f32)), dy: from([[1, 2], [3, 5], []], list(f32)) },
      format,
    );
  it.each(["file", "stream"] as const)("in the lengths of their rows, in a %s", async (format) => {
    const error = await errorOf(ragged(format));
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain("row 1 ends at different elements");
    expect(error.position).toMatchObject({ batch: 0, column: "x" });
  });

  it("in the lengths of their rows, in a pipe", async () => {
    const bytes = directory.read("ragged-stream.arrow");
    const stream = Readable.from([bytes]).pipe(createGradTransform(XY));
    await expect(stream.toArray()).rejects.toThrow("row 1 ends at different elements");
  });

  it("in the number of elements", async () => {
    const input = write("more.arrow", {
      x: from([[1, 2], [3]], list(f32)),
      dy: from(
        [
          [1, 2],
          [3, 5],
        ],
        list(f32),
      ),
    });
    expect((await errorOf(input)).message).toContain("The batch has 3 elements of x, but 4 of dy");
  });

  it("in memory", async () => {
    const table = new arrow.Table({
      x: from([[1, 2], [3], [4]], list(f32)),
      dy: from([[1, 2], [3, 5], []], list(f32)),
    });
    const error = await gradBatches(table.batches, XY)
      .next()
      .catch((cause: SluiceError) => cause);
    expect(error).toBeInstanceOf(ColumnError);
    expect((error as SluiceError).position).toEqual({ batch: 0, column: "dy" });
  });
});

describe("columns that are not as named", () => {
  const input = () =>
    write("columns.arrow", {
      x: from([[1, 2]], fixed(2, f32)),
      dy: from([[1, 2]], fixed(2, f32)),
      words: from(["a"], new arrow.Utf8()),
    });

  it.each([
    [{ inputColumn: "y" }, ColumnError, /no such column.*"y"/],
    [{ upstream: "dz" }, ColumnError, /no such column; did you mean "dy"/],
    [{ inputColumn: "words" }, ColumnError, /utf8, not a tensor/],
    [{ inputColumn: "dy" }, UsageError, /"dy" cannot be x and dy at once/],
    [{ upstream: undefined }, UsageError, /not said which column is dy/],
    [{ inputColumn: undefined }, UsageError, /not said which column is x/],
    [{ inputColumn: undefined, upstream: undefined }, UsageError, /not said which columns are x and dy/],
  ] as const)("%j", async (options, type, message) => {
    const error = await errorOf(input(), { ...XY, ...options });
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
  });

  it("slopes for another number of channels", async () => {
    const error = await errorOf(input(), { ...XY, ops: "prelu([1, 2, 3])" });
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toMatch(/prelu.alpha has 3 values/);
  });
});

describe("npy inputs that do not match", () => {
  const x = directory.write("x.npy", npyBytes(new Float32Array(6), [2, 3]));
  const dy = directory.write("dy.npy", npyBytes(new Float32Array(6), [3, 2]));

  it("are both named with their shapes", async () => {
    const error = await errorOf({ x, dy }, OPS);
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain(`x (${x}) is float32[2, 3], but dy (${dy}) is float32[3, 2]`);
  });

  it("where x ends too soon", async () => {
    const short = directory.write("short.npy", directory.read("dy.npy").subarray(0, -4));
    const fromFile = await errorOf({ x: short, dy }, OPS);
    expect(fromFile).toBeInstanceOf(TruncatedError);
    expect(fromFile.position.path).toBe(short);
    const stream = Readable.from([directory.read("short.npy")]);
    expect(await errorOf({ x: stream, dy }, OPS)).toBeInstanceOf(TruncatedError);
  });

  it("where one is Arrow", async () => {
    const table = write("one.arrow", { x: from([1], f32), dy: from([1], f32) });
    expect((await errorOf({ x: table, dy }, OPS)).message).toContain("x is no npy file");
    expect((await errorOf({ x, dy: table }, OPS)).message).toContain("Two inputs are for npy");
  });

  it("where one is missing, or both are the same, or columns are named", async () => {
    expect((await errorOf(x, OPS)).message).toContain("a gradient needs two: x and dy");
    expect((await errorOf({ x, dy: x }, OPS)).message).toContain("x and dy are the same input");
    expect((await errorOf({ x, dy }, XY)).message).toContain("columns are named too");
  });
});

describe("from the output", () => {
  it.each([
    ["leaky_relu(-0.5)", "alpha is -0.5, so the sign of x cannot be told"],
    ["leaky_relu(0)", "alpha is 0, so the sign"],
    ["prelu([0.5, -1])", "alpha is -1, so the sign"],
    ["tanh", "The output of tanh does not tell its input"],
    ["relu | relu", "Of a chain of ops"],
  ])("%s is refused with the reason", async (ops, reason) => {
    const error = await errorOf("never read", { ...XY, ops, fromOutput: true });
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(reason);
  });
});

it("an op without a derivative says so, before anything is read", async () => {
  defineOp("power_of_two", {}, (x) => pow2(x));
  const error = await errorOf("never read", { ...XY, ops: "power_of_two" });
  expect(error).toBeInstanceOf(UnsupportedError);
  expect(error.message).toContain("pow2 has no derivative");
});

describe("a pipe whose batches do not fit", () => {
  const wide: PairsOptions = {
    ...{ dtype: "float32", nesting: [100], rows: [4000], order: "x first" },
    ...{ inStruct: false, nulls: false, seed: 1 },
  };

  for (const order of ["x first", "dy first"] as const) {
    it(`says how much memory it takes, ${order}`, async () => {
      const bytes = ipc(pairs({ ...wide, order }), "stream");
      const run = (memory: number | string) =>
        Readable.from([bytes])
          .pipe(createGradTransform({ ...XY, memory }))
          .toArray();
      const error = (await run("1MiB").catch((cause) => cause)) as SluiceError;
      expect(error).toBeInstanceOf(MemoryError);
      const enough = Number(/--memory (\d+) or more/.exec(error.remedy!)![1]);
      expect(enough).toBeGreaterThanOrEqual(4000 * 100 * 4);
      expect(error.remedy).toContain("path of a file");
      expect(Buffer.concat(await run(enough))).toHaveLength(bytes.length);
      await expect(run(enough - 1)).rejects.toThrow(MemoryError);
    });
  }

  it("ends in the middle of a batch", async () => {
    const bytes = ipc(pairs({ ...wide, order: "dy first" }), "stream");
    const cut = Readable.from([bytes.subarray(0, bytes.length / 2)]).pipe(createGradTransform(XY));
    await expect(cut.toArray()).rejects.toThrow(TruncatedError);
  });
});

describe("a row that does not fit", () => {
  const long = pairs({
    ...{ dtype: "float32", nesting: [200_000], rows: [2], order: "x first" },
    ...{ inStruct: false, nulls: false, seed: 1 },
  });
  const options = { ...XY, ops: "softmax", workers: 1 };

  it("says in which column and batch, and how much memory it takes", async () => {
    const input = directory.write("long.arrow", ipc(long, "file"));
    const error = await errorOf(input, { ...options, memory: "1MiB" });
    expect(error).toBeInstanceOf(MemoryError);
    expect(error.message).toContain("A row of 200000 elements");
    expect(error.position).toEqual({ path: input, column: "dy", batch: 0 });
    const memory = /--memory: (\d+KiB)/.exec(error.remedy!)![1]!;
    const { elements } = await grad(input, directory.path("long-out.arrow"), { ...options, memory });
    expect(elements).toBe(400_000);
  });

  it("says so of batches in memory", async () => {
    const batches = gradBatches(long.batches, { ...options, memory: "1MiB" });
    await expect(batches.next()).rejects.toThrow(MemoryError);
    await expect(batches.gradients).rejects.toThrow(MemoryError);
  });
});
