/** `auto`: which device gets the work, why, and that nothing is lost whatever the GPU does. */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { GpuError, IoError } from "../../src/errors.ts";
import type { Steps, TensorColumn } from "../../src/formats/layout.ts";
import { backward } from "../../src/ops/backward.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { AutoDevice } from "../../src/pipeline/auto-device.ts";
import { computeRuns } from "../../src/pipeline/batch-windows.ts";
import { FileFeed, StreamFeed } from "../../src/pipeline/feed.ts";
import { flow } from "../../src/pipeline/flow.ts";
import { pending } from "../../src/pipeline/pending.ts";
import { ProgressMeter } from "../../src/pipeline/progress.ts";
import { openSink, type Sink } from "../../src/pipeline/sink.ts";
import { openSource, streamSource } from "../../src/pipeline/source.ts";
import { expectSameBits } from "../support/bits.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { FakeClock, FakeDevice, type FakeOptions } from "../support/fake-device.ts";

const directory = temporaryDirectory();
/** Bytes, of the fake CPU. */
const WINDOW = 4096;
const tensorOf = (dtype: Dtype): TensorColumn => ({ name: "t", dtype, shape: [4], channels: null });

interface Setting {
  /** Milliseconds that a window takes on each. */
  readonly cpu?: number;
  readonly gpu?: number;
  readonly expectedBytes?: number | undefined;
  readonly patience?: number;
  /** Called before each window of the CPU. */
  readonly onCpuRun?: () => void;
  /** More about the GPU; or why there is none. */
  readonly fake?: Partial<FakeOptions> | Error;
}

/** `mul(0.5)`, and leaky_relu(0.5) backward. */
function compute(x: Float32Array, dy?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (!dy) x[i]! /= 2;
    else if (x[i]! <= 0) {
      sum += dy[i]! * x[i]!;
      dy[i]! /= 2;
    }
  }
  return sum;
}

/** An AutoDevice over fakes, and all that it opened. */
function setUp({
  cpu = 10,
  gpu = 1,
  expectedBytes,
  patience = 100,
  onCpuRun = () => {},
  fake = {},
}: Setting) {
  const clock = new FakeClock();
  const cpuOptions = { clock, cost: cpu, windowBytes: WINDOW, compute };
  const main = new FakeDevice({ ...cpuOptions, onRun: onCpuRun });
  const rivals: FakeDevice[] = [];
  const gpus: FakeDevice[] = [];
  const auto = new AutoDevice({
    ...{ cpu: main, expectedBytes, patience, now: clock.now },
    async openRival() {
      rivals.push(new FakeDevice(cpuOptions));
      return rivals.at(-1)!;
    },
    async openGpu() {
      if (fake instanceof Error) throw fake;
      gpus.push(new FakeDevice({ name: "gpu", clock, cost: gpu, windowBytes: 4 * WINDOW, compute, ...fake }));
      return gpus.at(-1)!;
    },
  });
  return { auto, main, rivals, gpus };
}

/** Each once, with all slots back. */
function expectClosed(...devices: readonly FakeDevice[]): void {
  for (const { closed, out } of devices) expect({ closed, out }).toEqual({ closed: 1, out: 0 });
}

/** Halves so many elements in one run, from one place to another, and checks them all. */
async function expectHalves(auto: AutoDevice, count: number, from = "file", to = "file"): Promise<void> {
  const input = Float32Array.from({ length: count }, (_, i) => i - 1000);
  const bytes = new Uint8Array(input.buffer);
  const program = fuse(parseChain("mul(0.5)"));
  const tensors = [tensorOf("float32")];
  function* steps(): Steps {
    yield { step: "schema", fields: [], tensors, metadata: new Map() };
    yield { step: "elements", tensor: 0, count, first: 0 };
  }
  const source =
    from === "file"
      ? await openSource(directory.write("in", bytes))
      : streamSource(Readable.from(pieces(bytes)), "in");
  const taken: Uint8Array[] = [];
  const collector: Sink = {
    ...{ kind: "stream", path: "out" },
    write: async (piece) => void taken.push(piece.slice()),
    commit: async () => {},
    discard: async () => {},
  };
  const out = directory.path("out");
  const sink = to === "file" ? await openSink(out, { overwrite: true, signal: undefined }) : collector;
  const feed = source.kind === "file" ? new FileFeed(source) : new StreamFeed(source);
  try {
    await flow({
      ...{ steps: steps(), feed, device: auto, sink, signal: undefined },
      meter: new ProgressMeter(undefined, auto, undefined),
      onSchema: (schema) => auto.prepare(program, schema.tensors),
    });
    await sink.commit();
  } finally {
    await source.close();
  }
  const output = to === "file" ? readFileSync(out) : Buffer.concat(taken);
  expectSameBits(
    output,
    input.map((x) => x / 2),
  );
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7000) yield bytes.subarray(at, at + 7000);
}

/** Elements of so many windows. */
const windows = (count: number): number => (count * WINDOW) / 4;
const spoil = { compute: (x: Float32Array) => Number(x.fill(Number.NaN)) };
const places = [
  ["file", "file"],
  ["file", "stream"],
  ["stream", "file"],
  ["stream", "stream"],
] as const;

describe("the GPU is not opened", () => {
  it("for work that is over before the patience is", async () => {
    const { auto, gpus } = setUp({});
    await expectHalves(auto, windows(9));
    expect({ gpus, name: auto.name, reason: auto.reason }).toEqual({
      ...{ gpus: [], name: "cpu", reason: "a GPU is tried after 0.1 s of work" },
    });
  });

  it("where too little is left", async () => {
    const { auto, gpus } = setUp({ expectedBytes: 25 * WINDOW });
    await expectHalves(auto, windows(25));
    expect({ gpus, reason: auto.reason }).toEqual({ gpus: [], reason: "too little work was left for a GPU" });
  });

  it("for float64", async () => {
    const { auto, gpus } = setUp({ patience: 0 });
    await auto.prepare(fuse(parseChain("mul(0.5)")), [tensorOf("float64")]);
    expect({ gpus, reason: auto.reason }).toEqual({ gpus: [], reason: "float64 is computed on the CPU" });
  });
});

describe("the faster device gets the rest", () => {
  it.each(places)("the GPU, from %s to %s", async (from, to) => {
    const { auto, main, rivals, gpus } = setUp({ cpu: 10, gpu: 1, expectedBytes: 100 * WINDOW });
    await expectHalves(auto, windows(100), from, to);
    expect(auto.name).toBe("gpu");
    expect(auto.reason).toMatch(/^GPU 0\.0\d+ GB\/s, CPU 0\.00\d+ GB\/s$/);
    // The one that was timed works, with the kernels that it has.
    expect(gpus).toHaveLength(1);
    expect(main.runs).toBeLessThan(20);
    // In windows of its own size.
    expect(auto.windowBytes).toBe(4 * WINDOW);
    auto.close();
    expectClosed(main, ...rivals, ...gpus);
  });

  it.each(places)(
    "the CPU, from %s to %s, and nothing of what the GPU has computed is left",
    async (from, to) => {
      const { auto, main, rivals, gpus } = setUp({ cpu: 10, gpu: 11, fake: spoil });
      await expectHalves(auto, windows(60), from, to);
      expect(auto.name).toBe("cpu");
      expect(auto.reason).toMatch(/^GPU .+, CPU .+$/);
      expect(gpus[0]!.runs).toBeGreaterThan(0);
      auto.close();
      expectClosed(main, ...rivals, ...gpus);
    },
  );
});

it("nothing else is under way while the two are timed", async () => {
  const meanwhile = new Set<number>();
  const setting = setUp({ gpu: 11, fake: { onRun: () => void meanwhile.add(setting.main.out) } });
  await expectHalves(setting.auto, windows(60));
  expect([...meanwhile]).toEqual([0]);
});

describe("the CPU does it all", () => {
  it("where there is no GPU, and says why", async () => {
    const { auto } = setUp({ fake: new GpuError("The package gpu.js is not installed") });
    await expectHalves(auto, windows(30));
    expect({ name: auto.name, reason: auto.reason }).toEqual({
      ...{ name: "cpu", reason: "The package gpu.js is not installed" },
    });
  });

  it.each([
    ["fails in its trial", { onRun: failFrom(1) }, "the GPU failed: lost"],
    ["cannot take the tensors", { onPrepare: failFrom(1) }, "the GPU failed: lost"],
    ["would cut them elsewhere", { grain: 3 }, "the GPU failed: it would cut the tensors elsewhere"],
  ])("where the GPU %s", async (_what, fake, reason) => {
    const { auto, gpus } = setUp({ fake });
    await expectHalves(auto, windows(30));
    expect({ name: auto.name, reason: auto.reason }).toEqual({ name: "cpu", reason });
    auto.close();
    expectClosed(...gpus);
  });

  it.each(places)("that the GPU has not done when it fails, from %s to %s", async (from, to) => {
    for (const after of [1, 5]) {
      let chosen = 0;
      const setting = setUp({
        fake: {
          onRun: () => {
            if (setting.auto.name === "gpu" && ++chosen >= after) throw new GpuError("lost");
          },
        },
      });
      const { auto, main, gpus } = setting;
      await expectHalves(auto, windows(60), from, to);
      expect({ name: auto.name, reason: auto.reason }).toEqual({
        name: "cpu",
        reason: "the GPU failed: lost",
      });
      expect(chosen).toBeGreaterThanOrEqual(after);
      auto.close();
      expectClosed(main, ...gpus);
    }
  });
});

it("an error of the files is told as it is, and what is computed already is not computed again", async () => {
  let runs = 0;
  const full = (...inputs: readonly Float32Array[]): number => {
    const sum = compute(...(inputs as [Float32Array]));
    if (setting.auto.name === "cpu") return sum;
    runs = setting.main.runs;
    throw new IoError("The disk is full");
  };
  const setting = setUp({ fake: { compute: full } });
  await expect(expectHalves(setting.auto, windows(60), "stream", "file")).rejects.toThrow("The disk is full");
  expect(setting.auto.name).toBe("gpu");
  expect(setting.main.runs).toBe(runs);
});

it("what the GPU still has when it fails comes first, for what comes later waits for it", async () => {
  let chosen = 0;
  const setting = setUp({
    fake: {
      async onRun() {
        if (setting.auto.name === "cpu" && chosen === 0) return;
        // All but the first one fail long after it.
        for (let turns = chosen++ === 0 ? 0 : 50; turns > 0; turns--) await new Promise(setImmediate);
        throw new GpuError("lost");
      },
    },
  });
  await expectHalves(setting.auto, windows(60), "file", "stream");
  expect(chosen).toBeGreaterThan(1);
});

describe("the sums of parameters' gradients", () => {
  const COUNT = windows(40);
  const program = backward(parseChain("leaky_relu(0.5)"));
  /** Small whole numbers: every order of adding gives the same. */
  const xs = Float32Array.from({ length: COUNT }, (_, i) => (i % 7) - 3);
  const dys = Float32Array.from({ length: COUNT }, (_, i) => (i % 5) - 2);
  const dx = dys.map((dy, i) => (xs[i]! > 0 ? dy : 0.5 * dy));
  const dalpha = dys.reduce((sum, dy, i) => (xs[i]! > 0 ? sum : sum + dy * xs[i]!), 0);

  it.each([
    ["on the GPU alone", {}, 0],
    ["begun on the CPU", {}, 30],
    ["where the CPU is faster", { gpu: 20 }, 30],
    ["where the GPU fails on the way", { failing: true }, 30],
  ] as const)(
    "count every element once, %s",
    async (_what, { gpu = 1, failing = false }: Trouble, patience) => {
      let chosen = 0;
      const setting = setUp({
        ...{ gpu, patience },
        fake: {
          onRun: () => {
            if (failing && setting.auto.name === "gpu" && ++chosen === 2) throw new GpuError("lost");
          },
        },
      });
      const { auto, gpus, main } = setting;
      const column = tensorOf("float32");
      const values = dys.slice();
      const [grain] = (await auto.prepare(program, [column])) as [number];
      // Several batches: the trial comes between two of them.
      for (let start = 0; start < COUNT; start += windows(4)) {
        const run = { start, count: windows(4) };
        const place = { tensor: 0, column, grain, position: {} };
        await computeRuns(auto, { values, other: xs, runs: [run], ...place });
      }
      expectSameBits(values, dx);
      expect(auto.sums()).toEqual([Float64Array.of(dalpha)]);
      expect(auto.name).toBe(gpu === 1 && !failing ? "gpu" : "cpu");
      expect(chosen > 0).toBe(failing);
      auto.close();
      expect(gpus.every(({ closed, out }) => closed === 1 && out === 0)).toBe(true);
      expect(main).toMatchObject({ closed: 1, out: 0 });
    },
  );
});

describe("while the GPU compiles", () => {
  /** A GPU whose kernels are ready when `finish` is called. */
  function slowToCompile() {
    const compiled = pending<void>();
    const finish = (): void => compiled.settle();
    return { ...setUp({ fake: { onPrepare: () => compiled.promise } }), finish };
  }

  it("the CPU goes on, and is not kept from ending", async () => {
    const { auto, main, gpus, finish } = slowToCompile();
    await expectHalves(auto, windows(100));
    expect({ name: auto.name, reason: auto.reason }).toEqual({
      ...{ name: "cpu", reason: "the work was done before the GPU was tried" },
    });
    auto.close();
    // At once, so that it begins no more kernels.
    expectClosed(main, ...gpus);
    finish();
    await new Promise(setImmediate);
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({ closed: 1, runs: 0 });
  });

  it("other tensors may come, and are compiled for, too", async () => {
    const { auto, main, gpus, finish } = slowToCompile();
    await expectHalves(auto, windows(30));
    const before = gpus[0]!.prepared;
    await expectHalves(auto, windows(30));
    finish();
    await expectHalves(auto, windows(60));
    expect(auto.name).toBe("gpu");
    expect(gpus[0]!.prepared).toBeGreaterThan(before);
    auto.close();
    expectClosed(main, ...gpus);
  });

  it("so little may be left that it is not tried", async () => {
    const compiled = pending<void>();
    const count = 100;
    const setting = setUp({
      expectedBytes: count * WINDOW,
      fake: { onPrepare: () => compiled.promise },
      onCpuRun: () => {
        if (setting.main.runs >= count - 10) compiled.settle();
      },
    });
    const { auto, gpus } = setting;
    await expectHalves(auto, windows(count));
    expect({ name: auto.name, reason: auto.reason }).toEqual({
      ...{ name: "cpu", reason: "too little work was left for a GPU" },
    });
    expect(gpus[0]!.runs).toBe(0);
  });
});

it("a GPU that is there only when all is done is closed again", async () => {
  let open: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    open = resolve;
  });
  const clock = new FakeClock();
  const options = { clock, cost: 10, windowBytes: WINDOW, compute };
  const cpu = new FakeDevice(options);
  const gpu = new FakeDevice({ ...options, name: "gpu", cost: 1 });
  const auto = new AutoDevice({
    ...{ cpu, expectedBytes: undefined, patience: 20, now: clock.now },
    openRival: async () => new FakeDevice(options),
    openGpu: async () => {
      await waiting;
      return gpu;
    },
  });
  await expectHalves(auto, windows(10));
  expect(auto.reason).toBe("the work was done before the GPU was tried");
  auto.close();
  open();
  await new Promise(setImmediate);
  expect(gpu).toMatchObject({ closed: 1, runs: 0 });
});

interface Trouble {
  readonly gpu?: number;
  readonly failing?: boolean;
}

/** Throws at the call of that number, and at all that follow. */
function failFrom(call: number): () => void {
  let calls = 0;
  return () => {
    if (++calls >= call) throw new GpuError("lost");
  };
}
