/**
 * Whole files, streams and record batches on the GPU: what the CPU makes of them, and every other byte as it was.
 * Needs a GPU.
 */
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import {
  createGradTransform,
  createTransform,
  type Gradients,
  grad,
  gradBatches,
  transform,
  transformBatches,
} from "../../src/index.ts";
import { float16ToNumber } from "../../src/ops/float16.ts";
import { expectSameBits } from "../support/bits.ts";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { withoutGl } from "../support/headless-gl.ts";
import { npyOfZeros } from "../support/inputs.ts";
import { npyBytes } from "../support/npy.ts";
import { type Floats, ipc, type Pairs, pairs, valuesAt } from "../support/pairs.ts";

const directory = temporaryDirectory();
const { path } = directory;
const FORMATS = ["arrow", "arrows"] as const;
/** Straight pieces: the same bits on every device. */
const STRAIGHT = "mul(0.5) | leaky_relu(0.2) | clamp(-1.5, 3)";
const CURVED = "mul(0.75) | gelu | tanh";

/** Two columns of lists of varying length beside others, in three batches. */
function tableOf(dtype: "float16" | "float32", nesting: readonly (number | null)[] = [null, 3]): Pairs {
  const shape = { rows: [40, 0, 700], order: "x first", inStruct: false, nulls: true, seed: 11 } as const;
  return pairs({ dtype, nesting, ...shape });
}

const numbers = (values: Floats): number[] =>
  Array.from(values, (value) => (values instanceof Uint16Array ? float16ToNumber(value) : value));

/** Both within a part in `digits` of each other, or of 1 where they are smaller. */
function expectNear(ours: readonly number[], theirs: readonly number[], digits: number): void {
  expect(ours.length).toBe(theirs.length);
  const far = ours.flatMap((value, i) => {
    const other = theirs[i]!;
    const same = Object.is(value, other) || Math.abs(value - other) <= Math.max(1, Math.abs(other)) / digits;
    return same ? [] : [`${i}: ${value} is not ${other}`];
  });
  expect(far).toEqual([]);
}

const PART = { float16: 2 ** 10, float32: 2 ** 19 };
const batchesOf = (bytes: Uint8Array): arrow.RecordBatch[] => [...arrow.RecordBatchReader.from(bytes)];

/** All columns of the outputs agree, those of floats nearly. */
function expectSameTable(ours: Uint8Array, theirs: Uint8Array, { dtype, x, dy }: Pairs): void {
  const [own, other] = [batchesOf(ours), batchesOf(theirs)];
  expect(own.length).toBe(other.length);
  for (const [i, batch] of own.entries()) {
    for (const column of [x, dy]) {
      const [a, b] = [batch, other[i]!].map((each) => numbers(valuesAt(each, column)));
      expectNear(a!, b!, PART[dtype as "float32"]);
    }
    for (const name of ["before", "after"]) {
      expect(batch.getChild(name)!.toJSON()).toEqual(other[i]!.getChild(name)!.toJSON());
    }
  }
}

describe.each(FORMATS)("apply over a file, to %s,", (format) => {
  it.each(["float16", "float32"] as const)(
    "gives the CPU's bytes for straight pieces of %s",
    async (dtype) => {
      const input = directory.write(`in.${format}`, ipc(tableOf(dtype), "file"));
      const options = { ops: STRAIGHT, columns: ["x"], overwrite: true };
      const ours = await transform(input, path(`gpu.${format}`), { ...options, device: "gpu" });
      const theirs = await transform(input, path(`cpu.${format}`), { ...options, device: "cpu" });
      expect(directory.read(`gpu.${format}`)).toEqual(directory.read(`cpu.${format}`));
      expect(ours).toMatchObject({ device: "gpu", deviceReason: undefined, workers: 0 });
      const { elements, rows, batches, bytesWritten, columns } = theirs;
      expect(ours).toMatchObject({ elements, rows, batches, bytesWritten, columns });
    },
  );

  it.each([
    ["float16", CURVED, [null, 3]],
    ["float32", CURVED, [null, 3]],
    ["float32", "prelu([0.1, -0.2, 1.5]) | sigmoid", [null, 3]],
    ["float32", "softmax", [4, 7]],
    ["float32", "softmax", [null]],
    ["float32", "mul(3) | layer_norm", [16]],
  ] as const)("nearly those for %s through %s", async (dtype, ops, nesting) => {
    const table = tableOf(dtype, nesting);
    const input = directory.write(`in.${format}`, ipc(table, "stream"));
    const options = { ops, columns: ["x", "dy"], overwrite: true };
    await transform(input, path(`gpu.${format}`), { ...options, device: "gpu" });
    await transform(input, path(`cpu.${format}`), { ...options, device: "cpu" });
    expectSameTable(directory.read(`gpu.${format}`), directory.read(`cpu.${format}`), table);
  });
});

describe("grad", () => {
  const expectGradients = (ours: Gradients, theirs: Gradients): void => {
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    for (const [name, value] of Object.entries(ours)) {
      const [a, b] = [[value].flat(), [theirs[name]!].flat()];
      const size = Math.max(...b.map(Math.abs));
      expectNear(
        a.map((each) => each / size),
        b.map((each) => each / size),
        1e4,
      );
    }
  };

  it.each([
    ["arrow", "float32", "leaky_relu(0.2)"],
    ["arrows", "float16", "leaky_relu(0.2)"],
    ["arrows", "float32", "mul(2) | prelu([0.1, -0.2, 1.5]) | tanh"],
    ["arrow", "float32", "softplus(beta=1.5)"],
  ] as const)(
    "over a file, to %s: dx of %s through %s, and the parameters' gradients",
    async (format, dtype, ops) => {
      const table = tableOf(dtype);
      const input = directory.write("in.arrow", ipc(table, "file"));
      const options = { ops, ...table.names, overwrite: true };
      const ours = await grad(input, path(`gpu.${format}`), { ...options, device: "gpu" });
      const theirs = await grad(input, path(`cpu.${format}`), { ...options, device: "cpu" });
      expectSameTable(directory.read(`gpu.${format}`), directory.read(`cpu.${format}`), table);
      expect(ours.device).toBe("gpu");
      expectGradients(ours.gradients, theirs.gradients);
    },
  );

  it("over two npy files, in windows of every kind of end", async () => {
    const count = 3 * 2 ** 16 + 5;
    const xs = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 4001) / 500 - 4);
    const dys = Float32Array.from({ length: count }, (_, i) => ((i * 104_729) % 1009) / 500 - 1);
    const inputs = {
      x: directory.write("x.npy", npyBytes(xs)),
      dy: directory.write("dy.npy", npyBytes(dys)),
    };
    const options = { ops: "leaky_relu(0.3)", overwrite: true, memory: "1MiB" };
    const ours = await grad(inputs, path("gpu.npy"), { ...options, device: "gpu" });
    const theirs = await grad(inputs, path("cpu.npy"), { ...options, device: "cpu" });
    expectSameBits(directory.read("gpu.npy"), directory.read("cpu.npy"));
    expectGradients(ours.gradients, theirs.gradients);
  });

  it("through a stream, and over record batches", async () => {
    const table = tableOf("float32");
    const ops = "leaky_relu(0.2) | mul(3)";
    const input = directory.write("in.arrows", ipc(table, "stream"));
    const { gradients: theirs } = await grad(input, path("cpu.arrows"), {
      ops,
      ...table.names,
      overwrite: true,
    });
    const stream = createGradTransform({ ops, ...table.names, device: "gpu" });
    await pipeline(createReadStream(input), stream, createWriteStream(path("gpu.arrows")));
    expect(directory.read("gpu.arrows")).toEqual(directory.read("cpu.arrows"));
    expectGradients(await stream.gradients, theirs);

    const batches = gradBatches(table.batches, { ops, ...table.names, device: "gpu" });
    const expected = batchesOf(directory.read("cpu.arrows"));
    let index = 0;
    for await (const batch of batches) {
      expect(valuesAt(batch, table.dy)).toEqual(valuesAt(expected[index++]!, table.dy));
    }
    expectGradients(await batches.gradients, theirs);
  });
});

describe("a stream and record batches", () => {
  it("have the CPU's values", async () => {
    const table = tableOf("float32");
    const options = { ops: STRAIGHT, columns: ["x"] };
    const input = directory.write("in.arrows", ipc(table, "stream"));
    await transform(input, path("cpu.arrows"), { ...options, device: "cpu", overwrite: true });
    const stream = createTransform({ ...options, device: "gpu" });
    await pipeline(createReadStream(input), stream, createWriteStream(path("gpu.arrows")));
    expect(directory.read("gpu.arrows")).toEqual(directory.read("cpu.arrows"));
    const expected = batchesOf(directory.read("cpu.arrows"));
    let index = 0;
    for await (const batch of transformBatches(table.batches, { ...options, device: "gpu" })) {
      expect(valuesAt(batch, table.x)).toEqual(valuesAt(expected[index++]!, table.x));
    }
    expect(index).toBe(expected.length);
  });
});

describe("the command", () => {
  // Some windows of 8 MiB: one is timed, and another one comes after the choice.
  const count = 5 * 2 ** 20 + 3;
  const values = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 4001) / 500 - 4);
  const input = directory.write("large.npy", npyBytes(values));
  const expected = values.map((x) => (x > 0 ? x : Math.fround(x * Math.fround(0.2))));

  const expectOutput = (name: string): void => expectSameBits(directory.read(name), npyBytes(expected));

  it("computes on the GPU, says so, and ends by itself", async () => {
    const args = ["apply", "leaky_relu(0.2)", input, path("named.npy"), "--device", "gpu", "--json"];
    const { code, signal, stdout, stderr } = await runCli(args);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(JSON.parse(stdout.toString())).toMatchObject({
      device: "gpu",
      deviceReason: null,
      elements: count,
    });
    expectOutput("named.npy");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s halfway ends with 130, and leaves no file", async (signal) => {
    const large = npyOfZeros(path("zeros.npy"), 2 ** 30);
    const before = directory.names();
    const halfway = (): boolean =>
      directory.names().some((name) => name.endsWith(".partial") && statSync(path(name)).size > 2 ** 24);
    const result = await runCli(["apply", "tanh", large, path("cut.npy"), "--device", "gpu"], {
      async started(child) {
        while (child.exitCode === null && !halfway()) await sleep(10);
        child.kill(signal);
      },
    });
    expect(result).toMatchObject({ code: 130, signal: null, stderr: "sluice: interrupted\n" });
    expect(directory.names()).toEqual(before);
  });

  it("times both devices where it may choose, and says what came of it", async () => {
    const args = ["apply", "leaky_relu(0.2)", input, path("auto.npy"), "--json"];
    const { code, stdout, stderr } = await runCli(args, { env: { SLUICE_AUTO_AFTER: "0" } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { device, deviceReason } = JSON.parse(stdout.toString());
    expect(deviceReason).toMatch(/^GPU [\d.e+-]+ GB\/s, CPU [\d.e+-]+ GB\/s$/);
    expect(["cpu", "gpu"]).toContain(device);
    expectOutput("auto.npy");
  });

  it("does not try the GPU for what is over soon", async () => {
    const args = ["apply", "leaky_relu(0.2)", input, path("small.npy"), "--json"];
    const { stdout } = await runCli(args);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{ device: "cpu", deviceReason: "too little work for a GPU" },
    });
  });

  it("shows the adapter and its rates in the doctor's report", async () => {
    const { code, stdout, stderr } = await runCli(["doctor", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { gpu, checks } = JSON.parse(stdout.toString());
    expect(gpu).toMatchObject({ found: true, adapter: expect.stringMatching(/./) });
    for (const rate of Object.values(gpu.rates)) expect(rate).toBeGreaterThan(0);
    const names = checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["GPU", "GPU limits", "GPU rates"]));
  });

  it("without a driver says what to install; where it may choose, the CPU does it", async () => {
    const none = { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere" };
    const env = { ...none, NODE_PATH: withoutGl(), SLUICE_AUTO_AFTER: "0" };
    const named = await runCli(["apply", "relu", input, path("none.npy"), "--device", "gpu"], { env });
    expect(named.code).toBe(1);
    expect(named.stderr).toMatch(/^sluice: There is no GPU .*\n {2}Install .*\n$/m);
    expect(directory.names()).not.toContain("none.npy");
    const auto = await runCli(["apply", "relu", input, path("without.npy"), "--json"], { env });
    expect(JSON.parse(auto.stdout.toString())).toMatchObject({
      ...{ device: "cpu", deviceReason: expect.stringMatching(/^There is no GPU/) },
    });
  });
});

describe("float64", () => {
  const bytes = (): Buffer => {
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (20000,), }".padEnd(117);
    const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1");
    return Buffer.concat([start, Buffer.from(new Float64Array(20_000).fill(-1).buffer)]);
  };

  it("is refused with the reason", async () => {
    const input = directory.write("double.npy", bytes());
    const failing = transform(input, path("refused.npy"), { ops: "relu", device: "gpu" });
    await expect(failing).rejects.toThrow(/float32.*float64/);
    expect(directory.names()).not.toContain("refused.npy");
  });
});
