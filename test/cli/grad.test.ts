import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { renderGradients } from "../../src/cli/result.ts";
import { styleFor } from "../../src/cli/style.ts";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes, npyValues } from "../support/npy.ts";

const directory = temporaryDirectory();
const path = directory.path;

const X = Float32Array.of(-2, 3, 0, -1);
const DY = Float32Array.of(1, 2, 4, 8);
/** For a slope of 0.5. */
const DX = Float32Array.of(0.5, 2, 2, 4);
const x = directory.write("x.npy", npyBytes(X));
const dy = directory.write("dy.npy", npyBytes(DY));

const type = new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Float32(), true));
const tensor = (values: Float32Array) =>
  arrow.vectorFromArray(
    [values.subarray(0, 2), values.subarray(2)].map((row) => [...row]),
    type,
  );
const table = new arrow.Table({ x: tensor(X), dy: tensor(DY) });
const input = directory.write("in.arrow", arrow.tableToIPC(table, "file"));
const stream = arrow.tableToIPC(table, "stream");
const COLUMNS = ["--input-column", "x", "--upstream", "dy"];

const dxOf = (bytes: Uint8Array): number[] =>
  [...arrow.tableFromIPC(bytes).getChild("dy")!].flatMap((row: arrow.Vector) => [...row]);

describe("sluice grad", () => {
  it("replaces dy by dx in a file, and tells the gradients on stderr", async () => {
    const result = await runCli(["grad", "leaky_relu(0.5)", ...COLUMNS, input, path("out.arrow")]);
    expect(result).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
    expect(result.stderr).toBe("  gradient of\n  leaky_relu.alpha  -10\n");
    expect(dxOf(directory.read("out.arrow"))).toEqual([...DX]);
  });

  it("says nothing with --quiet, nor of ops without parameters", async () => {
    const quiet = ["grad", "leaky_relu(0.5)", ...COLUMNS, "--quiet", input, path("quiet.arrow")];
    expect(await runCli(quiet)).toMatchObject({ code: 0, stderr: "" });
    const plain = ["grad", "relu", ...COLUMNS, input, path("relu.arrow")];
    expect(await runCli(plain)).toMatchObject({ code: 0, stderr: "" });
  });

  it("is a filter in a pipe", async () => {
    const result = await runCli(["grad", "leaky_relu(0.5)", ...COLUMNS, "-", "-"], { input: stream });
    expect(result.code).toBe(0);
    expect(dxOf(result.stdout)).toEqual([...DX]);
    expect(result.stdout).toHaveLength(stream.length);
  });

  it("gives one JSON object, on stderr where stdout carries data", async () => {
    const args = ["grad", "prelu([0.5, 1])", ...COLUMNS, "--json"];
    const file = await runCli([...args, input, path("json.arrow")]);
    expect(JSON.parse(String(file.stdout))).toMatchObject({
      ...{ command: "grad", input, columns: ["dy"], elements: 4 },
      gradients: { "prelu.alpha": [-2, -8] },
    });
    const piped = await runCli([...args, "-", "-"], { input: stream });
    expect(JSON.parse(piped.stderr)).toMatchObject({ gradients: { "prelu.alpha": [-2, -8] } });
  });

  it("tells numbers that JSON does not have as strings", async () => {
    const [wild, one] = [Float32Array.of(Number.NEGATIVE_INFINITY), Float32Array.of(1)];
    const wildPath = directory.write("wild.npy", npyBytes(wild));
    const gradientsFor = async (values: Float32Array) => {
      const upstream = directory.write("up.npy", npyBytes(values));
      const args = ["grad", "leaky_relu", wildPath, upstream, path("wild-out.npy"), "--json", "--overwrite"];
      return JSON.parse(String((await runCli(args)).stdout)).gradients;
    };
    expect(await gradientsFor(one)).toEqual({ "leaky_relu.alpha": "-Infinity" });
    expect(await gradientsFor(Float32Array.of(0))).toEqual({ "leaky_relu.alpha": "NaN" });
  });

  it("takes x, dy and the output of npy", async () => {
    const { code } = await runCli(["grad", "leaky_relu(0.5)", x, dy, path("dx.npy")]);
    expect(code).toBe(0);
    expect(npyValues(directory.read("dx.npy"))).toEqual(DX);
  });

  it.each([
    ["x", ["-", dy], "x.npy"],
    ["dy", [x, "-"], "dy.npy"],
  ] as const)("takes %s of npy from stdin, and gives dx on stdout", async (_, operands, from) => {
    const result = await runCli(["grad", "leaky_relu(0.5)", ...operands, "-"], {
      input: directory.read(from),
    });
    expect(result.code).toBe(0);
    expect(npyValues(result.stdout)).toEqual(DX);
  });

  it("goes back from the output", async () => {
    const y = directory.write("y.npy", npyBytes(X.map((each) => (each > 0 ? each : 0.5 * each))));
    const args = ["grad", "leaky_relu(0.5)", "--from-output", y, dy, path("from.npy"), "--json"];
    const { stdout } = await runCli(args);
    expect(JSON.parse(String(stdout)).gradients).toEqual({ "leaky_relu.alpha": -10 });
    expect(npyValues(directory.read("from.npy"))).toEqual(DX);
  });

  it.each([
    [["leaky_relu", "in.arrow"], "grad needs <output>"],
    [["leaky_relu", "a", "b", "c", "d"], '"d" is one too many'],
    [["leaky_relu", "-", "-", "out.npy"], "x and dy cannot both come from stdin"],
    [["leaky_relu", "in.arrow", "out2.arrow"], "not said which columns are x and dy"],
    [["leaky_relu", "--upstream", "dy", "in.arrow", "out2.arrow"], "not said which column is x"],
    [["leaky_relu", "x.npy", "out2.npy"], "An npy file holds one array"],
    [["leaky_relu(-1)", "--from-output", "x.npy", "dy.npy", "out2.npy"], "alpha is -1, so the sign of x"],
    [["leaky_relu", "--column", "x", "in.arrow", "out2.arrow"], "grad has no option --column"],
    [["leaky_relu", "x.npy", "dy.npy", "dy.npy", "--overwrite"], "The output is the input"],
  ])("refuses %j", async (args, says) => {
    const result = await runCli(["grad", ...args], { cwd: path(".") });
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(2);
    expect(directory.names().filter((name) => name.startsWith("out2"))).toEqual([]);
  });
});

it("a table shows some of many channels", () => {
  const gradients = { "prelu.alpha": Array.from({ length: 20 }, (_, i) => i) };
  expect(renderGradients(gradients, 100, styleFor(false))).toContain("6, 7, and 12 more (--json has all)");
});
