/**
 * The GPU device through headless-gl: the CPU's bits for straight pieces, the bounds of WebGPU for all else, whole files, and
 * a process that ends well. Needs headless-gl.
 */
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { GpuDevice } from "../../src/gpu/device.ts";
import { opBounds } from "../../src/gpu/functions/bounds.ts";
import { type HeadlessGl, openHeadlessGl } from "../../src/gpu/headless-gl.ts";
import { programKernels } from "../../src/gpu/program-kernels.ts";
import { backward } from "../../src/ops/backward.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { evaluateRows } from "../../src/ops/evaluate-rows.ts";
import * as e from "../../src/ops/expr.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { expectSameBits } from "../support/bits.ts";
import { type CliOptions, type CliResult, runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { arbitraryElements, arbitraryProgram, firstDifference } from "../support/expressions.ts";
import { type GpuResult, runProgram } from "../support/gpu-program.ts";
import { npyOfZeros } from "../support/inputs.ts";
import { npyBytes } from "../support/npy.ts";
import { ipc, pairs } from "../support/pairs.ts";
import { randomFrom } from "../support/random.ts";
import { expandFloat32 } from "./expand.ts";
import { beyond, sample, trueValues } from "./measure.ts";
import { CURVED, STRAIGHT } from "./ops.ts";
import { staysNormal } from "./simulate.ts";

const gl: HeadlessGl = await openHeadlessGl();
afterAll(() => gl.close());
const run = (program: Program, ...rest: readonly [readonly Float32Array[], object?]): Promise<GpuResult> =>
  runProgram(gl, program, ...rest);

const SPECIAL = [0, -0, Number.NaN, Infinity, -Infinity, 1, -1, 0.5, 3, -3, 6, 2 ** -126, -3.4e38, 8388609];

/** The special numbers with each other, and others of all sizes. */
function inputsOf(count: number, length: number): Float32Array[] {
  return Array.from({ length: count }, (_, k) =>
    sample(length, k + 1).map((value, i) => {
      const at = Math.floor(i / SPECIAL.length ** k) % SPECIAL.length;
      return i < SPECIAL.length ** 2 ? SPECIAL[at]! : value;
    }),
  );
}

/** Elements for which a step is subnormal are left out: a device may take them for 0. */
async function expectCpuBits(program: Program, inputs: readonly Float32Array[]): Promise<void> {
  const copies = inputs.map((input) => input.slice());
  evaluate(program, "float32", copies.length === 1 ? copies[0]! : copies);
  const { output } = await run(program, inputs);
  const stays = staysNormal(expandFloat32(program.output), inputs);
  const of = (values: Float32Array) => values.map((value, i) => (stays[i] ? value : 0));
  const at = firstDifference("float32", of(output), of(copies[program.target]!));
  expect(at < 0 ? "" : `${inputs.map((input) => input[at])}: ${output[at]}`).toBe("");
}

describe("straight pieces", () => {
  const CHAINS = [
    ...STRAIGHT,
    "mul(0.5) | mul(0.3) | add(1) | sub(1)",
    "mul(0) | add(0) | neg | add(-0.0)",
    "leaky_relu(0.1) | div(7) | relu6 | sub(0.3) | hard_tanh | mul(1e20) | abs",
  ];

  it.each(CHAINS)("%s has the bits of the CPU, and its gradient", async (text) => {
    const chain = parseChain(text);
    await expectCpuBits(fuse(chain), inputsOf(1, 2048));
    await expectCpuBits({ ...backward(chain), sums: [] }, inputsOf(2, 2048));
  });

  it("random programs have them, too", { timeout: 120_000 }, async () => {
    const programs = fc.tuple(arbitraryProgram(), arbitraryElements("float32", { maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(programs, async ([program, x]) => {
        if (x.length > 0 && program.channels.length === 0) await expectCpuBits(program, [x]);
      }),
      { numRuns: 25 },
    );
  });

  it("constants keep every bit, and so do the elements", async () => {
    const random = randomFrom(23);
    const words = Uint32Array.from({ length: 60 }, () => random() * 2 ** 32);
    const constants = [...new Float32Array(words.buffer), ...SPECIAL, 2 ** -149, 123456776, 1e21];
    const places = Float32Array.from(constants.keys());
    const chosen = constants.reduceRight<e.Num>(
      (rest, value, i) => e.where(e.eq(e.x, i), value, rest),
      e.constant(0),
    );
    const expected = Float32Array.from(constants);
    const { output } = await run(toProgram(chosen), [places]);
    expect(firstDifference("float32", output, expected)).toBe(-1);
    const carried = await run(toProgram(e.x), [expected]);
    expect(firstDifference("float32", carried.output, expected)).toBe(-1);
  });
});

describe("functions", () => {
  const x = sample(3000, 11);
  const ones = new Float32Array(x.length).fill(1);

  it.each(CURVED)("%s is within the bounds that hold for WebGPU, and its gradient", async (text) => {
    const chain = parseChain(text);
    const { value, gradient } = opBounds[text.replace(/\(.*/, "")]!;
    for (const [program, inputs, bound] of [
      [fuse(chain), [x], value],
      [{ ...backward(chain), sums: [] }, [x, ones], gradient],
    ] as const) {
      const { output } = await run(program, inputs);
      expect(beyond(bound, x, output, trueValues(program, inputs))).toEqual([]);
    }
  });
});

const random = randomFrom(7);
const numbers = (length: number, size: number): Float32Array =>
  Float32Array.from({ length }, () => size * (random() - 0.5));

describe("sums", () => {
  it.each([1, 257, 70_001])("of %i elements are the CPU's, but for what float32 loses", async (length) => {
    const program = backward(parseChain("leaky_relu(0.2) | mul(0.7)"));
    const inputs = [numbers(length, 4), numbers(length, 2)] as const;
    const { sums } = await run(program, inputs);
    const slopes = inputs[0].map((x, i) => (x > 0 ? 0 : x * Math.fround(inputs[1][i]! * Math.fround(0.7))));
    const expected = slopes.reduce((total, term) => total + term, 0);
    expect(Math.abs(sums[0]![0]! - expected)).toBeLessThan(40 * 2 ** -24 * 4 * length);
  });

  // Short and long strides, from the middle of a channel.
  it.each([
    [3, 1],
    [5, 7],
    [4, 32],
    [3, 1000],
    [7, 1_000_003],
    [2, 2 ** 29],
  ])("per channel, %i of stride %i", async (count, stride) => {
    const alpha = Array.from({ length: count }, (_, i) => 0.1 * (i + 1));
    const program = backward(parseChain(`prelu([${alpha}])`));
    const length = 3001;
    const [x, dy] = [numbers(length, 4), numbers(length, 2)];
    const [channel, within] = [count - 1, stride - 1];
    const { output, sums } = await run(program, [x, dy], { channels: { count, stride }, channel, within });
    const expected = new Float64Array(count);
    const dx = dy.map((value, i) => {
      const at = (channel + Math.floor((within + i) / stride)) % count;
      if (x[i]! > 0) return value;
      expected[at]! += x[i]! * value;
      return Math.fround(alpha[at]!) * value;
    });
    expect(firstDifference("float32", output, dx)).toBe(-1);
    for (const [i, sum] of expected.entries()) expect(Math.abs(sums[0]![i]! - sum)).toBeLessThan(0.01);
  });
});

describe("rows", { timeout: 120_000 }, () => {
  it.each([
    ["softmax", 1],
    ["softmax", 33],
    ["softmax", 2049],
    ["log_softmax", 64],
    ["l2_normalize", 7],
    ["layer_norm", 100],
  ] as const)("%s of %i elements, and its gradient", async (text, rowLength) => {
    const chain = parseChain(text);
    for (const program of [fuse(chain), { ...backward(chain), sums: [] }]) {
      const inputs = Array.from({ length: program.inputs }, () => numbers(3 * rowLength, 6));
      const exact = inputs.map((input) => Float64Array.from(input));
      evaluateRows(program, "float64", exact.length === 1 ? exact[0]! : exact, rowLength);
      const { output } = await run(program, inputs, { rowLength });
      const far = output.map((value, i) => Math.abs(value - exact[program.target]![i]!));
      expect(Math.max(...far)).toBeLessThan(2e-4);
    }
  });
});

describe("a window of", { timeout: 60_000 }, () => {
  const program = fuse(parseChain("mul(0.5) | leaky_relu(0.2)"));
  const device = new GpuDevice(gl, programKernels, { memory: 2 ** 28 });

  // Four elements a texel; textures of one size after the other, up to the largest and back.
  it.each([1, 63, 64, 65, 4097, 2 ** 21, 2 ** 22 + 3, 63, 5])(
    "%i elements is computed to the last one",
    async (count) => {
      const values = sample(Math.min(count, 10_007), 3);
      const x = Float32Array.from({ length: count }, (_, i) => values[i % values.length]!);
      const bytes = new Uint8Array(x.slice().buffer);
      await device.prepare(program, [{ name: "t", dtype: "float32", shape: [null], channels: null }]);
      await device.run({
        slot: { address: 0, bytes },
        length: bytes.length,
        ranges: Float64Array.of(0, count, 0, 0, 0),
      });
      const expected = x.map((value) => {
        const half = Math.fround(0.5 * value);
        return half > 0 ? half : Math.fround(Math.fround(0.2) * half);
      });
      // Subnormal ones are 0.
      const plain = (of: Float32Array) => of.map((value) => (Math.abs(value) < 2 ** -126 ? 0 : value));
      expect(firstDifference("float32", plain(new Float32Array(bytes.buffer)), plain(expected))).toBe(-1);
    },
  );
});

it("a kernel works on after one that was built later is gone", async () => {
  const [own, other] = ["mul(2)", "mul(3)"].map((text) => programKernels(fuse(parseChain(text)), null)[0]!);
  const staging = gl.staging();
  const [kernel, later] = [await gl.kernel(own!.kernel), await gl.kernel(other!.kernel)];
  later.dispose();
  for (const length of [5, 3]) {
    const [array] = await staging.open([length]);
    array!.fill(length);
    let found: number[] = [];
    await staging.run(
      [length],
      async (sent) => [await kernel.start(sent, length)],
      ([result]) => {
        found = [...result!];
      },
    );
    expect(found).toEqual(Array(length).fill(2 * length));
  }
  staging.close();
  kernel.dispose();
});

it("what does not compile is a GpuError that says why", async () => {
  const source = {
    source: "function (x) { return nothing(x[0]); }",
    constants: {},
    arguments: ["array"],
  } as const;
  await expect(gl.kernel(source)).rejects.toMatchObject({
    code: "ERR_GPU",
    message: expect.stringMatching(/^A kernel does not compile/),
  });
});

describe("the command", { timeout: 60_000 }, () => {
  const directory = temporaryDirectory();
  const { path } = directory;
  /** Where WebGPU has no adapter. */
  const command = (args: readonly string[], { env, ...options }: CliOptions = {}): Promise<CliResult> =>
    runCli(args, {
      ...options,
      env: { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere", ...env },
    });
  const STRAIGHT_CHAIN = "mul(0.5) | leaky_relu(0.2) | clamp(-1.5, 3)";
  // Some windows of 8 MiB: one is timed, and another one comes after the choice.
  const count = 5 * 2 ** 20 + 3;
  const values = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 4001) / 500 - 4);
  const large = directory.write("large.npy", npyBytes(values));

  it.each(["arrow", "arrows"])("has the CPU's bytes of a whole file, to %s", async (format) => {
    const table = pairs({
      ...{ dtype: "float32", nesting: [null, 3], rows: [40, 0, 700] },
      ...{ order: "x first", inStruct: false, nulls: true, seed: 11 },
    });
    const input = directory.write("in.arrow", ipc(table, "file"));
    const outputs = ["gpu", "cpu"].map((device) => path(`${device}.${format}`));
    for (const [i, device] of ["gpu", "cpu"].entries()) {
      const args = ["apply", STRAIGHT_CHAIN, input, outputs[i]!, "--column", "x", "--json"];
      const { code, stdout } = await command([...args, "--device", device, "--overwrite"]);
      expect(code).toBe(0);
      const told = { device, deviceApi: device === "gpu" ? "headless-gl" : null };
      expect(JSON.parse(stdout.toString())).toMatchObject(told);
    }
    expect(directory.read(`gpu.${format}`)).toEqual(directory.read(`cpu.${format}`));

    const { inputColumn, upstream } = table.names;
    const args = ["grad", STRAIGHT_CHAIN, input, "--input-column", inputColumn, "--upstream", upstream];
    for (const device of ["gpu", "cpu"]) {
      const { code } = await command([
        ...[...args.slice(0, 3), path(`${device}-dx.${format}`), ...args.slice(3)],
        ...["--device", device],
      ]);
      expect(code).toBe(0);
    }
    expect(directory.read(`gpu-dx.${format}`)).toEqual(directory.read(`cpu-dx.${format}`));
  });

  it("goes through a large file, where it may choose as well", async () => {
    await command(["apply", STRAIGHT_CHAIN, large, path("cpu.npy"), "--device", "cpu"]);
    const named = await command(["apply", STRAIGHT_CHAIN, large, path("gpu.npy"), "--device", "gpu"]);
    expect({ code: named.code, signal: named.signal }).toEqual({ code: 0, signal: null });
    expectSameBits(directory.read("gpu.npy"), directory.read("cpu.npy"));
    const auto = await command(["apply", STRAIGHT_CHAIN, large, path("auto.npy"), "--json"], {
      env: { SLUICE_AUTO_AFTER: "0" },
    });
    expect(JSON.parse(auto.stdout.toString()).deviceReason).toMatch(/^GPU [\d.e+-]+ GB\/s, CPU/);
    expectSameBits(directory.read("auto.npy"), directory.read("cpu.npy"));
  });

  it("is named by the doctor, with its rates", async () => {
    const { code, stdout } = await command(["doctor", "--json"]);
    expect(code).toBe(0);
    const { gpu } = JSON.parse(stdout.toString());
    expect(gpu).toMatchObject({ found: true, api: "headless-gl", adapter: expect.stringMatching(/WebGL/) });
    for (const rate of Object.values(gpu.rates)) expect(rate).toBeGreaterThan(0);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s halfway ends with 130, and leaves no file", async (signal) => {
    const zeros = npyOfZeros(path("zeros.npy"), 2 ** 30);
    const before = directory.names();
    const halfway = (): boolean =>
      directory.names().some((name) => name.endsWith(".partial") && statSync(path(name)).size > 2 ** 24);
    const result = await command(["apply", "tanh", zeros, path("cut.npy"), "--device", "gpu"], {
      async started(child) {
        while (child.exitCode === null && !halfway()) await sleep(10);
        child.kill(signal);
      },
    });
    expect(result).toMatchObject({ code: 130, signal: null });
    expect(result.stderr).toMatch(/sluice: interrupted\n$/);
    expect(directory.names()).toEqual(before);
  });

  it("without an X server says what both lack; where it may choose, the CPU does it", async () => {
    const env = { DISPLAY: undefined };
    const named = await command(["apply", "relu", large, path("none.npy"), "--device", "gpu"], { env });
    expect(named.code).toBe(1);
    expect(named.stderr).toMatch(
      /There is no GPU .*, and in its place: headless-gl can make no context\n {2}It/,
    );
    expect(directory.names()).not.toContain("none.npy");
    const auto = await command(["apply", "relu", large, path("without.npy"), "--json"], {
      env: { ...env, SLUICE_AUTO_AFTER: "0" },
    });
    expect(JSON.parse(auto.stdout.toString())).toMatchObject({
      ...{ device: "cpu", deviceApi: null, deviceReason: expect.stringMatching(/^There is no GPU/) },
    });
  });

  it("refuses float64", async () => {
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (20000,), }".padEnd(117);
    const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1");
    const double = Buffer.concat([start, Buffer.from(new Float64Array(20_000).fill(-1).buffer)]);
    const input = directory.write("double.npy", double);
    const refused = await command(["apply", "relu", input, path("no.npy"), "--device", "gpu"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/float32.*float64/);
  });
});
