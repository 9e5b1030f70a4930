/** Gradients through files, pipes and record batches agree with leaky ReLU's derivative, written out here by hand. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGradTransform, type Gradients, grad, gradBatches } from "../../src/index.ts";
import { float16ToNumber, numberToFloat16 } from "../../src/ops/float16.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes, npyValues } from "../support/npy.ts";
import {
  arbitraryPairs,
  type Floats,
  ipc,
  type Pairs,
  type PairsOptions,
  pairs,
  valuesAt,
} from "../support/pairs.ts";

const directory = temporaryDirectory();
const ALPHA = 0.3;
const OPS = `leaky_relu(${ALPHA})`;

const asNumbers = (values: Floats): Float32Array | Float64Array =>
  values instanceof Uint16Array ? Float64Array.from(values, float16ToNumber) : values;

/** dx, rounded as the dtype asks; the sum for alpha, and of its terms without their signs. */
function byHand(x: Floats, dy: Floats): { dx: Floats; dalpha: number; size: number } {
  const [xs, dys] = [asNumbers(x), asNumbers(dy)];
  const dx = dy.slice();
  const slope = dx instanceof Float64Array ? ALPHA : Math.fround(ALPHA);
  let [dalpha, size] = [0, 0];
  for (let i = 0; i < xs.length; i++) {
    if (xs[i]! > 0) continue;
    const term = xs[i]! * dys[i]!;
    dalpha += term;
    size += Math.abs(term);
    const exact = dys[i]! * slope;
    dx[i] = dx instanceof Uint16Array ? numberToFloat16(Math.fround(exact)) : exact;
  }
  return { dx, dalpha, size };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

function expectGradients(table: Pairs, result: readonly arrow.RecordBatch[], gradients: Gradients): void {
  let total = 0;
  let size = 0;
  for (const [i, batch] of table.batches.entries()) {
    const [x, dy] = [valuesAt(batch, table.x), valuesAt(batch, table.dy)];
    const own = byHand(x, dy);
    const { dx } = own;
    total += own.dalpha;
    size += own.size;
    expect(Buffer.compare(bytesOf(valuesAt(result[i]!, table.dy)), bytesOf(dx))).toBe(0);
    expect(Buffer.compare(bytesOf(valuesAt(result[i]!, table.x)), bytesOf(x))).toBe(0);
    expect(result[i]!.getChild("before")!.toJSON()).toEqual(batch.getChild("before")!.toJSON());
    expect(result[i]!.getChild("after")!.toJSON()).toEqual(batch.getChild("after")!.toJSON());
  }
  expect(Object.keys(gradients)).toEqual(["leaky_relu.alpha"]);
  const dalpha = gradients["leaky_relu.alpha"] as number;
  expect(Math.abs(dalpha - total)).toBeLessThanOrEqual(1e-13 * size);
}

const read = (bytes: Uint8Array): arrow.RecordBatch[] => [...arrow.RecordBatchReader.from(bytes)];

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("grad gives dx and the gradient of alpha", () => {
  it("for a file, x before or after dy, of any type, with nulls", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryPairs, fc.constantFrom("arrow", "arrows"), async (options, to) => {
        const table = pairs(options);
        const input = directory.write("in.arrow", ipc(table, "file"));
        const output = directory.path(`out.${to}`);
        const { gradients } = await grad(input, output, { ops: OPS, ...table.names, overwrite: true });
        expectGradients(table, read(directory.read(`out.${to}`)), gradients);
      }),
      { numRuns: 60 },
    );
  });

  it("for a stream in chunks of any size, and its bytes are those of the file's", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryPairs, fc.integer({ min: 1, max: 5000 }), async (options, size) => {
        const table = pairs(options);
        const bytes = ipc(table, "stream");
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const backward = createGradTransform({ ops: OPS, ...table.names });
        const output = await collect(Readable.from(chunks).pipe(backward));
        const gradients = await backward.gradients;
        expectGradients(table, read(output), gradients);
        const input = directory.write("same.arrows", bytes);
        const fromFile = await grad(input, directory.path("same-out.arrows"), {
          ...{ ops: OPS, overwrite: true },
          ...table.names,
        });
        expect(Buffer.compare(directory.read("same-out.arrows"), output)).toBe(0);
        expect(fromFile.gradients).toEqual(gradients);
      }),
      { numRuns: 60 },
    );
  });

  it("for record batches in memory, which stay as they were", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryPairs, async (options) => {
        const table = pairs(options);
        const before = ipc(table, "stream");
        const result: arrow.RecordBatch[] = [];
        const batches = gradBatches(table.batches, { ops: OPS, ...table.names });
        for await (const batch of batches) result.push(batch);
        expectGradients(table, result, await batches.gradients);
        expect(Buffer.compare(ipc(table, "stream"), before)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

/** Large enough for workers, and for many windows. */
const LARGE: PairsOptions = {
  ...{ dtype: "float32", nesting: [64], rows: [40_000, 3, 0, 30_000, 1], order: "x first" },
  ...{ inStruct: false, nulls: false, seed: 5 },
};

describe("the output and the gradients are the same bits", () => {
  for (const order of ["x first", "dy first"] as const) {
    it(`for any number of workers and any memory, ${order}`, async () => {
      const table = pairs({ ...LARGE, order });
      const input = directory.write("large.arrows", ipc(table, "stream"));
      const settings = [1, 2, 3].flatMap((workers) =>
        ["1MiB", "3MiB", "64MiB"].map((memory) => ({ workers, memory })),
      );
      const seen: { gradients: Gradients; bytes: Buffer }[] = [];
      for (const setting of settings) {
        const output = directory.path("large-out.arrows");
        const { gradients } = await grad(input, output, {
          ...{ ops: OPS, overwrite: true, ...setting },
          ...table.names,
        });
        seen.push({ gradients, bytes: directory.read("large-out.arrows") });
      }
      const backward = createGradTransform({ ops: OPS, ...table.names });
      const bytes = await collect(createReadStream(input).pipe(backward));
      seen.push({ gradients: await backward.gradients, bytes });
      expectGradients(table, read(bytes), seen[0]!.gradients);
      for (const { gradients, bytes: own } of seen) {
        expect(gradients).toEqual(seen[0]!.gradients);
        expect(Buffer.compare(own, bytes)).toBe(0);
      }
    }, 120_000);
  }

  it("in one large batch and in memory", async () => {
    const table = pairs({ ...LARGE, rows: [50_000] });
    const input = directory.write("one.arrow", ipc(table, "file"));
    const { gradients } = await grad(input, directory.path("one-out.arrow"), { ops: OPS, ...table.names });
    const batches = gradBatches(table.batches, { ops: OPS, ...table.names });
    const result = [];
    for await (const batch of batches) result.push(batch);
    expect(await batches.gradients).toEqual(gradients);
    expectGradients(table, result, gradients);
  });

  it("in many tiny batches", async () => {
    const table = pairs({ ...LARGE, nesting: [3], rows: Array.from({ length: 3000 }, (_, i) => i % 5) });
    const input = directory.write("tiny.arrow", ipc(table, "file"));
    const result = await grad(input, directory.path("tiny-out.arrow"), { ops: OPS, ...table.names });
    expect(result.batches).toBe(3000);
    expectGradients(table, read(directory.read("tiny-out.arrow")), result.gradients);
  });
});

describe("grad for npy", () => {
  const n = 300_000;
  const x = Float32Array.from({ length: n }, (_, i) => Math.sin(i) * 3);
  const dy = Float32Array.from({ length: n }, (_, i) => Math.cos(1.7 * i));
  const { dx, dalpha } = byHand(x, dy);
  const [xPath, dyPath] = [directory.write("x.npy", npyBytes(x)), directory.write("dy.npy", npyBytes(dy))];

  for (const from of ["paths", "x as a stream", "dy as a stream", "both as streams"]) {
    it(`takes ${from}`, async () => {
      const [xStream, dyStream] = [from.startsWith("x") || from.startsWith("both"), /^(dy|both)/.test(from)];
      const inputs = {
        x: xStream ? createReadStream(xPath) : xPath,
        dy: dyStream ? createReadStream(dyPath) : dyPath,
      };
      const output = directory.path("dx.npy");
      const { gradients, elements } = await grad(inputs, output, { ops: OPS, overwrite: true });
      expect(elements).toBe(n);
      expect(Buffer.compare(bytesOf(npyValues(directory.read("dx.npy"))), bytesOf(dx))).toBe(0);
      expect(gradients["leaky_relu.alpha"]).toBeCloseTo(dalpha, 8);
    });
  }

  it("sums a slope for each channel of the last axis", async () => {
    const shape = [n / 3, 3];
    directory.write("x3.npy", npyBytes(x, shape));
    directory.write("dy3.npy", npyBytes(dy, shape));
    const expected = [0, 0, 0];
    for (const [i, value] of x.entries()) if (!(value > 0)) expected[i % 3]! += value * dy[i]!;
    const { gradients } = await grad(
      { x: directory.path("x3.npy"), dy: directory.path("dy3.npy") },
      directory.path("dx3.npy"),
      { ops: "prelu([0.5, 0.25, -1])" },
    );
    const sums = gradients["prelu.alpha"] as number[];
    expect(sums).toHaveLength(3);
    for (const [channel, sum] of sums.entries()) expect(sum).toBeCloseTo(expected[channel]!, 8);
  });

  it("is a sum of ten million terms, exact to the last digits", async () => {
    const many = 10_000_000;
    // Multiples of 2^-20: terms are multiples of 2^-40, and can be added in integers.
    const UNIT = 2 ** 20;
    const own = Float32Array.from({ length: many }, (_, i) => (((i * 7919) % 8_000_009) - 4_000_000) / UNIT);
    const upstream = Float32Array.from({ length: many }, (_, i) => ((i * 104_729) % 999_983) / UNIT);
    let exact = 0n;
    let some = 0;
    for (let i = 0; i < many; i++) {
      if (!(own[i]! > 0)) some += own[i]! * UNIT * (upstream[i]! * UNIT);
      if (i % 512 < 511 && i < many - 1) continue;
      exact += BigInt(some);
      some = 0;
    }
    const inputs = {
      x: directory.write("many-x.npy", npyBytes(own)),
      dy: directory.write("many-dy.npy", npyBytes(upstream)),
    };
    const { gradients } = await grad(inputs, directory.path("many-dx.npy"), { ops: OPS });
    const dalpha = gradients["leaky_relu.alpha"] as number;
    expect(Math.abs(dalpha / (Number(exact) / UNIT ** 2) - 1)).toBeLessThan(1e-14);
  }, 120_000);

  it("of nothing is nothing", async () => {
    const empty = npyBytes(new Float32Array(0));
    const inputs = { x: directory.write("x0.npy", empty), dy: directory.write("dy0.npy", empty) };
    const { gradients } = await grad(inputs, directory.path("dx0.npy"), { ops: "leaky_relu | leaky_relu" });
    expect(gradients).toEqual({ "leaky_relu.alpha": 0, "leaky_relu#2.alpha": 0 });
  });
});

describe("createGradTransform", () => {
  it("sums over all streams that follow one another", async () => {
    const [one, two] = [pairs({ ...LARGE, rows: [5] }), pairs({ ...LARGE, rows: [7, 2], seed: 9 })];
    const backward = createGradTransform({ ops: OPS, ...one.names });
    const bytes = Buffer.concat([ipc(one, "stream"), ipc(two, "stream")]);
    await pipeline(Readable.from([bytes]), backward, async (output) => void (await collect(output)));
    const sums = [];
    for (const { batches, names } of [one, two]) {
      const own = gradBatches(batches, { ops: OPS, ...names });
      for await (const _ of own);
      sums.push((await own.gradients)["leaky_relu.alpha"] as number);
    }
    expect((await backward.gradients)["leaky_relu.alpha"]).toBeCloseTo(sums[0]! + sums[1]!, 10);
  });

  it("rejects its gradients with what destroyed it", async () => {
    const table = pairs(LARGE);
    const backward = createGradTransform({ ops: OPS, inputColumn: "nope", upstream: "dy" });
    await expect(collect(Readable.from([ipc(table, "stream")]).pipe(backward))).rejects.toThrow(
      "no such column",
    );
    await expect(backward.gradients).rejects.toThrow("no such column");
  });

  it("rejects its gradients where it is destroyed", async () => {
    const backward = createGradTransform({ ops: OPS, inputColumn: "x", upstream: "dy" });
    backward.destroy();
    await expect(backward.gradients).rejects.toThrow("aborted");
  });
});
