import { describe, expect, it } from "vitest";
import { type Arguments, glance, parseArguments, type Suggest } from "../../src/cli/arguments.ts";
import { UsageError } from "../../src/errors.ts";
import { nearest } from "../../src/ops/suggest.ts";

const suggest: Suggest = async (name, known) => nearest(name, known);

async function run(...argv: string[]): Promise<Arguments> {
  const request = await parseArguments(argv, suggest);
  if (request.kind !== "run") throw new Error(`asks for ${request.kind}`);
  return request.arguments;
}

async function faultOf(...argv: string[]): Promise<UsageError> {
  const error = await parseArguments(argv, suggest).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  return error as UsageError;
}

describe("the command line", () => {
  it("takes options before, between and after the operands", async () => {
    const { command, operands, options } = await run(
      ...["--json", "apply", "-c", "a", "relu", "--column=b", "in", "out", "--workers", "3", "-cd"],
    );
    expect(command.name).toBe("apply");
    expect(operands).toEqual(["relu", "in", "out"]);
    expect(options.all("column")).toEqual(["a", "b", "d"]);
    expect(options.positive("workers")).toBe(3);
    expect(options.has("json")).toBe(true);
    expect(options.has("quiet")).toBe(false);
    expect(options.text("memory")).toBeUndefined();
  });

  it("leaves negative numbers in ops, and - for a stream, alone", async () => {
    expect((await run("apply", "leaky_relu(-0.1) | add(-2)", "-", "-")).operands).toEqual([
      "leaky_relu(-0.1) | add(-2)",
      "-",
      "-",
    ]);
  });

  it("takes everything after -- as operands", async () => {
    const { operands, options } = await run("apply", "--quiet", "--", "relu", "-in.npy", "--overwrite");
    expect(operands).toEqual(["relu", "-in.npy", "--overwrite"]);
    expect(options.has("overwrite")).toBe(false);
  });

  it("takes a value that begins with a dash only after =", async () => {
    expect((await run("apply", "--column=-x", "relu", "a", "b")).options.all("column")).toEqual(["-x"]);
    const fault = await faultOf("apply", "relu", "a", "b", "-c", "--json");
    expect(fault.message).toBe("-c needs a value, and --json looks like the next option");
    expect(fault.remedy).toBe("If --json is the value, write --column=--json.");
  });

  it.each([
    [["aply", "relu", "a", "b"], 'there is no command "aply"', "Did you mean sluice apply?"],
    [
      ["leaky_relu", "a", "b"],
      'there is no command "leaky_relu"',
      "Did you mean sluice apply leaky_relu a b?",
    ],
    [
      ["frobnicate"],
      'there is no command "frobnicate"',
      /^The commands are apply, grad, train, predict, inspect, ops, plot/,
    ],
    [["apply", "--wokers", "2", "relu", "a", "b"], "apply has no option --wokers", "Did you mean --workers?"],
    [["inspect", "--workers", "2", "a"], "inspect has no option --workers", "See sluice inspect --help."],
    [["--hepl"], "sluice has no option --hepl", "Did you mean --help?"],
    [["--json"], "--json comes with no command", /sluice --help/],
    [["apply", "relu", "-z", "b"], "apply has no option -z", /goes after --/],
    [
      ["apply", "relu", "a", "b", "--memory"],
      "--memory needs a value: --memory SIZE",
      "See sluice apply --help.",
    ],
    [
      ["apply", "relu", "a", "b", "--quiet=no"],
      '--quiet takes no value, but was given "no"',
      "Write --quiet alone.",
    ],
  ])("%j is a mistake that it explains", async (argv, message, remedy) => {
    const fault = await faultOf(...argv);
    expect(fault.message).toBe(message);
    expect(fault.remedy).toMatch(remedy);
  });

  it("shows the usage where operands are missing or too many", async () => {
    const missing = await faultOf("apply", "relu");
    expect(missing.message).toBe("apply needs <input> and <output>");
    expect(missing.remedy).toBe("Usage: sluice apply <ops> <input> <output>");
    const extra = await faultOf("apply", "mul", "0.5", "in", "out");
    expect(extra.message).toBe('apply takes <ops>, <input> and <output>, and "out" is one too many');
    expect(extra.remedy).toContain("A chain of ops goes in quotes");
    expect((await faultOf("doctor", "x")).message).toBe('doctor takes no operands, and "x" is one too many');
  });

  it.each([
    ["workers", "0"],
    ["workers", "-1"],
    ["workers", "two"],
    ["workers", "1e3"],
    ["workers", ""],
  ])("--%s=%s is no count", async (name, value) => {
    const { options } = await run("apply", "relu", "a", "b", `--${name}=${value}`);
    expect(() => options.positive(name)).toThrow(`--${name} cannot be ${JSON.stringify(value)}`);
  });

  it("lists the choices of an option", async () => {
    const { options } = await run("apply", "relu", "a", "b", "--format", "parquet");
    expect(() => options.choice("format", ["arrow", "arrows", "npy"])).toThrow(
      expect.objectContaining({ remedy: "Choose arrow, arrows or npy." }),
    );
  });

  it.each([
    [["--help"], { kind: "help", command: undefined }],
    [["help", "--help"], { kind: "help", command: undefined }],
    [["--version"], { kind: "version" }],
    [[], { kind: "nothing" }],
  ])("%j asks for %j", async (argv, request) => {
    expect(await parseArguments(argv, suggest)).toEqual(request);
  });

  it("answers --help of a command without its operands", async () => {
    expect(await parseArguments(["apply", "-h"], suggest)).toMatchObject({ command: { name: "apply" } });
  });

  it("knows at a glance where an error belongs, whatever else is wrong", () => {
    expect(glance(["apply", "--bogus", "relu", "-", "-", "--json"])).toEqual({
      json: true,
      quiet: false,
      dataOnStdout: true,
    });
    expect(glance(["apply", "relu", "-", "out", "--", "--json"])).toEqual({
      json: false,
      quiet: false,
      dataOnStdout: false,
    });
  });
});
