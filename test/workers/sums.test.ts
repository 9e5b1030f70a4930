import { afterAll, describe, expect, it } from "vitest";
import { type Device, RANGE_STRIDE } from "../../src/device.ts";
import { MemoryError } from "../../src/errors.ts";
import type { Channels, TensorColumn } from "../../src/formats/layout.ts";
import { backward } from "../../src/ops/backward.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { grainOf, ShardSums, sumInLanes, sumsShape } from "../../src/ops/shards.ts";
import { openCpuDevice } from "../../src/workers/cpu.ts";
import { computeInline } from "../../src/workers/inline.ts";
import { acquirePool, closePool } from "../../src/workers/pool.ts";
import { openSmallDevice } from "../../src/workers/small.ts";
import { bytesOf } from "../support/kernel.ts";

const MIB = 2 ** 20;
const MEMORY = 64 * MIB;

/** Elements of one tensor in one batch; `first` is the index of the first of them in the batch. */
interface Run {
  readonly xs: Float32Array;
  readonly dys: Float32Array;
  readonly first: number;
}

/** Numbers whose sums depend on the order: of many sizes, and of both signs. */
function randomRuns(lengths: readonly (readonly [length: number, first: number])[]): Run[] {
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const numbers = (length: number): Float32Array =>
    new Float32Array(length).map(() => random() * 2 ** Math.floor(40 * random()));
  return lengths.map(([length, first]) => ({ xs: numbers(length), dys: numbers(length), first }));
}

const tensorOf = (channels: Channels | null): TensorColumn => ({
  name: "v",
  dtype: "float32",
  shape: [null],
  channels,
});

/** What all runs add up to by the oracle, each run at once. */
function oracle(program: Program, channels: Channels | null, runs: readonly Run[]): number[][] {
  const sums = new ShardSums(sumsShape(program, [channels]));
  for (const { xs, dys, first } of runs) {
    evaluate(program, "float32", [xs, dys.slice()], channels ? { ...channels, first } : undefined, sums);
  }
  return sums.values().map((values) => [...values]);
}

/** Cuts the runs into windows of at most `windowBytes` and puts them through a device, dy first and x behind. */
async function throughDevice(
  device: Device,
  program: Program,
  channels: Channels | null,
  runs: readonly Run[],
  windowBytes = Number.POSITIVE_INFINITY,
): Promise<number[][]> {
  const [grain] = (await device.prepare(program, [tensorOf(channels)])) as [number];
  if (grain * 4 > device.windowBytes) device.resize(grain * 4);
  const room = Math.min(windowBytes, device.windowBytes) / 4;
  const most = Math.max(grain, room - (room % grain));
  const period = channels ? channels.count * channels.stride : 1;
  const windows: Promise<void>[] = [];
  for (const { xs, dys, first } of runs) {
    for (let start = 0; start === 0 || start < xs.length; start += most) {
      const slot = await device.acquire();
      const [x, dy] = [xs, dys].map((all) => bytesOf(all.subarray(start, start + most))) as [
        Uint8Array,
        Uint8Array,
      ];
      slot.bytes.set(dy, 0);
      slot.bytes.set(x, device.windowBytes);
      const ranges = Float64Array.of(0, x.length / 4, 0, (first + start) % period, device.windowBytes);
      expect(ranges).toHaveLength(RANGE_STRIDE);
      const done = device.run({ slot, length: dy.length, ranges }).finally(() => device.release(slot));
      windows.push(done);
    }
  }
  await Promise.all(windows);
  return device.sums().map((values) => [...values]);
}

async function workersUp(count: number): Promise<void> {
  const pool = acquirePool(count);
  while (!pool.ready) await new Promise((resolve) => setTimeout(resolve, 10));
  pool.release();
}
afterAll(closePool);

/** Values that float32 has. */
const list = (count: number): string =>
  Array.from({ length: count }, (_, i) => Math.fround(i / count - 0.3)).join(", ");
const CASES: readonly (readonly [string, string, Channels | null])[] = [
  ["one sum", "leaky_relu(0.2)", null],
  ["two sums", "leaky_relu(0.2) | leaky_relu(3)", null],
  ["3 channels side by side", `prelu([${list(3)}])`, { count: 3, stride: 1 }],
  ["700 channels side by side", `prelu([${list(700)}])`, { count: 700, stride: 1 }],
  ["more channels side by side than places", `prelu([${list(20_000)}])`, { count: 20_000, stride: 1 }],
  ["5 channels of 7 elements", `prelu([${list(5)}])`, { count: 5, stride: 7 }],
  ["4 channels of 100 elements", `prelu([${list(4)}])`, { count: 4, stride: 100 }],
  ["4 channels of 5001 elements", `prelu([${list(4)}])`, { count: 4, stride: 5001 }],
  ["1 channel", "prelu([0.3])", { count: 1, stride: 1 }],
  ["channels and one for all", `leaky_relu(2) | prelu([${list(6)}])`, { count: 6, stride: 1 }],
];

describe.each(CASES)("%s", (_, ops, channels) => {
  const program = backward(parseChain(ops));
  const runs = randomRuns([
    [300_001, 0],
    [0, 5],
    [1, 4],
    [1023, 9],
    [70_000, 11],
  ]);
  const expected = oracle(program, channels, runs);

  it("is the same bits on the main thread, for windows of three sizes", async () => {
    for (const windowBytes of [64 * 1024, 300_000, 2 * MIB]) {
      const device = openCpuDevice({ workers: 1, memory: MEMORY });
      expect(await throughDevice(device, program, channels, runs, windowBytes)).toEqual(expected);
      device.close();
    }
  });

  it("is the same bits for 1, 2 and 3 workers", async () => {
    await workersUp(3);
    for (const workers of [1, 2, 3]) {
      const device = openCpuDevice({ workers, memory: MEMORY, expectedBytes: 1024 * MIB });
      expect(await throughDevice(device, program, channels, runs, 200_000)).toEqual(expected);
      expect(device.workers).toBe(workers);
      device.close();
    }
  });

  it("is the same bits in JavaScript", async () => {
    const device = openSmallDevice();
    expect(await throughDevice(device, program, channels, runs)).toEqual(expected);
  });

  it("is the same bits for arrays in memory", () => {
    const run = runs[0]!;
    const sums = computeInline(program, "float32", [run.xs, run.dys], run.dys.slice(), channels);
    expect(sums.map((values) => [...values])).toEqual(oracle(program, channels, [run]));
  });

  it("is what the terms add up to", () => {
    for (const [sum, { term, perChannel }] of program.sums.entries()) {
      const totals = new Float64Array(perChannel ? channels!.count : 1);
      const sizes = totals.slice();
      for (const { xs, dys, first } of runs) {
        const terms = Float64Array.from(dys);
        const alone = { ...program, output: term, sums: [] };
        evaluate(
          alone,
          "float64",
          [Float64Array.from(xs), terms],
          channels ? { ...channels, first } : undefined,
        );
        for (const [i, each] of terms.entries()) {
          const channel = perChannel ? Math.floor((first + i) / channels!.stride) % totals.length : 0;
          totals[channel]! += each;
          sizes[channel]! += Math.abs(each);
        }
      }
      for (const [channel, total] of totals.entries()) {
        expect(Math.abs(expected[sum]![channel]! - total)).toBeLessThanOrEqual(1e-12 * sizes[channel]!);
      }
    }
  });
});

it("sums go on when the tensors change, and begin anew with another program", async () => {
  const program = backward(parseChain("prelu([0.1, 0.2])"));
  const [a, b] = [
    { count: 2, stride: 1 },
    { count: 2, stride: 3000 },
  ];
  const [first, second] = randomRuns([
    [5000, 0],
    [9000, 0],
  ]) as [Run, Run];
  const both = new ShardSums(sumsShape(program, [a, b]));
  evaluate(program, "float32", [first.xs, first.dys.slice()], { ...a, first: 0 }, both);
  evaluate(program, "float32", [second.xs, second.dys.slice()], { ...b, first: 0 }, both);

  for (const device of [openCpuDevice({ workers: 1, memory: MEMORY }), openSmallDevice()]) {
    await throughDevice(device, program, a, [first]);
    expect(await throughDevice(device, program, b, [second])).toEqual(
      both.values().map((values) => [...values]),
    );
    const other = backward(parseChain("leaky_relu(0.5)"));
    expect(await throughDevice(device, other, null, [])).toEqual([[0]]);
    device.close();
  }
});

it("a program without sums has none, and may be cut anywhere", async () => {
  const program = backward(parseChain("relu"));
  for (const device of [openCpuDevice({ workers: 1, memory: MEMORY }), openSmallDevice()]) {
    expect(await device.prepare(program, [tensorOf(null)])).toEqual([1]);
    expect(device.sums()).toEqual([]);
    device.close();
  }
});

describe("the order of a block", () => {
  it("adds 16 lanes, joins them in halves, and what is left one by one", () => {
    const numbers = randomRuns([[37, 0]])[0]!.xs;
    const doubles = Float64Array.from(numbers, (n) => n / 3);
    const lanes = Array.from({ length: 16 }, (_, i) => 0 + doubles[i]! + doubles[16 + i]!);
    const tree = (part: readonly number[]): number => {
      if (part.length === 1) return part[0]!;
      const half = part.length / 2;
      return tree(part.slice(0, half).map((value, i) => value + part[half + i]!));
    };
    const expected = doubles.slice(32).reduce((total, value) => total + value, tree(lanes));
    expect(sumInLanes(doubles, 0, 37)).toBe(expected);
  });

  it("a grain follows from the channels alone, and fits a window", () => {
    const program = backward(parseChain("prelu([1, 2])"));
    for (const stride of [1, 2, 10, 1000, 8192]) {
      const grain = grainOf(program, { count: 2, stride });
      expect(grain).toBeGreaterThanOrEqual(1024);
      expect(grain).toBeLessThanOrEqual(131_072);
    }
  });
});

describe("memory", () => {
  const program = backward(parseChain("leaky_relu"));

  it("counts the second input: slots of both sizes fit", async () => {
    for (const memory of [160 * 1024, MIB, 64 * MIB]) {
      const device = openCpuDevice({ workers: 3, memory });
      const before = device.windowBytes;
      await device.prepare(program, [tensorOf(null)]);
      const slots = await Promise.all(Array.from({ length: 2 }, () => device.acquire()));
      for (const { bytes } of slots) expect(bytes.length).toBe(2 * device.windowBytes);
      expect(device.windowBytes).toBeLessThanOrEqual(before);
      expect(2 * slots.length * device.windowBytes).toBeLessThanOrEqual(memory);
      device.close();
    }
  });

  it("that cannot hold the sums of all channels says how much it takes", async () => {
    const channels = { count: 100_000, stride: 1 };
    const wide = backward(parseChain(`prelu([${list(channels.count)}])`));
    const device = openCpuDevice({ workers: 4, memory: MIB });
    const error = await device.prepare(wide, [tensorOf(channels)]).catch((caught) => caught);
    device.close();
    expect(error).toBeInstanceOf(MemoryError);
    const enough = 1024 * Number(/^Give \d+ bytes more with --memory: (\d+)KiB\.$/.exec(error.remedy)![1]);
    const larger = openCpuDevice({ workers: 4, memory: enough + MIB });
    const runs = randomRuns([[250_000, 0]]);
    const got = await throughDevice(larger, wide, channels, runs);
    larger.close();
    expect(got).toEqual(oracle(wide, channels, runs));
  });

  it("is cut anew for a larger window, and says how much one takes", async () => {
    const device = openCpuDevice({ workers: 2, memory: 8 * MIB });
    await device.prepare(program, [tensorOf(null)]);
    device.resize(3 * MIB);
    expect(device.windowBytes).toBeGreaterThanOrEqual(3 * MIB);
    expect((await device.acquire()).bytes.length).toBe(2 * device.windowBytes);
    expect(() => device.resize(5 * MIB)).toThrow(MemoryError);
    expect(() => device.resize(5 * MIB)).toThrow(/A window of 5242880 bytes does not fit in memory/);
    device.close();
    const enough = openCpuDevice({ workers: 2, memory: 11 * MIB });
    await enough.prepare(program, [tensorOf(null)]);
    enough.resize(5 * MIB);
    expect(enough.windowBytes).toBeGreaterThanOrEqual(5 * MIB);
    enough.close();
  });
});
