/** @file Files, patterns and npy pairs as one data set; and what is refused. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import {
  AbortError,
  ColumnError,
  CorruptError,
  IoError,
  NotRecognisedError,
  TruncatedError,
  UnsupportedError,
  UsageError,
} from "../../../src/errors.ts";
import { openDataset } from "../../../src/train/data/dataset.ts";
import { expandPath } from "../../../src/train/data/paths.ts";
import { temporaryDirectory } from "../../support/directory.ts";
import { fixture } from "../../support/fixtures.ts";
import { npyBytes } from "../../support/npy.ts";
import { concat } from "../../support/walk.ts";
import { fixed, list, write } from "../../support/written.ts";
import {
  batches,
  column,
  DEFAULTS,
  file,
  labelsOf,
  numbered,
  numberedBatches,
  rowsOf,
  type Served,
} from "./served.ts";

const directory = temporaryDirectory();
const rowsIn = ({ features }: Served): number[] => features.map(([row]) => row!);
const upTo = (rows: number): number[] => Array.from({ length: rows }, (_, row) => row);

describe("several files", () => {
  const a = directory.write("part-1.arrow", write("file", ...batches(numbered(0, 5))));
  const b = directory.write("part-2.arrows", write("stream", ...batches(numbered(5, 7), numbered(7, 12))));
  const c = directory.write("part-3.arrow", write("file", ...batches(numbered(12, 20))));

  it("are one after the other, files and streams alike", async () => {
    expect(rowsIn(await rowsOf([a, b, c]))).toEqual(upTo(20));
    expect(rowsIn(await rowsOf(directory.path("part-*")))).toEqual(upTo(20));
    expect(rowsIn(await rowsOf([c, a]))).toEqual([...upTo(20).slice(12), ...upTo(5)]);
  });

  it("may hold streams one after the other, with batches and rows that count on", async () => {
    const two = concat([
      write("stream", ...batches(numbered(0, 3))),
      write("stream", ...numberedBatches([3, 4]).slice(0, 1), ...batches(numbered(3, 9))),
    ]);
    const path = directory.write("two.arrows", two);
    expect(rowsIn(await rowsOf(path))).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const { x } = numbered(0, 2);
    const bad = directory.write(
      "bad.arrows",
      concat([
        write("stream", ...batches(numbered(0, 3))),
        write("stream", ...batches({ x: x!, y: column([1, null], new arrow.Int32()) })),
      ]),
    );
    await expect(rowsOf(bad)).rejects.toThrow(`The row has a null (${bad}, column "y", batch 1, row 4)`);
  });

  it("take the columns that the first one has", async () => {
    const other = {
      ...numbered(5, 8),
      id: column([[1], [2], [3]], fixed(1, new arrow.Float32())),
      z: numbered(0, 3).y!,
    };
    const path = directory.write("more.arrow", file(other));
    expect(rowsIn(await rowsOf([a, path]))).toEqual(upTo(8));
    await expect(rowsOf([path, a])).rejects.toThrow("2 columns are tensors");
  });

  const others: [string, Record<string, arrow.Vector>, string][] = [
    ["another shape", numbered(0, 2, 3), "A row of the features has the shape [3], but [2] in"],
    [
      "no such column",
      { z: numbered(0, 2).x!, y: numbered(0, 2).y! },
      "There is no such column for the features",
    ],
    [
      "labels of another kind",
      { x: numbered(0, 2).x!, y: column(["0", "1"], new arrow.Utf8()) },
      "The labels are strings, but in",
    ],
    [
      "lists of another length",
      { x: column([[1], [2]], list(new arrow.Float32())), y: numbered(0, 2).y! },
      "A row of the features has the shape [1], but [2] in",
    ],
  ];
  it.each(others)("with %s are an error at the file that differs", async (_, columns, message) => {
    const path = directory.write("other.arrow", file(columns));
    const error = await rowsOf([a, path]).catch((error) => error);
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain(message);
    expect(error.position.path).toBe(path);
  });

  it("may store the same shape and kind of label in other types", async () => {
    const x = column(
      [
        [5, -5],
        [6, -6],
      ],
      list(new arrow.Float64()),
    );
    const y = column([2n, 0n], new arrow.Dictionary(new arrow.Int64(), new arrow.Int8()));
    const path = directory.write("types.arrow", file({ x, y }));
    const served = await rowsOf([a, path]);
    expect(rowsIn(served)).toEqual(upTo(7));
    expect(labelsOf(served, served)).toEqual(upTo(7).map((row) => row % 3));
  });

  it("without rows among them do not matter", async () => {
    const x = column([], list(new arrow.Float32()));
    const none = directory.write("none.arrow", file({ x, y: column([], new arrow.Int32()) }));
    expect(rowsIn(await rowsOf([none, a, none]))).toEqual(upTo(5));
    await expect(rowsOf(none)).rejects.toThrow("The inputs have no rows");
    await expect(rowsOf([])).rejects.toThrow("The inputs have no rows");
  });
});

describe("patterns", () => {
  mkdirSync(directory.path("d/e/f"), { recursive: true });
  for (const name of [
    "d/1.arrow",
    "d/10.arrow",
    "d/2.arrow",
    "d/.hidden.arrow",
    "d/e/1.arrow",
    "d/e/f/1.npy",
    "d/[x].arrow",
  ])
    directory.write(name, "");
  const root = directory.path("d");
  it.each([
    ["*.arrow", ["1.arrow", "10.arrow", "2.arrow", "[x].arrow"]],
    ["?.arrow", ["1.arrow", "2.arrow"]],
    ["[12].arrow", ["1.arrow", "2.arrow"]],
    ["[!1]*.arrow", ["2.arrow", "[x].arrow"]],
    ["[0-9]*.arrow", ["1.arrow", "10.arrow", "2.arrow"]],
    ["{1,10}.{arrow,npy}", ["1.arrow", "10.arrow"]],
    ["*/*.arrow", ["e/1.arrow"]],
    ["**/1.*", ["1.arrow", "e/1.arrow", "e/f/1.npy"]],
    ["e/**/*", ["e/1.arrow", "e/f/1.npy"]],
    [".h*", [".hidden.arrow"]],
    ["[x].arrow", ["[x].arrow"]],
    ["plain", ["plain"]],
  ])("%s", async (pattern, names) => {
    expect(await expandPath(`${root}/${pattern}`)).toEqual(names.map((name) => `${root}/${name}`));
  });

  it.each(["*.parquet", "[3].arrow", "x/*/y", "{a,b}", "[z-a]*"])(
    "%s, which matches nothing, is an error",
    async (pattern) => {
      await expect(expandPath(`${root}/${pattern}`)).rejects.toThrow(UsageError);
    },
  );
});

/** An npy file with this header. */
function npy(descr: string, shape: readonly number[], data: Uint8Array, fortran = "False"): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape.map((n) => `${n},`).join(" ")}), }\n`;
  const head = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  head.writeUInt16LE(text.length, 8);
  return concat([head, new TextEncoder().encode(text), data]);
}
const bytes = (values: { readonly buffer: ArrayBufferLike }): Uint8Array =>
  new Uint8Array(values.buffer as ArrayBuffer);

describe("npy pairs", () => {
  const x = directory.write(
    "x.npy",
    npyBytes(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), [3, 2, 2]),
  );
  const y = directory.write("y.npy", npy("<i8", [3], bytes(BigInt64Array.of(7n, 5n, 7n))));

  it("are features and labels, row by row", async () => {
    const { featureShape, features, target, targets, label } = await rowsOf([x, y]);
    expect([featureShape, target, label]).toEqual([[2, 2], { kind: "classes", classes: [5, 7] }, undefined]);
    expect(features).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ]);
    expect(targets).toEqual([[1], [0], [1]]);
  });

  it.each([
    ["|b1", Uint8Array.of(1, 0, 1), [true, false, true]],
    ["|u1", Uint8Array.of(9, 8, 9), [9, 8, 9]],
    ["<f4", Float32Array.of(2, 1, 2), [2, 1, 2]],
    ["<U3", Uint32Array.from("ab\0c\0\0ab\0", (character) => character.codePointAt(0)!), ["ab", "c", "ab"]],
  ])("have labels of %s", async (descr, values, labels) => {
    const path = directory.write("labels.npy", npy(descr, [3], bytes(values)));
    const served = await rowsOf([x, path]);
    expect(labelsOf(served, served)).toEqual(labels);
  });

  it("have values of any shape, and one label a row as a column", async () => {
    const values = directory.write(
      "values.npy",
      npy("<f8", [3, 2], bytes(Float64Array.of(1, 2, 3, 4, 5, 6))),
    );
    expect((await rowsOf([x, values], { task: "values" })).targets).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const column = directory.write("column.npy", npy("<i4", [3, 1], bytes(Int32Array.of(1, 2, 1))));
    expect((await rowsOf([x, column])).targets).toEqual([[0], [1], [0]]);
  });

  it("may be many, by two patterns", async () => {
    for (const i of [1, 2]) {
      directory.write(`xs-${i}.npy`, npyBytes(Float32Array.of(2 * i, 2 * i + 1), [2, 1]));
      directory.write(`ys-${i}.npy`, npy("|i1", [2], Uint8Array.of(i, i)));
    }
    const { features, targets } = await rowsOf([directory.path("xs-*.npy"), directory.path("ys-*.npy")]);
    expect([features.flat(), targets.flat()]).toEqual([
      [2, 3, 4, 5],
      [0, 0, 1, 1],
    ]);
    await expect(rowsOf([directory.path("xs-*.npy"), directory.path("ys-1.npy")])).rejects.toThrow(
      "2 arrays of features, but 1 of labels",
    );
  });

  const wrong: [string, Uint8Array, new (...args: never[]) => Error, string][] = [
    ["of another length", npy("|i1", [2], Uint8Array.of(1, 2)), ColumnError, "There are 2 labels for 3 rows"],
    [
      "with several a row",
      npy("|i1", [3, 2], new Uint8Array(6)),
      ColumnError,
      "where one label a row is needed",
    ],
    ["that are cut", npy("<i8", [3], new Uint8Array(23)), TruncatedError, "24 bytes are needed"],
    ["big-endian", npy(">i4", [3], new Uint8Array(12)), UnsupportedError, 'dtype ">i4"'],
    ["complex", npy("<c8", [3], new Uint8Array(24)), UnsupportedError, 'dtype "<c8"'],
    [
      "beyond any file",
      npy("<i8", [3, 2 ** 30, 2 ** 30], new Uint8Array(24)),
      CorruptError,
      "beyond any file",
    ],
    ["a number alone", npy("<i8", [], new Uint8Array(8)), ColumnError, "a single number"],
    [
      "strings that are no characters",
      npy("<U1", [3], bytes(Uint32Array.of(65, 0xffffffff, 65))),
      CorruptError,
      "no character",
    ],
  ];
  it.each(wrong)("with labels %s are an error", async (_, content, type, message) => {
    const path = directory.write("wrong.npy", content);
    const error = await rowsOf([x, path]).catch((error) => error);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toContain(message);
    expect(error.message).toContain(path);
  });

  it("refuse what makes no sense", async () => {
    const fortran = directory.write("fortran.npy", npy("<f4", [3, 2], new Uint8Array(24), "True"));
    await expect(rowsOf([fortran, y])).rejects.toThrow("Fortran order");
    await expect(rowsOf(x)).rejects.toThrow("npy arrays come in pairs");
    await expect(rowsOf([x, y], { label: "y" })).rejects.toThrow("no columns to name");
    const other = directory.write("a.arrow", file(numbered(0, 3)));
    await expect(rowsOf([x, other])).rejects.toThrow("The inputs are npy arrays, but this one is not");
    const numbers = await rowsOf([y, y], { task: "values" });
    expect([numbers.featureShape, numbers.features]).toEqual([[1], [[7], [5], [7]]]);
  });
});

describe("what is no file to train on", () => {
  const cases: [string, () => string, new (...args: never[]) => Error, string][] = [
    ["standard input", () => "-", UsageError, "cannot read from a pipe"],
    ["a device", () => "/dev/null", UsageError, "a pipe or a device"],
    ["a directory", () => directory.path("."), IoError, "EISDIR"],
    ["a missing file", () => directory.path("missing.arrow"), IoError, "ENOENT"],
    ["a pattern without files", () => directory.path("no-*.arrow"), UsageError, "No file matches"],
    ["an empty file", () => directory.write("empty.arrow", ""), NotRecognisedError, "empty"],
    ["text", () => directory.write("a.csv", "a,b,c\n1,2,3\n4,5,6\n"), NotRecognisedError, "CSV"],
    [
      "a cut file",
      () => directory.write("cut.arrow", file(numbered(0, 100)).subarray(0, 500)),
      TruncatedError,
      "ARROW1",
    ],
    [
      "a cut stream",
      () => directory.write("cut.arrows", file(numbered(0, 100), "stream").subarray(0, 500)),
      TruncatedError,
      "ends inside",
    ],
    [
      "a compressed file",
      () => directory.write("lz4.arrow", fixture("lz4.arrow")),
      UnsupportedError,
      "compressed with LZ4_FRAME",
    ],
    [
      "a compressed stream",
      () => directory.write("zstd.arrows", fixture("zstd.arrows")),
      UnsupportedError,
      "compressed with ZSTD",
    ],
  ];
  it.each(cases)("%s is refused, with what to do", async (_, path, type, message) => {
    const opening = openDataset(path(), { ...DEFAULTS, task: "values" });
    const error = await opening.catch((error) => error);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toContain(message);
    expect(error.remedy).toBeTruthy();
  });

  it.skipIf(process.platform === "win32")("a named pipe is refused, and not waited for", async () => {
    const pipe = directory.path("pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(openDataset(pipe, DEFAULTS)).rejects.toThrow("a pipe or a device");
    rmSync(pipe);
  });
});

it("an aborted signal ends the opening and the reading", async () => {
  const path = directory.write("abort.arrow", file(numbered(0, 1000)));
  await expect(openDataset(path, { ...DEFAULTS, signal: AbortSignal.abort("enough") })).rejects.toThrow(
    AbortError,
  );
  const controller = new AbortController();
  const data = await openDataset(path, { ...DEFAULTS, signal: controller.signal });
  controller.abort();
  const target = {
    features: new Float32Array(20),
    targets: new Float32Array(10),
    weights: new Float32Array(10),
  };
  await expect(data.open("train", 0).fill(target, 10)).rejects.toThrow(AbortError);
  await data.close();
});

it("bad options are named", async () => {
  const path = directory.write("options.arrow", file(numbered(0, 10)));
  const open = (options: object) => openDataset(path, { ...DEFAULTS, ...options });
  await expect(open({ seed: 0.5 })).rejects.toThrow("The seed is 0.5");
  await expect(open({ shuffle: -1 })).rejects.toThrow("-1 bytes to shuffle");
  await expect(open({ memory: Number.NaN })).rejects.toThrow("The memory is NaN");
  await expect(open({ classes: [0, 1, 1] })).rejects.toThrow("not all different");
});
