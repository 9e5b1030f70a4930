import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Model } from "../../src/train/model.ts";
import { type CliOptions, type CliResult, runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { pointsFile } from "../support/points.ts";

const directory = temporaryDirectory();
const cwd = directory.path(".");
directory.write("points.arrow", pointsFile({ rows: 700 }));

const LAYERS = "dense(32) | leaky_relu(0.1, learn) | dropout(0.2) | dense(3)";
const COMMON = ["train", "points.arrow", "--features", "x", "--label", "centre", "--layers", LAYERS];
const run = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runCli(args, { cwd, ...options });

async function succeeded(args: readonly string[]): Promise<CliResult> {
  const result = await run(args);
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  return result;
}

interface Line {
  readonly event: string;
  readonly step?: number;
}
/** The whole lines of a log, as far as it is written. */
function linesOf(name: string): Line[] {
  if (!existsSync(directory.path(name))) return [];
  const text = readFileSync(directory.path(name), "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
const stepsOf = (name: string): Line[] => linesOf(name).filter(({ event }) => event === "step");

test("a training writes the model, its log and its report, and says how it went", async () => {
  const outputs = ["-o", "m.safetensors", "--log", "m.jsonl", "--report", "m.html", "--onnx", "m.onnx"];
  const { stdout } = await succeeded([
    ...COMMON,
    "--epochs",
    "3",
    "--validation",
    "0.2",
    ...outputs,
    "--json",
  ]);
  const result = JSON.parse(String(stdout));
  expect(result).toMatchObject({
    ...{
      command: "train",
      inputs: ["points.arrow"],
      output: "m.safetensors",
      report: "m.html",
      log: "m.jsonl",
    },
    ...{ epochs: 3, steps: 15, reason: "done", rows: { train: 560, validation: 140, skipped: 0 } },
    settings: { batch: 128, epochs: 3, validation: 0.2, features: ["x"], label: "centre" },
  });
  expect(result.validation.accuracy).toBeGreaterThan(0.3);
  expect(result.path).toMatch(/^(relaxed|plain)$/);
  const lines = linesOf("m.jsonl");
  expect(lines[0]).toMatchObject({
    event: "start",
    path: result.path,
    initial: [expect.stringMatching(/^0 dense: He/), expect.anything()],
  });
  expect(stepsOf("m.jsonl").map(({ step }) => step)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  expect(lines.slice(-2)).toEqual([
    { event: "checkpoint", step: 15, path: "m.safetensors" },
    { event: "end", step: 15, reason: "done" },
  ]);
  const page = directory.read("m.html").toString();
  const loss = /data-label="training" points="([^"]*)"/.exec(page)![1]!.split(" ");
  expect(loss).toHaveLength(15);
  expect((await Model.load(directory.path("m.safetensors"))).target).toEqual({
    kind: "classes",
    classes: ["amber", "blue", "coral"],
  });
  expect(directory.read("m.onnx").length).toBeGreaterThan(100);
});

test("any number of workers and any memory give the same file, byte for byte", async () => {
  const files = await Promise.all(
    [
      ["--workers", "1"],
      ["--workers", "2", "--memory", "64MiB"],
      ["--workers", "3", "--memory", "1GiB"],
    ].map(async (options, i) => {
      await succeeded([
        ...COMMON,
        "--epochs",
        "20",
        "--patience",
        "5",
        "--validation",
        "0.1",
        ...options,
        "-o",
        `w${i}.safetensors`,
      ]);
      return directory.read(`w${i}.safetensors`);
    }),
  );
  expect(files[1]!.equals(files[0]!)).toBe(true);
  expect(files[2]!.equals(files[0]!)).toBe(true);
});

/** Long enough to be interrupted. */
const LONG = [...COMMON, "--batch", "16", "--epochs", "35", "--validation", "0.1", "--seed", "5"];

/** Runs it until so many steps are in the log, and sends a signal. */
function interrupted(
  args: readonly string[],
  log: string,
  steps: number,
  signal: NodeJS.Signals,
): Promise<CliResult> {
  return run(args, {
    started: async (child) => {
      while (child.exitCode === null && stepsOf(log).length < steps) await sleep(5);
      child.kill(signal);
    },
  });
}

test("Ctrl-C saves and exits with 130, kill -9 leaves the last checkpoint, and --resume goes on from both", async () => {
  await succeeded([...LONG, "--workers", "1", "-o", "whole.safetensors", "--log", "whole.jsonl"]);
  const outputs = ["-o", "cut.safetensors", "--log", "cut.jsonl"];
  const first = await interrupted([...LONG, ...outputs], "cut.jsonl", 200, "SIGINT");
  expect(first.stderr).toMatch(
    /^sluice: step [\d,]+ is saved in cut.safetensors; to go on: --resume cut.safetensors\nsluice: interrupted\n$/,
  );
  expect([first.code, first.signal]).toEqual([130, null]);
  const saved = Number(linesOf("cut.jsonl").at(-1)!.step);
  expect(saved).toBeGreaterThanOrEqual(200);
  expect(linesOf("cut.jsonl").at(-1)).toMatchObject({ event: "end", reason: "aborted" });

  const resume = [
    "train",
    "points.arrow",
    "--resume",
    "cut.safetensors",
    "--log",
    "cut.jsonl",
    "--checkpoint-every",
    "100",
  ];
  const second = await interrupted(resume, "cut.jsonl", saved + 200, "SIGKILL");
  expect(second.signal).toBe("SIGKILL");
  const { step } = (await Model.load(directory.path("cut.safetensors"))).trained.training!.progress;
  expect(Number(step) % 100).toBe(0);
  expect(step).toBeGreaterThan(saved);

  await succeeded(resume);
  expect(directory.read("cut.safetensors").equals(directory.read("whole.safetensors"))).toBe(true);
  expect(stepsOf("cut.jsonl")).toEqual(stepsOf("whole.jsonl"));
}, 60_000);

test("a training that explodes keeps its last good weights, and exits with 1", async () => {
  const { code, stderr } = await run([
    ...[
      "train",
      "points.arrow",
      "--features",
      "x",
      "--label",
      "value",
      "--loss",
      "mse",
      "--layers",
      "dense(8) | relu | dense(1)",
    ],
    ...["--optimizer", "sgd(lr=1e6)", "-o", "explodes.safetensors"],
  ]);
  expect(stderr).toMatch(
    /^sluice: (The loss|A gradient) of step \d+ is not finite.* layer \d \(\w+\)\n {2}Lower the learning rate, which is 1000000 here/,
  );
  expect(stderr).toContain("The weights from before that step are in explodes.safetensors.");
  expect(code).toBe(1);
  expect((await Model.load(directory.path("explodes.safetensors"))).isTrained).toBe(true);
});

const TO = ["-o", "x.safetensors"];
const MISUSED: readonly (readonly [says: RegExp, args: readonly string[]])[] = [
  [/a place for the model: -o FILE/, ["points.arrow", "--layers", "dense(3)"]],
  [/needs --layers/, ["points.arrow", ...TO]],
  [/train needs <input>/, []],
  [/not to stdout/, [...COMMON.slice(1), "-o", "-"]],
  [/written twice/, [...COMMON.slice(1), ...TO, "--log", "x.safetensors"]],
  [/--validation cannot be "most"/, [...COMMON.slice(1), ...TO, "--validation", "most"]],
  [/validation cannot be 1.5/, [...COMMON.slice(1), ...TO, "--validation", "1.5"]],
  [/adm\n {2}\^\n {2}Did you mean adam\?/, [...COMMON.slice(1), ...TO, "--optimizer", "adm"]],
  [/dens\(3\)\n {2}\^\n {2}Did you mean dense\?/, ["points.arrow", ...TO, "--layers", "dens(3)"]],
  [/exists already/, [...COMMON.slice(1), ...TO, "--report", "points.arrow"]],
];

test.each(MISUSED)("%s: an error, before anything is computed", async (says, args) => {
  const { code, stderr } = await run(["train", ...args]);
  expect(stderr).toMatch(says);
  expect(code).toBe(stderr.includes("exists already") ? 1 : 2);
  expect(directory.names()).not.toContain("x.safetensors");
});

/** There are no such rows to train on: whoever looked for them first would say so. */
const UNWRITABLE: readonly (readonly [says: RegExp, outputs: readonly string[]])[] = [
  [/ENOENT \(nowhere\/m.safetensors\)/, ["-o", "nowhere/m.safetensors"]],
  [/ENOTDIR \(points.arrow\/m.safetensors\)/, ["-o", "points.arrow/m.safetensors"]],
  [/EISDIR \(\.\)/, ["-o", ".", "--overwrite"]],
  [/ENOENT \(nowhere\/m.onnx\)/, [...TO, "--onnx", "nowhere/m.onnx"]],
  [/ENOENT \(nowhere\/m.html\)/, [...TO, "--report", "nowhere/m.html"]],
];

test.each(UNWRITABLE)("%s: an error, before the data are looked at", async (says, outputs) => {
  const { code, stderr } = await run(["train", "missing.arrow", "--layers", "dense(3)", ...outputs]);
  expect(stderr).toMatch(says);
  expect(code).toBe(1);
  expect(directory.names().filter((name) => /^x\.|partial/.test(name))).toEqual([]);
});

test("rows with nulls are an error, or left out and counted", async () => {
  directory.write("nulls.arrow", pointsFile({ rows: 300, unlabelled: (row) => row % 50 === 7 }));
  const args = [
    "train",
    "nulls.arrow",
    "--features",
    "x",
    "--label",
    "centre",
    "--layers",
    "dense(3)",
    "-o",
    "n.safetensors",
  ];
  const refused = await run(args);
  expect(refused.stderr).toMatch(/null.*column "centre".*row 7/);
  expect(refused.code).toBe(1);
  const { code, stderr, stdout } = await run([...args, "--epochs", "1", "--skip-nulls", "--json"]);
  expect([code, stderr]).toEqual([0, "sluice: 6 rows with nulls left out\n"]);
  expect(JSON.parse(String(stdout)).rows).toEqual({ train: 294, validation: 0, skipped: 6 });
});

test("a training that stops early says so", async () => {
  const options = ["--validation", "0.2", "--patience", "2", "--optimizer", "adam(lr=0.5)", "--epochs", "50"];
  const { code, stderr, stdout } = await run([...COMMON, ...options, "-o", "early.safetensors", "--json"]);
  const { reason, epoch, epochs } = JSON.parse(String(stdout));
  expect([code, reason, epochs]).toEqual([0, "stopped early", epoch + 2]);
  expect(stderr).toBe(
    `sluice: the loss on the rows held out did not fall any more: the weights are those of epoch ${epoch}\n`,
  );
});

test("--quiet says nothing, and a report of --json without a terminal is all that is printed", async () => {
  const { stdout } = await succeeded([...COMMON, "--epochs", "1", "-o", "q.safetensors", "--quiet"]);
  expect(String(stdout)).toBe("");
});
