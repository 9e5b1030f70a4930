/** @file Model files: whatever is in them is read back or refused, and a crash leaves the last good one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CorruptError,
  NotRecognisedError,
  OutputExistsError,
  SluiceError,
  TruncatedError,
  UnsupportedError,
} from "../../src/errors.ts";
import { MAX_HEADER } from "../../src/train/files/safetensors.ts";
import { type StoredTensor, withTensorFile, writeTensorFile } from "../../src/train/files/tensor-file.ts";
import { Model } from "../../src/train/model.ts";
import { expectSameBits } from "../support/bits.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { EVERY_LAYER, EVERY_LAYER_INPUT, modelOf } from "../support/models.ts";

const directory = temporaryDirectory();

/** The bytes of a file with this header and so many bytes of data. */
function fileOf(header: unknown, data = 0, length?: number | bigint): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(length ?? json.length));
  return Buffer.concat([start, json, Buffer.alloc(data)]);
}

/** All tensors of a file. */
function readAll(path: string): Promise<Map<string, StoredTensor>> {
  return withTensorFile(path, async (file) => {
    const found = new Map<string, StoredTensor>();
    for (const entry of file.tensors) {
      found.set(entry.name, { shape: entry.shape, values: await file.read(entry) });
    }
    return found;
  });
}

/** The error of reading a file; null where there is none. */
async function refusal(bytes: Uint8Array): Promise<SluiceError | null> {
  const path = directory.write("damaged.safetensors", bytes);
  try {
    await readAll(path);
    return null;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
}

const F32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  ...{ dtype: "F32", shape },
  data_offsets: [begin, end],
});

describe("safetensors", () => {
  const tensor = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }).chain((shape) => {
    const length = shape.reduce((product, each) => product * each, 1);
    const values = fc.array(fc.float(), { minLength: length, maxLength: length });
    return values.map((numbers) => ({ shape, values: Float32Array.from(numbers) }));
  });
  const name = fc
    .string({ unit: "binary" })
    .filter((text) => text !== "__metadata__" && text !== "__proto__");

  it("are read back as they were written, whatever names, shapes and values", async () => {
    const path = directory.path("any.safetensors");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 5 }),
        fc.dictionary(name, fc.string({ unit: "binary" }), { maxKeys: 3 }),
        async (tensors, metadata) => {
          const stored = new Map(tensors);
          await writeTensorFile(path, stored, new Map(Object.entries(metadata)), { overwrite: true });
          const found = await readAll(path);
          expect([...found.keys()].sort()).toEqual([...stored.keys()].sort());
          for (const [key, { shape, values }] of stored) {
            expect(found.get(key)!.shape).toEqual(shape);
            expectSameBits(found.get(key)!.values, values);
          }
          const told = await withTensorFile(path, async (file) => Object.fromEntries(file.metadata));
          expect(told).toEqual({ ...metadata });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("have sorted names, and data that begin at a multiple of 8", async () => {
    const one = { shape: [1], values: Float32Array.of(1) };
    const path = directory.path("sorted.safetensors");
    for (const length of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const names = ["2.bias", `10.${"w".repeat(length)}`, "0.weight", "1"];
      await writeTensorFile(path, new Map(names.map((each) => [each, one])), new Map(), { overwrite: true });
      const bytes = directory.read("sorted.safetensors");
      const header = Number(bytes.readBigUInt64LE(0));
      expect(header % 8).toBe(0);
      const text = bytes.subarray(8, 8 + header).toString();
      const places = [...names].sort().map((each) => text.indexOf(JSON.stringify(each)));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });

  it.each([
    ["a header that is longer than the file", fileOf({}, 0, 1000), TruncatedError],
    ["a header beyond the limit", fileOf({}, 0, MAX_HEADER + 1), CorruptError],
    ["a header of 2^63 bytes", fileOf({}, 0, 2n ** 63n), NotRecognisedError],
    ["a header of no bytes", fileOf({}, 0, 0), CorruptError],
    ["a header that is no JSON", fileOf("{oops}"), CorruptError],
    ["a header that is a list", fileOf("[]"), NotRecognisedError],
    ["a header that is not UTF-8", Buffer.concat([fileOf("", 0, 2), Buffer.of(0x7b, 0xff)]), CorruptError],
    ["metadata that are no texts", fileOf({ __metadata__: { a: 1 } }), CorruptError],
    ["a tensor that is a number", fileOf({ a: 1 }), CorruptError],
    ["a tensor without a dtype", fileOf({ a: { shape: [], data_offsets: [0, 4] } }, 4), CorruptError],
    ["a dtype that nobody knows", fileOf({ a: { ...F32(0, 4), dtype: "F31" } }, 4), UnsupportedError],
    ["a dtype that objects have", fileOf({ a: { ...F32(0, 4), dtype: "constructor" } }, 4), UnsupportedError],
    [
      "float16 where float32 is needed",
      fileOf({ a: { ...F32(0, 4, [2]), dtype: "F16" } }, 4),
      UnsupportedError,
    ],
    ["a negative length", fileOf({ a: F32(0, 4, [-1]) }, 4), CorruptError],
    ["a shape beyond all numbers", fileOf({ a: F32(0, 4, [2 ** 40, 2 ** 40]) }, 4), CorruptError],
    ["a shape that needs more bytes", fileOf({ a: F32(0, 4, [2]) }, 4), CorruptError],
    ["offsets that go back", fileOf({ a: F32(4, 0, []) }, 4), CorruptError],
    ["offsets beyond the data", fileOf({ a: F32(0, 8) }, 4), TruncatedError],
    ["a tensor of 2^50 bytes", fileOf({ a: F32(0, 2 ** 50) }, 4), TruncatedError],
    ["tensors that share bytes", fileOf({ a: F32(0, 8), b: F32(4, 12) }, 12), CorruptError],
    ["a gap between tensors", fileOf({ a: F32(0, 4), b: F32(8, 12) }, 12), CorruptError],
    ["bytes behind the last tensor", fileOf({ a: F32(0, 4) }, 5), CorruptError],
  ])("refuse %s", async (_, bytes, error) => {
    const found = await refusal(bytes);
    expect(found).toBeInstanceOf(error);
    expect(found!.remedy).toBeTruthy();
    expect(found!.position.path).toContain("damaged.safetensors");
  });

  it("are refused wherever they are cut, and with any bit of the header flipped", async () => {
    const path = directory.path("whole.safetensors");
    const values = Float32Array.of(1, 2, 3, 4);
    await writeTensorFile(path, new Map([["a", { shape: [2, 2], values }]]), new Map([["k", "v"]]));
    const whole = directory.read("whole.safetensors");
    for (let length = 0; length < whole.length; length++) {
      expect(await refusal(whole.subarray(0, length)), `cut at ${length}`).toBeInstanceOf(SluiceError);
    }
    for (let bit = 0; bit < (whole.length - values.byteLength) * 8; bit += 3) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await refusal(bytes);
    }
  });
});

describe("a model file", () => {
  const training = {
    progress: { step: 7, epoch: 1, seed: 3, optimizer: "adam(lr=0.001)" },
    arrays: new Map([["mean.0.mean", new Float32Array(36).fill(0.5)]]),
  };
  const about = {
    features: ["image", "b.c"],
    target: { kind: "classes", classes: ["ä", "b", "c", "d"] },
    loss: { kind: "cross_entropy", smoothing: 0.1 },
    training,
  } as const;

  it("holds a network of every kind of layer, its tensors and its training", async () => {
    const model = modelOf(EVERY_LAYER, EVERY_LAYER_INPUT, about);
    const path = directory.path("every.safetensors");
    await model.save(path);
    const { trained, layers } = await Model.load(path);
    expect(layers).toEqual(model.layers);
    expect(trained.network).toEqual(model.network);
    expect(trained).toMatchObject({ ...about, training: { progress: training.progress } });
    expect([...trained.tensors.keys()].sort()).toEqual([...model.tensors.keys()].sort());
    for (const [name, values] of model.tensors) expectSameBits(trained.tensors.get(name)!, values);
    expect(trained.training!.arrays).toEqual(training.arrays);
  });

  it("has the same bytes for the same model", async () => {
    const paths = ["once", "again"].map((name) => directory.path(`${name}.safetensors`));
    for (const path of paths) await modelOf("dense(3)", [4], about).save(path);
    expect(directory.read("again.safetensors")).toEqual(directory.read("once.safetensors"));
  });

  it.each([
    { kind: "classes", classes: [1, -5, 2 ** 40] },
    { kind: "classes", classes: [false, true] },
    { kind: "values", size: 3 },
  ] as const)("says what is predicted: %j", async (target) => {
    const path = directory.path("target.safetensors");
    await modelOf("dense(3)", [2], { target }).save(path, { overwrite: true });
    expect((await Model.load(path)).target).toEqual(target);
  });

  it("replaces nothing unasked", async () => {
    const path = directory.write("precious.safetensors", "precious");
    const model = modelOf("dense(2)", [2]);
    await expect(model.save(path)).rejects.toThrow(OutputExistsError);
    expect(directory.read("precious.safetensors").toString()).toBe("precious");
    await model.save(path, { overwrite: true });
    expect((await Model.load(path)).tensors).toEqual(model.tensors);
    expect(directory.names().filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("is refused where it is none, of a later version, or does not fit its own layers", async () => {
    const weights = { "0.weight": F32(0, 16, [2, 2]), "0.bias": F32(16, 24) };
    const sluice = { version: 1, layers: "dense(2)", inputShape: [2], features: [] };
    const load = (about: unknown, tensors: object = weights, data = 24): Promise<unknown> => {
      const metadata = about === undefined ? {} : { __metadata__: { sluice: JSON.stringify(about) } };
      return Model.load(directory.write("odd.safetensors", fileOf({ ...metadata, ...tensors }, data)));
    };
    await load(sluice);
    await expect(load(undefined)).rejects.toThrow(/no model of Sluice/);
    await expect(load({ ...sluice, version: 2 })).rejects.toThrow(/version is 2/);
    await expect(load({ ...sluice, layers: 5 })).rejects.toThrow(CorruptError);
    await expect(load({ ...sluice, layers: "my_own_op" })).rejects.toThrow(UnsupportedError);
    await expect(load({ ...sluice, inputShape: [0] })).rejects.toThrow(CorruptError);
    await expect(load({ ...sluice, target: { kind: "classes", classes: ["a", 1] } })).rejects.toThrow(
      CorruptError,
    );
    await expect(load({ ...sluice, inputShape: [3] })).rejects.toThrow(/0\.weight has the shape \[2, 2\]/);
    await expect(load(sluice, { "0.weight": F32(0, 16, [2, 2]) }, 16)).rejects.toThrow(/0\.bias .* missing/);
  });

  it("is the last good one, whenever its writer is killed", { timeout: 60_000 }, async () => {
    const path = directory.path("killed.safetensors");
    const writer = fileURLToPath(new URL("../support/save-forever.ts", import.meta.url));
    for (const wait of [0, 7, 23]) {
      const child = spawn(process.execPath, ["--import", "tsx", writer, path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await sleep(wait);
      child.kill("SIGKILL");
      await once(child, "close");
      const [weight] = (await Model.load(path)).tensors.values();
      // Each save has one number everywhere.
      expect(new Set(weight).size).toBe(1);
    }
  });
});
