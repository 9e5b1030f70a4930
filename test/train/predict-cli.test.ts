/** @file `sluice predict`, and `sluice inspect` of a model, as a user runs them. */
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { modelOf } from "../support/models.ts";
import { npyBytes } from "../support/npy.ts";
import { fixed, write } from "../support/written.ts";

const directory = temporaryDirectory();
const path = directory.path;
const MODEL = path("model.safetensors");
const model = modelOf("dense(4) | leaky_relu(0.1, learn) | dense(2)", [3], {
  features: ["point"],
  target: { kind: "classes", classes: ["no", "yes"] },
  loss: { kind: "cross_entropy", smoothing: 0 },
  training: { progress: { step: 12, settings: { optimizer: "adam(lr=0.001)", seed: 5 } }, arrays: new Map() },
});
await model.save(MODEL);

const point = arrow.vectorFromArray([[1, 2, 3], null, [-1, 0, 0.5]], fixed(3, new arrow.Float32()));
const words = arrow.vectorFromArray(["a", "b", "c"], new arrow.Utf8());
const batch = new arrow.Table({ point, words }).batches[0]!;
const ARROW = directory.write("in.arrow", write("file", batch));
const STREAM = write("stream", batch);
const TAKEN = directory.write("taken.arrow", "precious");

const outputs = model.predict(Float32Array.of(1, 2, 3, -1, 0, 0.5));
const label = (row: number): string => (outputs[2 * row + 1]! > outputs[2 * row]! ? "yes" : "no");
const columnOf = (bytes: Uint8Array, name: string): unknown[] =>
  JSON.parse(JSON.stringify([...arrow.tableFromIPC(bytes).getChild(name)!]));

describe("sluice predict", () => {
  it("adds a column of outputs, and notes the rows that have none", async () => {
    const result = await runCli(["predict", MODEL, ARROW, path("out.arrow"), "--into", "logits"]);
    expect(result).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
    expect(result.stderr).toBe("sluice: 1 row with nulls among the features: no prediction\n");
    expect(columnOf(directory.read("out.arrow"), "logits")).toEqual([
      [...outputs.subarray(0, 2)],
      null,
      [...outputs.subarray(2)],
    ]);
    expect(columnOf(directory.read("out.arrow"), "words")).toEqual(["a", "b", "c"]);
  });

  it("gives labels, and filters from stdin to stdout", async () => {
    const args = ["predict", MODEL, "-", "-", "--argmax", "--into", "label", "--quiet"];
    const { code, stdout, stderr } = await runCli(args, { input: STREAM });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(columnOf(stdout, "label")).toEqual([label(0), null, label(1)]);
  });

  it("predicts npy arrays", async () => {
    const x = directory.write("x.npy", npyBytes(Float32Array.of(1, 2, 3), [1, 3]));
    expect(await runCli(["predict", MODEL, x, path("y.npy"), "--argmax"])).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(directory.read("y.npy").toString("latin1")).toContain("'descr': '<U3'");
  });

  it("prints its results as JSON", async () => {
    const { code, stdout, stderr } = await runCli(["predict", MODEL, ARROW, path("json.arrow"), "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{ command: "predict", model: MODEL, input: ARROW, output: path("json.arrow") },
      ...{
        rows: 3,
        batches: 1,
        nullRows: 1,
        nanRows: 0,
        features: ["point"],
        into: "prediction",
        workers: 0,
      },
      ...{ inputFormat: "arrow", outputFormat: "arrow", bytesWritten: directory.read("json.arrow").length },
    });
  });

  it.each([
    [["missing.safetensors", ARROW, "z.arrow"], 1, /ENOENT.*missing\.safetensors/],
    [[ARROW, ARROW, "z.arrow"], 1, /The file is no safetensors/],
    [[MODEL, "missing.arrow", "z.arrow"], 1, /ENOENT.*missing\.arrow/],
    [[MODEL, ARROW, "z.arrow", "--into", "words"], 1, /such a column already.*"words"/],
    [[MODEL, ARROW, "z.arrow", "--features", "words"], 1, /"words"/],
    [[MODEL, ARROW, TAKEN], 1, /exists already/],
    [[MODEL, ARROW, ARROW, "--overwrite"], 2, /The output is the input/],
    [[MODEL, ARROW, "z.npy"], 2, /Arrow/],
    [[MODEL, ARROW], 2, /Usage: sluice predict <model> <input> <output>/],
    [[MODEL, ARROW, "z.arrow", "--device", "tpu"], 2, /--device cannot be "tpu"/],
  ])("%j ends with %d, one error and no file", async (args, code, message) => {
    const result = await runCli(["predict", ...args], { cwd: path("") });
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.match(/^sluice: /gm)).toHaveLength(1);
    expect(result.stderr).not.toContain("    at ");
    expect(directory.names().filter((name) => /^z\.|partial/.test(name))).toEqual([]);
  });

  it("ends with 130 when it is interrupted, and leaves no file", async () => {
    const result = await runCli(["predict", MODEL, "-", path("interrupted.arrows")], {
      input: "open",
      started(child) {
        child.stdin.write(STREAM.subarray(0, STREAM.length - 50));
        const timer = setInterval(() => {
          // Its temporary file is there once it is at work.
          if (!directory.names().some((name) => name.endsWith(".partial"))) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 20);
      },
    });
    expect(result).toMatchObject({ code: 130, stderr: "sluice: interrupted\n" });
    expect(directory.names().filter((name) => name.includes("interrupted"))).toEqual([]);
  });
});

describe("sluice inspect", () => {
  it("shows the layers of a model, and what it predicts", async () => {
    const { code, stdout } = await runCli(["inspect", MODEL]);
    expect(code).toBe(0);
    const text = stdout.toString();
    expect(text).toMatch(/^.*model\.safetensors\n {2}model of Sluice, 27 parameters, .*\n\n3 layers\n/);
    expect(text).toMatch(/^ {2}0 {2}dense\(4\) +4 +16$/m);
    expect(text).toMatch(/^ {2}1 {2}leaky_relu\(alpha=0\.1, learn\) +4 +1$/m);
    expect(text).toMatch(
      /^ {2}features {2}point\n {2}predicts {2}2 classes: no, yes\n {2}loss +cross_entropy\n/m,
    );
    expect(text).toMatch(/^ {2}training {2}12 steps, adam\(lr=0\.001\), seed 5$/m);
  });

  it("tells a script the same as JSON", async () => {
    const { stdout } = await runCli(["inspect", MODEL, "--json"]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      format: "safetensors",
      model: {
        ...{ layers: "dense(4) | leaky_relu(alpha=0.1, learn) | dense(2)", parameters: 27 },
        ...{ inputShape: [3], outputShape: [2], features: ["point"] },
        target: { kind: "classes", classes: ["no", "yes"] },
      },
      tensors: expect.arrayContaining([{ name: "0.weight", dtype: "F32", shape: [4, 3], bytes: 48 }]),
    });
  });

  it("lists the tensors of safetensors that are no model", async () => {
    const header = Buffer.from(
      JSON.stringify({ "h.0": { dtype: "F16", shape: [2, 3], data_offsets: [0, 12] } }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = directory.write("other.safetensors", Buffer.concat([length, header, Buffer.alloc(12)]));
    const { code, stdout } = await runCli(["inspect", file]);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(
      /safetensors, 1 tensor, .*\n\n1 tensor\n.*\n {2}h\.0 {3}F16 {4}2 x 3 {2}12 B\n/,
    );
  });
});
