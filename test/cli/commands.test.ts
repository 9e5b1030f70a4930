import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { type Check, checkGpu, renderChecks } from "../../src/cli/doctor.ts";
import { renderOp } from "../../src/cli/op-page.ts";
import { renderOps } from "../../src/cli/ops.ts";
import { refuseTerminals } from "../../src/cli/refuse-terminals.ts";
import { styleFor } from "../../src/cli/style.ts";
import { displayWidth } from "../../src/cli/text.ts";
import { signatureOf } from "../../src/ops/definition.ts";
import { allOps } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes } from "../support/npy.ts";

const directory = temporaryDirectory();
const style = styleFor(false, {});
const text = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCli(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.toString();
};

describe("sluice", () => {
  it("alone shows its help on stderr, as a mistake", async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout: stdout.length }).toEqual({ code: 2, stdout: 0 });
    expect(stderr).toMatch(/^Usage: sluice <command>/);
  });

  it("--help and help <command> show help on stdout", async () => {
    expect(await text("--help")).toMatch(/^Usage: sluice <command>/);
    const apply = await text("help", "apply");
    expect(apply).toMatch(/^Usage: sluice apply <ops> <input> <output>/);
    expect(await text("apply", "--help")).toBe(apply);
  });

  it("--version is that of the package", async () => {
    const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
    expect(await text("--version")).toBe(`sluice ${manifest.version}\n`);
  });

  it("help of what is no command says what to ask instead", async () => {
    const { code, stderr } = await runCli(["help", "leaky_relu"]);
    expect(code).toBe(2);
    expect(stderr).toContain("sluice ops leaky_relu");
  });

  it("colours where it is asked to", async () => {
    const { stdout } = await runCli(["--help"], { env: { FORCE_COLOR: "1" } });
    expect(stdout.toString()).toContain("\x1b[1mExamples\x1b[22m");
  });
});

describe("sluice ops", () => {
  it("lists every op with what it computes", async () => {
    const listed = await text("ops");
    for (const op of allOps()) expect(listed).toMatch(new RegExp(`^ {2}${op.name}\\b.*`, "m"));
  });

  it("explains one, also by the name that others call it", async () => {
    const explained = await text("ops", "leaky_relu");
    expect(explained).toMatch(/Formula +x > 0 \? x : alpha \* x/);
    expect(explained).toMatch(/alpha +0\.01 +Slope/);
    expect(await text("ops", "lrelu")).toBe(explained);
  });

  it("groups the list by kind, and every op has a place", () => {
    const listed = renderOps(allOps(), 80, style);
    const titles = listed.split("\n").filter((line) => /^[A-Z][a-z]/.test(line) && !line.startsWith("Join"));
    expect(titles.map((title) => title.split(" ")[0])).toEqual([
      "Rectifiers",
      "Smooth",
      "Over",
      "Elementary",
      "Arithmetic",
    ]);
    for (const op of allOps()) expect(listed).toContain(`\n  ${signatureOf(op)}`);
  });

  it("tells the gradient, shows both curves, and what becomes of some numbers", async () => {
    const explained = await text("ops", "leaky_relu");
    expect(explained).toMatch(/Gradient +x > 0 \? 1 : alpha; by alpha: x > 0 \? 0 : x/);
    expect(explained).toMatch(/Curve of leaky_relu\n +f\(x\) +f′\(x\)\n/);
    expect(explained).toMatch(/\n {2}leaky_relu +-0\.03 +-0\.01 .*\n {2}gradient +0\.01 +0\.01 /);
  });

  it("shows values of a row where the op is over rows, and no curve", async () => {
    const explained = await text("ops", "softmax");
    expect(explained).not.toContain("Curve");
    const row = /\n {2}softmax +(.*)\n/.exec(explained)![1]!.split(/ +/).map(Number);
    expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 2);
  });

  it("gives examples that can be typed as they are", () => {
    for (const op of allOps()) {
      const chains = [...renderOp(op, 80, style).matchAll(/sluice apply (?:'([^']+)'|(\S+)) in\.arrow/g)];
      expect(chains.length).toBeGreaterThan(1);
      for (const [, quoted, bare] of chains) {
        const chain = parseChain(quoted ?? bare!);
        expect(chain.at(-1)!.op.name).toBe(op.name);
      }
    }
  });

  it("is the catalog as JSON", async () => {
    const { ops } = JSON.parse(await text("ops", "--json"));
    expect(ops.map(({ name }: { name: string }) => name)).toEqual(allOps().map(({ name }) => name));
    expect(JSON.parse(await text("ops", "relu6", "--json"))).toMatchObject({
      name: "relu6",
      formula: expect.any(String),
      gradient: expect.any(String),
      accuracy: expect.any(String),
      kind: "piecewise",
    });
  });

  it("suggests the op that was meant", async () => {
    const { code, stderr } = await runCli(["ops", "leky_relu"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'sluice: there is no op "leky_relu"\n  Did you mean sluice ops leaky_relu?\n',
    });
  });

  it.each([40, 80, 120])("fits %d columns", (width) => {
    const signatures = allOps().map(signatureOf);
    const pages = [renderOps(allOps(), width, style), ...allOps().map((op) => renderOp(op, width, style))];
    for (const line of pages.flatMap((page) => page.split("\n"))) {
      // Commands and signatures are not broken, nor words, such as the path of a file.
      if (line.includes("sluice apply") || signatures.includes(line.trim()) || !line.trim().includes(" "))
        continue;
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });
});

describe("sluice inspect", () => {
  const values = Float32Array.of(-1, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -3);
  const array = directory.write("a.npy", npyBytes(values, [2, 3]));

  it("shows shape, sizes and statistics", async () => {
    const shown = await text("inspect", array);
    expect(shown).toMatch(/npy array, float32\[2, 3\], 152 B/);
    expect(shown).toMatch(/array +-3 +-0\.875 +0\.5 +33\.3% +16\.7% +16\.7% +16\.7%/);
  });

  it("reads a pipe, and prints JSON", async () => {
    const { code, stdout } = await runCli(["inspect", "-", "--json"], { input: npyBytes(values, [2, 3]) });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{ input: "-", format: "npy", bytes: 152 },
      tensors: [{ shape: [2, 3], elements: 6, statistics: { nan: 1, infinite: 1, zero: 1, negative: 2 } }],
    });
  });

  it("shows a file without tensors, too", async () => {
    const table = new arrow.Table({ f: arrow.vectorFromArray([1, 2], new arrow.Float32()) });
    const plain = directory.write("plain.arrow", arrow.tableToIPC(table, "file"));
    expect(await text("inspect", plain)).toMatch(/f +float32 +float\n\nNo tensor column\./);
    expect(await text("inspect", plain, "-c", "f")).toMatch(/f +1 +1\.5 +2/);
  });

  it("says what is no tensor file", async () => {
    const { code, stderr } = await runCli(["inspect", directory.write("x.json", '{"this is": "JSON"}')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: .*JSON/);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s while it waits for input ends with 130", async (signal) => {
    const result = await runCli(["inspect", "-"], {
      input: "open",
      started(child) {
        const part = npyBytes(new Float32Array(2 ** 20)).subarray(0, 2 ** 21);
        // More than a pipe holds: once it is gone, the command is up and reading.
        child.stdin.write(part, () => child.kill(signal));
      },
    });
    expect(result).toMatchObject({ code: 130, stderr: "sluice: interrupted\n" });
  });
});

describe("sluice doctor", () => {
  it("finds all that is needed where these tests run", async () => {
    const { sound, checks } = JSON.parse(await text("doctor", "--json"));
    expect(sound).toBe(true);
    const names = checks.map(({ name }: Check) => name);
    expect(names).toEqual(
      expect.arrayContaining(["Node", "Cores", "WebAssembly SIMD", "Worker threads", "GPU"]),
    );
  });

  it("says what to do about what is missing", () => {
    const checks: Check[] = [
      { name: "Node", verdict: "ok", finding: "20.20.2" },
      { name: "WebAssembly SIMD", verdict: "missing", finding: "no", remedy: "Take another processor." },
    ];
    expect(renderChecks(checks, 80, style)).toBe(
      "ok       Node              20.20.2\n" +
        "missing  WebAssembly SIMD  no. Take another processor.\n\n" +
        "Sluice cannot work here: see what is missing above.\n",
    );
    expect(renderChecks(checks.slice(0, 1), 80, style)).toContain("Sluice works here.");
  });

  it("shows the GPU with its limits and rates, and says where it is one in software", () => {
    const rates = { upload: 12.5e9, compute: 500e9, download: 11e9 };
    const api = "webgpu";
    const gpu = {
      found: true,
      api,
      adapter: "A GPU",
      isSoftware: false,
      arrayBytes: 2 ** 31,
      rates,
    } as const;
    expect(renderChecks(checkGpu(gpu), 100, style)).toBe(
      "ok  GPU         A GPU, through WebGPU\n" +
        "ok  GPU limits  arrays of up to 2.00 GiB\n" +
        "ok  GPU rates   upload 11.6 GiB/s, download 10.2 GiB/s, 466 GiB/s through leaky_relu on it\n\n" +
        "Sluice works here.\n",
    );
    const [software] = checkGpu({ ...gpu, isSoftware: true });
    expect(software).toMatchObject({ verdict: "note", finding: "A GPU, through WebGPU, in software" });
    const [standIn] = checkGpu({ ...gpu, api: "headless-gl" });
    expect(standIn).toMatchObject({ verdict: "note", finding: "A GPU, through headless-gl" });
  });

  it("does without a GPU, and says what to install", () => {
    const text = renderChecks(
      checkGpu({ found: false, why: "no driver", remedy: "Install one." }),
      80,
      style,
    );
    expect(text).toBe("note  GPU  no driver. Install one.\n\nSluice works here.\n");
  });
});

describe("a terminal", () => {
  const terminal = () => true;

  it("is neither a source nor a target of binary data", () => {
    expect(() => refuseTerminals({ input: "in.npy", output: "-" }, terminal)).toThrow("stdout is a terminal");
    expect(() => refuseTerminals({ input: "-", output: "out.npy" }, terminal)).toThrow("stdin is a terminal");
    expect(() => refuseTerminals({ input: "-" }, terminal)).toThrow("stdin is a terminal");
  });

  it("does not matter where files are named, or where it is a pipe", () => {
    refuseTerminals({ input: "in.npy", output: "out.npy" }, terminal);
    refuseTerminals({ input: "-", output: "-" }, () => false);
  });
});
