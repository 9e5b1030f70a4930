import { existsSync, readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";

const directory = temporaryDirectory();
const cwd = directory.path(".");
const plot = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCli(["plot", ...args], { cwd });
  return { code, stdout: stdout.toString(), stderr };
};

describe("sluice plot", () => {
  it("draws in the terminal, 80 columns wide where there is none", async () => {
    const { code, stdout, stderr } = await plot("leaky_relu(0.2)", "relu6", "--grad");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("● leaky_relu(0.2)   ▲ relu6");
    expect(lines[2]).toMatch(/^ +f\(x\) +f′\(x\) *$/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
  });

  it("colours only where it is asked to", async () => {
    const { stdout } = await runCli(["plot", "relu", "abs"], { env: { FORCE_COLOR: "1" } });
    expect(stdout.toString()).toContain("\x1b[34m●\x1b[39m relu");
    const { stdout: plain } = await runCli(["plot", "relu", "abs"], {
      env: { FORCE_COLOR: "1", NO_COLOR: "1" },
    });
    expect(plain.toString()).not.toContain("\x1b");
  });

  it("writes SVG, to a file or to stdout", async () => {
    expect(await plot("relu", "abs", "-o", "a.svg")).toEqual({ code: 0, stdout: "", stderr: "" });
    const svg = readFileSync(directory.path("a.svg"), "utf8");
    expect(new Resvg(svg).width).toBe(680);
    expect((await plot("relu", "abs", "-o", "-")).stdout).toBe(svg);
    expect(svg).toContain("relu: 0 at x = -4, 0 at x = 0, 4 at x = 4. abs: 4 at x = -4");
  });

  it("writes PNG, twice as large", async () => {
    expect((await plot("relu", "-o", "a.png", "--grad")).code).toBe(0);
    const png = readFileSync(directory.path("a.png"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBe(1960);
  });

  it("does not overwrite unless it is told to", async () => {
    directory.write("taken.svg", "mine");
    const { code, stderr } = await plot("relu", "-o", "taken.svg");
    expect({ code, mine: readFileSync(directory.path("taken.svg"), "utf8") }).toEqual({
      code: 1,
      mine: "mine",
    });
    expect(stderr).toContain("The output exists already");
    expect((await plot("relu", "-o", "taken.svg", "--overwrite")).code).toBe(0);
    expect(readFileSync(directory.path("taken.svg"), "utf8")).toMatch(/^<svg/);
  });

  it("takes a range, also of negative numbers, and a title", async () => {
    const { stdout } = await plot(
      "relu",
      "--from",
      "-6",
      "--to",
      "-.5",
      "--y-to=2",
      "--title",
      "a & b",
      "-o",
      "-",
    );
    expect(stdout).toContain(">−6</text>");
    expect(stdout).toContain('<text class="title" x="24" y="42">a &amp; b</text>');
  });

  it("gives the points for scripts", async () => {
    const { stdout } = await plot("leaky_relu(0.5)", "softplus(2) | relu", "--grad", "--json", "--to", "2");
    const { command, from, to, output, curves } = JSON.parse(stdout);
    expect({ command, from, to, output }).toEqual({ command: "plot", from: -4, to: 2, output: null });
    expect(curves[0]).toEqual({
      label: "leaky_relu(0.5)",
      ops: "leaky_relu(alpha=0.5)",
      value: [
        [
          [-4, -2],
          [0, 0],
          [2, 2],
        ],
      ],
      gradient: [
        [
          [-4, 0.5],
          [0, 0.5],
        ],
        [
          [0, 1],
          [2, 1],
        ],
      ],
    });
    expect(curves[1].label).toBe("softplus(2) | relu");
    const both = await plot("relu", "-o", "-", "--json");
    expect(both.stdout).toMatch(/^<svg/);
    expect(JSON.parse(both.stderr)).toMatchObject({ output: "-" });
  });
});

it("the picture in the docs is what the command beside it draws", async () => {
  const docs = new URL("../../docs/", import.meta.url);
  const text = readFileSync(new URL("cli.md", docs), "utf8");
  const [command] = /sluice plot .* -o activations\.svg/.exec(text)!;
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  const { code } = await plot(...words.slice(2));
  expect(code).toBe(0);
  const drawn = readFileSync(directory.path("activations.svg"), "utf8");
  expect(readFileSync(new URL("images/activations.svg", docs), "utf8")).toBe(drawn);
});

describe("sluice plot refuses", () => {
  it.each([
    [["softmax"], "softmax has no curve"],
    [["relu", "out.svg"], '"out.svg" is no op\n  To write a picture: -o out.svg.'],
    [["relu", "-o", "out.pdf"], "End the name in .svg or .png"],
    [["relu", "--from", "3", "--to", "2"], "--to (2) is not above --from (3)"],
    [["relu", "--from", "1", "--to", "1.0000000001"], "too close together"],
    [["relu", "--y-from", "1", "--y-to", "0"], "--y-to (0) is not above --y-from (1)"],
    [["relu", "--from", "wide"], '--from cannot be "wide"'],
    [["relu", "--to", "1e300"], '--to cannot be "1e300"'],
    [["relu", "--theme", "blue"], '--theme cannot be "blue"'],
    [["lekay_relu"], "Did you mean leaky_relu?"],
    [[], "plot needs <ops>..."],
    [new Array<string>(9).fill("relu"), "9 curves are too many to tell apart"],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await plot(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("a directory that does not exist, and leaves nothing behind", async () => {
    const { code, stderr } = await plot("relu", "-o", "nowhere/a.svg");
    expect(code).toBe(1);
    expect(stderr).toContain("Check the path and that its directory exists.");
    expect(existsSync(directory.path("nowhere"))).toBe(false);
  });
});
