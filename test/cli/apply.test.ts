import { symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes, npyValues } from "../support/npy.ts";

const directory = temporaryDirectory();
const path = directory.path;

const VALUES = Float32Array.of(-2, -0, 0, 3, Number.NaN, Number.NEGATIVE_INFINITY);
const HALVED = VALUES.map((x) => (x > 0 ? x : Math.fround(0.5 * x)));
const SMALL = directory.write("small.npy", npyBytes(VALUES));
/** More than a pipe holds, and more than one window. */
const LARGE = directory.write("large.npy", npyBytes(new Float32Array(2 ** 20).fill(-1)));

const table = (vectors: Readonly<Record<string, arrow.Vector>>): arrow.Table => new arrow.Table(vectors);
const lists = arrow.vectorFromArray(
  [[-1, 2], [], [-3]],
  new arrow.List(new arrow.Field("item", new arrow.Float32(), true)),
);
const floats = arrow.vectorFromArray([-1, 2, -3], new arrow.Float64());
const words = arrow.vectorFromArray(["a", "b", "c"], new arrow.Utf8());
const ARROW = directory.write("in.arrow", arrow.tableToIPC(table({ t: lists, f: floats, s: words }), "file"));
const STREAM = arrow.tableToIPC(table({ t: lists, f: floats, s: words }), "stream");
const PLAIN = directory.write("plain.arrow", arrow.tableToIPC(table({ f: floats, s: words }), "file"));

const rowsOf = (bytes: Uint8Array): unknown[] =>
  JSON.parse(JSON.stringify(arrow.tableFromIPC(bytes).toArray()));
const nothing = { code: 0, signal: null, stdout: Buffer.alloc(0), stderr: "" };

describe("sluice apply", () => {
  it("computes a file, and says nothing where nobody watches", async () => {
    const result = await runCli(["apply", "leaky_relu(0.5)", SMALL, path("computed.npy")]);
    expect(result).toEqual(nothing);
    expect([...npyValues(directory.read("computed.npy"))]).toEqual([...HALVED]);
  });

  it("computes tensor columns only, unless others are named", async () => {
    expect(await runCli(["apply", "relu", ARROW, path("tensors.arrow")])).toEqual(nothing);
    expect(await runCli(["apply", "relu", "-c", "f", ARROW, path("named.arrow")])).toEqual(nothing);
    expect(rowsOf(directory.read("tensors.arrow"))).toEqual([
      { t: [0, 2], f: -1, s: "a" },
      { t: [], f: 2, s: "b" },
      { t: [0], f: -3, s: "c" },
    ]);
    expect(rowsOf(directory.read("named.arrow"))).toEqual([
      { t: [-1, 2], f: 0, s: "a" },
      { t: [], f: 2, s: "b" },
      { t: [-3], f: 0, s: "c" },
    ]);
  });

  it("filters from stdin to stdout", async () => {
    const { code, stdout, stderr } = await runCli(["apply", "mul(-1) | relu", "-", "-"], { input: STREAM });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(rowsOf(stdout)).toEqual([
      { t: [1, 0], f: -1, s: "a" },
      { t: [], f: 2, s: "b" },
      { t: [3], f: -3, s: "c" },
    ]);
  });

  it("writes the Arrow stream format to stdout, and what --format says", async () => {
    const stream = await runCli(["apply", "relu", ARROW, "-"]);
    expect(stream.stdout.subarray(0, 4)).toEqual(Buffer.from([255, 255, 255, 255]));
    const file = await runCli(["apply", "relu", "--format", "arrow", ARROW, "-"]);
    expect(file.stdout.subarray(0, 6).toString()).toBe("ARROW1");
    expect(rowsOf(file.stdout)).toEqual(rowsOf(stream.stdout));
  });

  it("prints its results as JSON on stdout", async () => {
    const { code, stdout, stderr } = await runCli(["apply", "relu", ARROW, path("json.arrow"), "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{
        command: "apply",
        input: ARROW,
        output: path("json.arrow"),
        ops: "relu",
        device: "cpu",
        workers: 0,
      },
      ...{ rows: 3, batches: 1, elements: 3, columns: ["t"], skipped: [] },
      ...{ inputFormat: "arrow", outputFormat: "arrow", bytesWritten: directory.read("json.arrow").length },
    });
  });

  it("prints them on stderr where stdout carries data", async () => {
    const { stdout, stderr } = await runCli(["apply", "relu", ARROW, "-", "--json"]);
    expect(rowsOf(stdout)).toHaveLength(3);
    expect(JSON.parse(stderr)).toMatchObject({ output: "-", outputFormat: "arrows" });
  });

  it("takes a bound on memory and on workers", async () => {
    const options = ["--memory", "1MiB", "--workers", "1", "--device", "cpu", "--quiet"];
    expect(await runCli(["apply", "relu", LARGE, path("bounded.npy"), ...options])).toEqual(nothing);
    expect(npyValues(directory.read("bounded.npy"))).toEqual(new Float32Array(2 ** 20));
  });

  it("notes a column that looks like a tensor and is left alone, unless it must be quiet", async () => {
    const type = new arrow.Dictionary(lists.type, new arrow.Int32(), 0);
    const data = arrow.makeData({
      type,
      length: 3,
      nullCount: 0,
      data: Int32Array.of(0, 1, 2),
      dictionary: lists,
    });
    const bytes = arrow.tableToIPC(table({ t: lists, odd: arrow.makeVector(data) }), "stream");
    const loud = await runCli(["apply", "relu", "-", "-"], { input: bytes });
    expect(loud.code).toBe(0);
    expect(loud.stderr).toMatch(/^sluice: column "odd" passed through as it is: .+\n$/);
    expect((await runCli(["apply", "relu", "-", "-", "--quiet"], { input: bytes })).stderr).toBe("");
  });
});

describe("sluice apply, when things go wrong,", () => {
  it.each([
    [
      ["leky_relu", SMALL, "x"],
      2,
      /^sluice: .*"leky_relu"\n {2}leky_relu\n {2}\^\n {2}Did you mean leaky_relu\?\n$/,
    ],
    [["leaky_relu(alpha=", SMALL, "x"], 2, /^sluice: /],
    [["relu", SMALL], 2, /Usage: sluice apply <ops> <input> <output>/],
    [["relu", SMALL, "x", "--device", "tpu"], 2, /Choose auto, cpu or gpu/],
    [["relu", SMALL, "x", "--memory", "lots"], 2, /--memory is no size: "lots"/],
    [["relu", SMALL, "x", "--workers", "0"], 2, /--workers cannot be "0"/],
    [["relu", SMALL, "x", "--format", "csv"], 2, /Choose arrow, arrows or npy/],
    [["relu", "missing.npy", "x"], 1, /ENOENT.*missing\.npy/],
    [["relu", SMALL, "no/such/directory/x"], 1, /ENOENT/],
    [["relu", PLAIN, "x"], 1, /"f"/],
    [["relu", PLAIN, "x", "-c", "s"], 1, /"s"/],
  ])("%j ends with %d and one error", async (args, code, message) => {
    const result = await runCli(["apply", ...args], { cwd: path("") });
    expect(result.code).toBe(code);
    expect(result.stdout.length).toBe(0);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.match(/^sluice: /gm)).toHaveLength(1);
    expect(result.stderr).not.toContain("    at ");
    expect(directory.names()).not.toContain("x");
  });

  it("leaves an output that exists alone, until told otherwise", async () => {
    const output = directory.write("exists.npy", "precious");
    const refused = await runCli(["apply", "relu", SMALL, output]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--overwrite") });
    expect(directory.read("exists.npy").toString()).toBe("precious");
    expect(await runCli(["apply", "leaky_relu(0.5)", SMALL, output, "--overwrite"])).toEqual(nothing);
    expect([...npyValues(directory.read("exists.npy"))]).toEqual([...HALVED]);
  });

  it("refuses to write over its input, also by another name", async () => {
    symlinkSync(SMALL, path("alias.npy"));
    const before = directory.read("small.npy");
    const result = await runCli(["apply", "relu", SMALL, path("alias.npy"), "--overwrite"]);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("The output is the input") });
    expect(directory.read("small.npy")).toEqual(before);
  });

  it("tells a script what went wrong as JSON, where it would tell the results", async () => {
    const onStdout = await runCli(["apply", "leky_relu", SMALL, "x", "--json"]);
    expect(onStdout).toMatchObject({ code: 2, stderr: "" });
    expect(JSON.parse(onStdout.stdout.toString())).toMatchObject({
      error: { code: "ERR_OP_SYNTAX", position: { index: 0 }, remedy: "Did you mean leaky_relu?" },
    });
    const onStderr = await runCli(["apply", "relu", "missing.npy", "-", "--json"]);
    expect(onStderr.code).toBe(1);
    expect(onStderr.stdout.length).toBe(0);
    expect(JSON.parse(onStderr.stderr)).toMatchObject({
      error: { code: "ERR_IO", position: { path: "missing.npy" } },
    });
    const misused = await runCli(["apply", "--bogus", "relu", "-", "-", "--json"]);
    expect(misused).toMatchObject({ code: 2, stdout: Buffer.alloc(0) });
    expect(JSON.parse(misused.stderr)).toMatchObject({ error: { code: "ERR_USAGE" } });
  });

  it("shows a stack with SLUICE_DEBUG=1", async () => {
    const { stderr } = await runCli(["apply", "relu", "missing.npy", "x"], { env: { SLUICE_DEBUG: "1" } });
    expect(stderr).toMatch(/^ {4}at /m);
  });

  it("ends quietly, as by SIGPIPE, when the reader of stdout leaves", async () => {
    const started = ({ stdout }: { stdout: { destroy(): unknown } }) => void stdout.destroy();
    expect(await runCli(["apply", "relu", LARGE, "-"], { started })).toMatchObject({ code: 141, stderr: "" });
    expect(await runCli(["ops"], { started })).toMatchObject({ code: 141, stderr: "" });
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s halfway ends with 130 and leaves no file",
    async (signal) => {
      const output = directory.write("kept.npy", "precious");
      const before = directory.names();
      const result = await runCli(["apply", "relu", "-", output, "--overwrite"], {
        input: "open",
        async started(child) {
          // Half of the input comes, and then nothing more.
          child.stdin.write(directory.read("large.npy").subarray(0, 2 ** 21));
          while (child.exitCode === null && !directory.names().some((name) => name.includes("partial"))) {
            await sleep(20);
          }
          child.kill(signal);
        },
      });
      expect(result).toMatchObject({ code: 130, signal: null, stderr: "sluice: interrupted\n" });
      expect(directory.names()).toEqual(before);
      expect(directory.read("kept.npy").toString()).toBe("precious");
    },
  );
});
