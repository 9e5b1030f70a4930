/** @file Predictions as a new column: right in every format, beside columns that stay as they are. */
import { createReadStream, createWriteStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as arrow from "apache-arrow";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  AbortError,
  ColumnError,
  MemoryError,
  OutputExistsError,
  SluiceError,
  UnsupportedError,
  UsageError,
} from "../../src/errors.ts";
import type { Model } from "../../src/train/model.ts";
import { createPredictTransform } from "../../src/train/predict/duplex.ts";
import { type PredictOptions, predict } from "../../src/train/predict/predict.ts";
import { acquirePool } from "../../src/workers/pool.ts";
import { expectSameBits } from "../support/bits.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { fixture } from "../support/fixtures.ts";
import { findMessages } from "../support/lies.ts";
import { modelOf, randomRows } from "../support/models.ts";
import { npyBytes, npyValues } from "../support/npy.ts";
import { walkBytes } from "../support/walk.ts";
import { batchOf, everyColumn, fixed, write } from "../support/written.ts";

const directory = temporaryDirectory();
const SIZE = 6;
const ROWS = 900;
const values = randomRows(ROWS, SIZE);
const classes = ["zero", "eins", "二"];
const model = modelOf("dense(8) | leaky_relu(0.1) | dense(3)", [SIZE], {
  features: ["t"],
  target: { kind: "classes", classes },
});
const expected = model.predict(values);
const logits = (row: number): number[] => [...expected.subarray(3 * row, 3 * row + 3)];
const best = (row: number): number => logits(row).indexOf(Math.max(...logits(row)));

/** Three batches of 300, 0 and 600 rows; every seventh row of `t` is null, and every fifth element of `f2`. */
function batches(): arrow.RecordBatch[] {
  const type = fixed(SIZE, new arrow.Float32());
  const fields = [
    new arrow.Field("id", new arrow.Int32()),
    new arrow.Field("t", type, true),
    new arrow.Field("text", new arrow.Utf8(), true),
    ...Array.from({ length: SIZE }, (_, i) => new arrow.Field(`f${i}`, new arrow.Float64(), true)),
    new arrow.Field("word", new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0), true),
  ];
  const schema = new arrow.Schema(fields, new Map([["made by", "a test"]]));
  const words = arrow.vectorFromArray(["a", "b"], new arrow.Utf8());
  return [
    [0, 300],
    [300, 0],
    [300, 600],
  ].map(([first, count]) => {
    const rows = Array.from({ length: count! }, (_, i) => first! + i);
    const bitmap = (isSet: (row: number) => boolean): Uint8Array => {
      const bits = new Uint8Array(Math.ceil(count! / 8) + 8);
      for (const [i, row] of rows.entries()) if (isSet(row)) bits[i >> 3]! |= 1 << (i & 7);
      return bits;
    };
    const nulls = (isNull: (row: number) => boolean) => ({
      length: count!,
      nullCount: rows.filter(isNull).length,
      nullBitmap: bitmap((row) => !isNull(row)),
    });
    const child = arrow.makeData({
      type: new arrow.Float32(),
      data: values.slice(first! * SIZE, (first! + count!) * SIZE),
    });
    const texts = arrow.vectorFromArray(
      rows.map((row) => (row % 3 ? "é".repeat(row % 5) : null)),
      new arrow.Utf8(),
    );
    const children = [
      arrow.makeData({ type: new arrow.Int32(), data: Int32Array.from(rows) }),
      arrow.makeData({ type, ...nulls((row) => row % 7 === 3), child }),
      texts.data[0] ?? arrow.makeData({ type: new arrow.Utf8(), length: 0 }),
      ...Array.from({ length: SIZE }, (_, i) => {
        const data = Float64Array.from(rows, (row) => values[row * SIZE + i]!);
        const some = i === 2 ? nulls((row) => row % 5 === 1) : { length: count! };
        return arrow.makeData({ type: new arrow.Float64(), ...some, data });
      }),
      arrow.makeData({
        type: fields.at(-1)!.type as arrow.Dictionary<arrow.Utf8, arrow.Int32>,
        length: count!,
        data: Int32Array.from(rows, (row) => row % 2),
        dictionary: words,
      }),
    ];
    const data = arrow.makeData({ type: new arrow.Struct(fields), length: count!, nullCount: 0, children });
    return new arrow.RecordBatch(schema, data);
  });
}

const STREAM = write("stream", ...batches());
const INPUTS = {
  // Unlike apache-arrow's files it can come from a pipe: it has its schema at the start, too.
  arrow: directory.write("in.arrow", walkBytes(STREAM, { to: "arrow", columns: [] }).output),
  arrows: directory.write("in.arrows", STREAM),
};

type Kind = keyof typeof INPUTS;
const kinds: readonly Kind[] = ["arrow", "arrows"];
let made = 0;

/** Predicts into a new file, and gives its bytes. */
async function run(source: string | Readable, to: Kind, options: PredictOptions = {}, by: Model = model) {
  const name = `out-${made++}.${to}`;
  const result = await predict(by, source, directory.path(name), options);
  return { result, bytes: new Uint8Array(directory.read(name)) };
}

const column = (bytes: Uint8Array, name: string): unknown[] =>
  [...arrow.tableFromIPC(bytes).getChild(name)!].map((value) =>
    value instanceof arrow.Vector ? [...value] : value,
  );

/** The messages of the output are those of the input, bodies and all, but for what was appended. */
function expectSameBefore(output: Uint8Array, input: Uint8Array): void {
  const bodies = (bytes: Uint8Array, type: number): Uint8Array[] =>
    findMessages(bytes)
      .filter((message) => message.type === type)
      .map(({ offset, lead, bodyLength }) => bytes.subarray(offset + lead, offset + lead + bodyLength));
  const [before, after] = [bodies(input, 3), bodies(output, 3)];
  expect(after.length).toBe(before.length);
  for (const [i, body] of before.entries()) {
    expect(Buffer.compare(after[i]!.subarray(0, body.length), body)).toBe(0);
  }
  const dictionaries = bodies(output, 2).map((body) => Buffer.from(body).toString("hex"));
  for (const body of bodies(input, 2)) expect(dictionaries).toContain(Buffer.from(body).toString("hex"));
  const [old, now] = [input, output].map((bytes) => arrow.tableFromIPC(bytes).schema);
  expect(now!.fields.slice(0, -1).map(String)).toEqual(old!.fields.map(String));
  expect(now!.metadata).toEqual(old!.metadata);
}

describe.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))(
  "from %s to %s",
  (from, to) => {
    const path = INPUTS[from];
    const input = new Uint8Array(directory.read(`in.${from}`));
    /** In chunks that end anywhere. */
    const piped = (): Readable => createReadStream(path, { highWaterMark: 777 });

    it("the outputs are a list a row, null where the features are", async () => {
      const { result, bytes } = await run(path, to, { into: "logits" });
      expectSameBefore(bytes, input);
      expect(column(bytes, "logits")).toEqual(
        Array.from({ length: ROWS }, (_, row) => (row % 7 === 3 ? null : logits(row))),
      );
      expect(result).toMatchObject({
        ...{ rows: ROWS, batches: 3, elements: 3 * ROWS, nullRows: 129, nanRows: 0, workers: 0 },
        ...{
          features: ["t"],
          into: "logits",
          inputFormat: from,
          outputFormat: to,
          bytesWritten: bytes.length,
        },
      });
      expectSameBits((await run(piped(), to, { into: "logits" })).bytes, bytes);
    });

    it("features may be columns of numbers, of which any null makes the row null", async () => {
      const features = Array.from({ length: SIZE }, (_, i) => `f${i}`);
      const { bytes } = await run(path, to, { into: "logits", features });
      expectSameBefore(bytes, input);
      expect(column(bytes, "logits")).toEqual(
        Array.from({ length: ROWS }, (_, row) => (row % 5 === 1 ? null : logits(row))),
      );
      expectSameBits((await run(piped(), to, { into: "logits", features })).bytes, bytes);
    });

    it("labels are strings again, as a dictionary of their own", async () => {
      const { bytes } = await run(path, to, { into: "label", argmax: true });
      expectSameBefore(bytes, input);
      expect(column(bytes, "label")).toEqual(
        Array.from({ length: ROWS }, (_, row) => (row % 7 === 3 ? null : classes[best(row)])),
      );
      expect(column(bytes, "word").slice(0, 3)).toEqual(["a", "b", "a"]);
      expectSameBits((await run(piped(), to, { into: "label", argmax: true })).bytes, bytes);
    });
  },
);

describe("the new column", () => {
  const { trained, layers } = model;
  const of = async (about: Partial<typeof trained>, options: PredictOptions): Promise<arrow.Field> => {
    const { Model } = await import("../../src/train/model.ts");
    const { bytes } = await run(
      INPUTS.arrows,
      "arrows",
      options,
      new Model(layers, { ...trained, ...about }),
    );
    return arrow.tableFromIPC(bytes).schema.fields.at(-1)!;
  };

  it("is called prediction unless told otherwise, and may hold nulls", async () => {
    const field = await of({}, {});
    expect(field.name).toBe("prediction");
    expect(field.nullable).toBe(true);
    expect(String(field.type)).toBe("FixedSizeList[3]<Float32>");
  });

  it("has labels of whole numbers and of booleans in their type", async () => {
    const numbers = { kind: "classes", classes: [7, -1, 2 ** 40] } as const;
    expect(String((await of({ target: numbers }, { argmax: true })).type)).toBe("Int64");
    const two = modelOf("dense(2)", [SIZE], { target: { kind: "classes", classes: [true, false] } });
    const { bytes } = await run(INPUTS.arrow, "arrows", { features: "t", argmax: true }, two);
    const outputs = two.predict(values);
    expect(column(bytes, "prediction")).toEqual(
      Array.from({ length: ROWS }, (_, row) =>
        row % 7 === 3 ? null : outputs[2 * row + 1]! <= outputs[2 * row]!,
      ),
    );
  });

  it("is one number a row where the network has one output, and a class by its sign", async () => {
    const one = modelOf("dense(1)", [SIZE], { target: { kind: "classes", classes: ["no", "yes"] } });
    const outputs = one.predict(values);
    const plain = await run(INPUTS.arrow, "arrow", { features: "t" }, one);
    expect(column(plain.bytes, "prediction")[0]).toBe(outputs[0]);
    expect(String(arrow.tableFromIPC(plain.bytes).schema.fields.at(-1)!.type)).toBe("Float32");
    const labels = await run(INPUTS.arrow, "arrow", { features: "t", argmax: true }, one);
    expect(column(labels.bytes, "prediction").slice(0, 3)).toEqual(
      [0, 1, 2].map((row) => (outputs[row]! > 0 ? "yes" : "no")),
    );
  });

  it("is a fixed_shape_tensor where the outputs have several axes", async () => {
    const square = modelOf("dense(4) | reshape(2, 2)", [SIZE]);
    const { bytes } = await run(INPUTS.arrow, "arrows", { features: "t" }, square);
    expect(Object.fromEntries(arrow.tableFromIPC(bytes).schema.fields.at(-1)!.metadata)).toEqual({
      "ARROW:extension:name": "arrow.fixed_shape_tensor",
      "ARROW:extension:metadata": '{"shape":[2,2]}',
    });
  });

  it("follows torch.argmax at NaN, and such rows are counted", async () => {
    const odd = randomRows(4, SIZE);
    odd[SIZE] = Number.NaN;
    const output = directory.path("nan.npy");
    const result = await predict(model, Readable.from([npyBytes(odd, [4, SIZE])]), output, { argmax: true });
    expect(result.nanRows).toBe(1);
    // A string of four characters, of four bytes each.
    const bytes = directory.read("nan.npy");
    expect(bytes.subarray(bytes.length - 3 * 16, bytes.length - 2 * 16).toString("utf16le")).toBe(
      "z\0e\0r\0o\0",
    );
  });
});

describe("what surrounds the features", () => {
  it("may be columns of any kind", async () => {
    const columns = everyColumn();
    const pair = modelOf("dense(2)", [2]);
    for (const kind of ["file", "stream"] as const) {
      const input = write(kind, batchOf(columns));
      const source = directory.write(`every.${kind}`, input);
      const { bytes } = await run(source, kind === "file" ? "arrow" : "arrows", { features: "tensor" }, pair);
      expectSameBefore(bytes, input);
      const [first, second, third] = column(bytes, "prediction") as [number[], null, number[]];
      expect([...first, ...third]).toEqual([...pair.predict(Float32Array.of(1, -2, 3, -4))]);
      expect(second).toBeNull();
    }
  });

  it("may be old metadata, gaps and several streams in a row", async () => {
    const scalar = modelOf("dense(1)", [1]);
    for (const name of ["legacy.arrow", "legacy.arrows"]) {
      const source = directory.write(name, fixture(name));
      const table = arrow.tableFromIPC(fixture(name));
      const field = table.schema.fields.find(({ type }) => arrow.DataType.isFloat(type));
      if (!field) continue;
      const { bytes } = await run(source, "arrows", { features: field.name }, scalar);
      expect(arrow.tableFromIPC(bytes).numRows).toBe(table.numRows);
    }
    const one = write("stream", ...batches());
    const { bytes, result } = await run(Readable.from([Buffer.concat([one, one])]), "arrows");
    expect(result.rows).toBe(2 * ROWS);
    const half = (await run(INPUTS.arrows, "arrows")).bytes;
    expect(Buffer.compare(bytes, Buffer.concat([half, half]))).toBe(0);
  });

  it("may be no batches, or only empty ones", async () => {
    const [first, empty] = batches();
    for (const some of [[], [empty!]]) {
      for (const kind of ["file", "stream"] as const) {
        const writer =
          kind === "file" ? new arrow.RecordBatchFileWriter() : new arrow.RecordBatchStreamWriter();
        writer.reset(undefined, first!.schema);
        for (const batch of some) writer.write(batch);
        writer.finish();
        const source = directory.write(`empty.${kind}`, writer.toUint8Array(true));
        for (const to of kinds) {
          const { bytes, result } = await run(source, to);
          expect(result).toMatchObject({ rows: 0, batches: some.length });
          expect(arrow.tableFromIPC(bytes).schema.fields.at(-1)!.name).toBe("prediction");
        }
      }
    }
  });
});

describe("an npy array", () => {
  const X = directory.write("x.npy", npyBytes(values, [ROWS, SIZE]));

  it("becomes one of outputs, from a file and from a stream", async () => {
    await predict(model, X, directory.path("y.npy"));
    expect(npyValues(directory.read("y.npy"))).toEqual(expected);
    const chunks = createReadStream(X, { highWaterMark: 1001 });
    await predict(model, chunks, directory.path("streamed.npy"));
    expect(directory.read("streamed.npy")).toEqual(directory.read("y.npy"));
  });

  it("may have no rows", async () => {
    const none = directory.write("none.npy", npyBytes(new Float32Array(0), [0, SIZE]));
    const result = await predict(model, none, directory.path("nothing.npy"));
    expect(result.rows).toBe(0);
    expect(directory.read("nothing.npy").toString("latin1")).toContain("'shape': (0, 3)");
  });

  it("is refused with columns, in other shapes, and as Arrow", async () => {
    const output = directory.path("refused.npy");
    await expect(predict(model, X, output, { into: "label" })).rejects.toThrow(UsageError);
    await expect(predict(model, X, directory.path("refused.arrow"))).rejects.toThrow(UsageError);
    await expect(predict(model, INPUTS.arrow, output)).rejects.toThrow(UsageError);
    await expect(predict(model, X, output, { device: "tpu" as "gpu" })).rejects.toThrow(/no device "tpu"/);
    const wide = directory.write("wide.npy", npyBytes(values, [ROWS / 2, 2 * SIZE]));
    await expect(predict(model, wide, output)).rejects.toThrow(/rows of \[12\]; the model takes \[6\]/);
    const fortran = Buffer.from(npyBytes(values, [ROWS, SIZE]));
    fortran.write("True ", fortran.indexOf("False"));
    await expect(predict(model, directory.write("fortran.npy", fortran), output)).rejects.toThrow(
      UnsupportedError,
    );
    const cut = directory.write("cut.npy", npyBytes(values, [ROWS, SIZE]).subarray(0, 5000));
    await expect(predict(model, cut, output)).rejects.toThrow(/ends inside the array/);
    expect(directory.names()).not.toContain("refused.npy");
  });
});

/** A column of tensors of 2 x 3: the output of a network is one. */
async function tensorFile(): Promise<Uint8Array> {
  const shaped = modelOf("reshape(2, 3)", [SIZE]);
  const { bytes } = await run(INPUTS.arrow, "arrow", { features: "t", into: "tensor" }, shaped);
  const table = arrow.tableFromIPC(bytes).select(["tensor"]);
  const field = table.schema.fields[0]!;
  const schema = new arrow.Schema([new arrow.Field("t", field.type, true, field.metadata)]);
  const renamed = table.batches.map((batch) => new arrow.RecordBatch(schema, batch.data));
  return write("file", ...renamed);
}

describe("a prediction is refused, and leaves no file,", () => {
  const refused = (source: string | Readable, options: PredictOptions = {}, by: Model | string = model) =>
    expect(predict(by, source, directory.path("never.arrow"), options)).rejects;

  it("for a name that is taken", async () => {
    await refused(INPUTS.arrow, { into: "text" }).toThrow(/such a column already .*"text"/);
  });

  it("for features that are not there, or not the model's", async () => {
    await refused(INPUTS.arrow, { features: "nowhere" }).toThrow(ColumnError);
    await refused(INPUTS.arrow, { features: "text" }).toThrow(ColumnError);
    await refused(INPUTS.arrow, { features: ["f0", "f1"] }).toThrow(/rows of \[2\]; the model takes \[6\]/);
    const square = modelOf("reshape(6) | dense(2)", [2, 3]);
    const pairs = modelOf("dense(2) | reshape(1, 2)", [3, 2]);
    const { bytes } = await run(INPUTS.arrow, "arrow", { features: "t", into: "square" }, square);
    expect(column(bytes, "square")).toHaveLength(ROWS);
    const tensors = directory.write("tensors.arrow", await tensorFile());
    await refused(tensors, { features: "t" }, pairs).toThrow(/rows of \[2, 3\]; the model takes \[3, 2\]/);
  });

  it("for a label of a model without classes", async () => {
    const regression = modelOf("dense(1)", [SIZE], { target: { kind: "values", size: 1 } });
    await refused(INPUTS.arrow, { argmax: true, features: "t" }, regression).toThrow(/no label/);
  });

  it("for a batch from a stream whose predictions do not fit in memory; a file needs none", async () => {
    const big = modelOf("dense(400)", [SIZE], { features: ["t"] });
    const small = { memory: "512KiB" };
    await refused(createReadStream(INPUTS.arrows), small, big).toThrow(MemoryError);
    const { result } = await run(INPUTS.arrows, "arrows", small, big);
    expect(result.elements).toBe(400 * ROWS);
  });

  it("for a network that does not fit in memory", async () => {
    const huge = modelOf("dense(4000) | dense(100)", [SIZE]);
    await refused(INPUTS.arrow, { memory: "256KiB", features: "t" }, huge).toThrow(MemoryError);
  });

  it("for a model that is none, and for the model as output", async () => {
    await refused(INPUTS.arrow, {}, INPUTS.arrow).toThrow(SluiceError);
    const path = directory.path("model.safetensors");
    await model.save(path);
    await expect(predict(path, INPUTS.arrow, path, { overwrite: true })).rejects.toThrow(
      /output is the model/,
    );
    await expect(predict(path, INPUTS.arrow, INPUTS.arrow, { overwrite: true })).rejects.toThrow(
      /output is the input/,
    );
    await expect(predict(path, INPUTS.arrow, INPUTS.arrows)).rejects.toThrow(OutputExistsError);
  });

  it("with streams that were given destroyed, even where they were not looked at yet", async () => {
    const [input, output] = [Readable.from([]), new PassThrough()];
    output.on("error", () => {});
    await expect(predict("nowhere.safetensors", input, output)).rejects.toThrow(/nowhere\.safetensors/);
    expect([input.destroyed, output.destroyed]).toEqual([true, true]);
  });

  it("wherever its input is cut", async () => {
    const bytes = directory.read("in.arrows");
    for (let length = 1; length < bytes.length - 8; length += 1013) {
      await refused(Readable.from([bytes.subarray(0, length)])).toThrow(SluiceError);
    }
    expect(directory.names().filter((name) => /never|partial/.test(name))).toEqual([]);
  });

  it("when it is aborted", async () => {
    const controller = new AbortController();
    const endless = async function* () {
      yield directory.read("in.arrows").subarray(0, 30_000);
      setTimeout(() => controller.abort(new Error("enough")), 10);
      await new Promise(() => {});
    };
    const output = directory.path("aborted.arrows");
    await expect(predict(model, endless(), output, { signal: controller.signal })).rejects.toThrow(
      AbortError,
    );
    expect(directory.names()).not.toContain("aborted.arrows");
  });
});

describe("a stream", () => {
  const features = Array.from({ length: SIZE }, (_, i) => `f${i}`);
  /** Of the values of f0, f1, ... among the buffers of a batch: those of id, t, its items and text come before. */
  const bufferOf = (column: number): number => 9 + 2 * column;

  /** The stream with the values of its columns at other places of their bodies. */
  function rearranged(place: (offsets: readonly bigint[]) => readonly bigint[]): Uint8Array {
    const bytes = Uint8Array.from(STREAM);
    const view = new DataView(bytes.buffer);
    for (const { type, at, bodyLength } of findMessages(bytes)) {
      if (type !== 3 || bodyLength < 100) continue;
      const entries = features.map((_, i) => at.buffers[bufferOf(i)]!);
      const offsets = place(entries.map((entry) => view.getBigInt64(entry, true)));
      for (const [i, entry] of entries.entries()) view.setBigInt64(entry, offsets[i]!, true);
    }
    return bytes;
  }

  it.each<[string, Parameters<typeof rearranged>[0]]>([
    ["come in the other order", (offsets) => offsets.toReversed()],
    ["are one buffer for two columns", (offsets) => offsets.with(0, offsets[5]!)],
    ["overlap each other", (offsets) => offsets.with(1, offsets[5]! - 64n)],
  ])("is predicted as a file is, where the columns %s", async (_, place) => {
    const bytes = rearranged(place);
    const path = directory.write("rearranged.arrows", bytes);
    const options = { features, into: "y" };
    const fromFile = await run(path, "arrows", options);
    const fromStream = await run(createReadStream(path, { highWaterMark: 1000 }), "arrows", options);
    expectSameBits(fromStream.bytes, fromFile.bytes);
    expect(Buffer.compare(fromFile.bytes, (await run(INPUTS.arrows, "arrows", options)).bytes)).not.toBe(0);
  });

  it("is refused or predicted, whatever bit is flipped", { timeout: 60_000 }, async () => {
    let refused = 0;
    const short = Uint8Array.from(STREAM.subarray(0, 40_000));
    for (let bit = 0; bit < 8 * 4000; bit += 101) {
      short[bit >> 3]! ^= 1 << (bit & 7);
      const file = directory.write("flipped.arrows", short);
      for (const source of [file, Readable.from([short])]) {
        try {
          await predict(model, source, directory.path("flipped.out"), { format: "arrows", overwrite: true });
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
          refused++;
        }
      }
      short[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(refused).toBeGreaterThan(100);
  });
});

describe("the number of workers", () => {
  const pool = acquirePool(3);
  afterAll(() => pool.release());

  it("does not change a byte", { timeout: 60_000 }, async () => {
    // Else this thread would be done before they are up.
    await vi.waitUntil(() => pool.ready, { timeout: 50_000 });
    const wide = modelOf("dense(1200) | gelu | dense(900) | gelu | dense(5)", [300]);
    const x = directory.write("much.npy", npyBytes(randomRows(6000, 300), [6000, 300]));
    const outputs: Buffer[] = [];
    for (const workers of [1, 2, 3]) {
      const path = directory.path(`much-${workers}.npy`);
      expect((await predict(wide, x, path, { workers })).workers).toBe(workers);
      outputs.push(directory.read(`much-${workers}.npy`));
    }
    expectSameBits(outputs[1]!, outputs[0]!);
    expectSameBits(outputs[2]!, outputs[0]!);
    expectSameBits(npyValues(outputs[0]!), wide.predict(npyValues(directory.read("much.npy"))));
  });
});

describe("createPredictTransform", () => {
  it("is a stream with the bytes of predict", async () => {
    const output = directory.path("transformed.arrows");
    const transform = createPredictTransform(model, { into: "label", argmax: true });
    await pipeline(createReadStream(INPUTS.arrows), transform, createWriteStream(output));
    const { bytes } = await run(INPUTS.arrows, "arrows", { into: "label", argmax: true });
    expectSameBits(directory.read("transformed.arrows"), bytes);
  });

  it("sends a batch on when its predictions are made, and does not wait for the next one", async () => {
    const transform = createPredictTransform(model);
    const whole = directory.read("in.arrows");
    const third = findMessages(new Uint8Array(whole)).filter(({ type }) => type === 3)[1]!;
    transform.write(whole.subarray(0, third.offset));
    let received = Buffer.alloc(0);
    const seen = (): number => findMessages(new Uint8Array(received)).filter(({ type }) => type === 3).length;
    for await (const chunk of transform) {
      received = Buffer.concat([received, chunk as Buffer]);
      const last = findMessages(new Uint8Array(received)).at(-1);
      if (seen() === 1 && last && received.length >= last.offset + last.lead + last.bodyLength) break;
    }
    expect(seen()).toBe(1);
    transform.destroy();
  });

  it("is destroyed by what goes wrong, with the reason", async () => {
    const transform = createPredictTransform(model, { into: "text" });
    const failing = pipeline(createReadStream(INPUTS.arrows), transform, async function* (chunks) {
      for await (const chunk of chunks) yield chunk;
    });
    await expect(failing).rejects.toThrow(ColumnError);
  });
});
