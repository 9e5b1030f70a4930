/** The GPU device, window by window: what the JavaScript evaluation makes of the same window. Needs a GPU. */
import { closeSync, openSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type Device, RANGE_STRIDE, type Slot, type Window } from "../../src/device.ts";
import { GpuError, MemoryError, TruncatedError, UnsupportedError } from "../../src/errors.ts";
import type { Channels, TensorColumn } from "../../src/formats/layout.ts";
import { GpuDevice } from "../../src/gpu/device.ts";
import type { Extent } from "../../src/gpu/gpu.ts";
import { type GpuJs, type GpuKernel, openGpuJs } from "../../src/gpu/gpu-js.ts";
import { openGpuDevice } from "../../src/gpu/open.ts";
import { programKernels } from "../../src/gpu/program-kernels.ts";
import { backward } from "../../src/ops/backward.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { openSmallDevice } from "../../src/workers/small.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { watchBuffers } from "../support/gpu-kernel.ts";
import { randomFrom } from "../support/random.ts";

const MEMORY = 64 * 2 ** 20;
const STRAIGHT = fuse(parseChain("mul(0.5) | leaky_relu(0.2)"));
const directory = temporaryDirectory();

const opened: Device[] = [];
async function open(memory = MEMORY): Promise<Device> {
  const device = await openGpuDevice({ memory });
  opened.push(device);
  return device;
}
afterEach(() => {
  for (const device of opened.splice(0)) device.close();
});

function tensor(dtype: Dtype = "float32", channels: Channels | null = null): TensorColumn {
  return { name: "t", dtype, shape: [channels?.count ?? null], channels };
}

/** Elements after which the numbers come again. */
const PERIOD = 100_003;

/** Numbers of all sizes, with zeros, infinities and NaN among them; no subnormal ones. */
function fill(bytes: Uint8Array, dtype: Dtype): void {
  const random = randomFrom(1);
  const special = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1, -1];
  const float = (): number => {
    if (random() < 0.02) return special[Math.floor(random() * special.length)]!;
    return (random() - 0.5) * 2 ** Math.floor(20 * random());
  };
  const half = (): number => Math.floor(random() * 2) * 0x8000 + 0x400 + Math.floor(random() * 0x7801);
  const period =
    dtype === "float16"
      ? Uint16Array.from({ length: PERIOD }, half)
      : Float32Array.from({ length: PERIOD }, float);
  const own = new Uint8Array(period.buffer);
  for (let at = 0; at < bytes.length; at += own.length) bytes.set(own.subarray(0, bytes.length - at), at);
}

const slotOf = (bytes: Uint8Array): Slot => ({ address: 0, bytes });
/** A range for each of [offset, count, tensor, first, other]. */
const ranges = (...each: readonly (readonly number[])[]): Float64Array => Float64Array.from(each.flat());

/** Puts a window of these bytes through both devices, and compares all bytes. */
async function compare(
  gpu: Device,
  program: Program,
  tensors: readonly TensorColumn[],
  bytes: Uint8Array,
  list: Float64Array,
): Promise<void> {
  const [own, other] = [bytes.slice(), bytes.slice()];
  const small = openSmallDevice();
  await small.prepare(program, tensors);
  const length = bytes.length / program.inputs;
  await small.run({ slot: slotOf(other), length, ranges: list });
  await gpu.prepare(program, tensors);
  await gpu.run({ slot: slotOf(own), length, ranges: list });
  for (const result of [own, other]) plainNaNs(result, tensors, list);
  expect(Buffer.compare(own, other)).toBe(0);
}

/** Which NaN comes out is the processor's choice. */
function plainNaNs(bytes: Uint8Array, tensors: readonly TensorColumn[], list: Float64Array): void {
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < list.length; at += RANGE_STRIDE) {
    const [start, count, index] = [list[at]!, list[at + 1]!, list[at + 2]!];
    for (let i = 0; i < count; i++) {
      if (tensors[index]!.dtype === "float16") {
        const place = start + 2 * i;
        if ((view.getUint16(place, true) & 0x7fff) > 0x7c00) view.setUint16(place, 0x7e00, true);
      } else {
        const place = start + 4 * i;
        if (Number.isNaN(view.getFloat32(place, true))) view.setUint32(place, 0x7fc00000, true);
      }
    }
  }
}

describe("a window of", () => {
  // Groups of 64 threads; 65,535 groups in one dimension; the whole numbers that float32 has.
  it.each([1, 63, 64, 65, 65_535 * 64 + 1, 2 ** 24 + 3])(
    "%i elements is computed to the last one",
    async (count) => {
      const bytes = new Uint8Array(4 * count);
      fill(bytes, "float32");
      await compare(await open(), STRAIGHT, [tensor()], bytes, ranges([0, count, 0, 0, 0]));
    },
  );

  it("more elements than an array of the GPU holds is cut", async () => {
    const gpu = await openGpuJs();
    const starts: Extent[] = [];
    const narrow: GpuJs = {
      info: { ...gpu.info, arrayBytes: 1000 },
      queue: gpu.queue,
      async kernel(source) {
        const kernel = await gpu.kernel(source);
        const start: GpuKernel["start"] = (values, length) => {
          starts.push(length);
          return kernel.start(values, length);
        };
        return { ...kernel, start };
      },
      staging: () => gpu.staging(),
      rates: () => gpu.rates(),
      close: () => gpu.close(),
    };
    const device = new GpuDevice(narrow, programKernels, { memory: MEMORY });
    opened.push(device);
    const bytes = new Uint8Array(4 * 1100);
    fill(bytes, "float32");
    await compare(device, STRAIGHT, [tensor()], bytes, ranges([4, 1099, 0, 0, 0]));
    expect(starts).toEqual([250, 250, 250, 250, 99]);
  });

  it("no elements goes from file to file", async () => {
    const gpu = await open();
    const input = directory.write("in", "carried along");
    const [from, to] = [openSync(input, "r"), openSync(directory.path("out"), "w")];
    await gpu.prepare(STRAIGHT, [tensor()]);
    const slot = await gpu.acquire();
    const [read, write] = [from, to].map((fd) => ({ fd, offset: 0, path: "" }));
    await gpu.run({ slot, length: 13, ranges: ranges(), read: read!, write: write! });
    await gpu.run({
      slot,
      length: 13,
      ranges: ranges([0, 0, 0, 0, 0]),
      read: read!,
      write: { ...write!, offset: 13 },
    });
    closeSync(from);
    closeSync(to);
    expect(directory.read("out").toString()).toBe("carried alongcarried along");
  });

  it("thousands of tiny batches, at any byte, leaves the bytes between them as they were", async () => {
    const random = randomFrom(7);
    const bytes = new Uint8Array(2 ** 19);
    fill(bytes, "float32");
    const floats = new Uint8Array(2 ** 19);
    fill(floats, "float32");
    const list: number[][] = [];
    for (let at = 1; at < bytes.length - 400; ) {
      const count = Math.floor(random() * 12);
      bytes.set(floats.subarray(4 * list.length, 4 * (list.length + count)), at);
      list.push([at, count, 0, 0, 0]);
      at += 4 * count + Math.floor(random() * 9);
    }
    expect(list.length).toBeGreaterThan(16_000);
    await compare(await open(), STRAIGHT, [tensor()], bytes, ranges(...list));
  });

  it("several tensors computes each in its type", async () => {
    const bytes = new Uint8Array(3000);
    fill(bytes.subarray(0, 2000), "float32");
    fill(bytes.subarray(2000), "float16");
    const list = ranges([2000, 100, 1, 0, 0], [400, 90, 0, 0, 0], [2202, 91, 1, 0, 0], [800, 300, 0, 0, 0]);
    await compare(await open(), STRAIGHT, [tensor(), tensor("float16")], bytes, list);
  });

  it("float16 has the CPU's bits", async () => {
    const bytes = new Uint8Array(200_000);
    fill(bytes, "float16");
    const program = fuse(parseChain("mul(0.3) | leaky_relu(0.1) | add(0.7)"));
    await compare(await open(), program, [tensor("float16")], bytes, ranges([0, 100_000, 0, 0, 0]));
  });
});

describe("two inputs", () => {
  const program = backward(parseChain("leaky_relu(0.3) | mul(2)"));

  it("x stands behind the window, at its own places", async () => {
    const bytes = new Uint8Array(2 * 40_000);
    fill(bytes, "float32");
    const list = ranges([0, 4000, 0, 0, 50_000], [20_000, 123, 0, 0, 40_004], [39_996, 1, 0, 0, 40_000]);
    await compare(await open(), program, [tensor()], bytes, list);
  });

  it("or in the window itself", async () => {
    const bytes = new Uint8Array(2 * 1000);
    fill(bytes, "float32");
    await compare(await open(), program, [tensor()], bytes, ranges([0, 50, 0, 0, 300], [500, 50, 0, 0, 700]));
  });
});

describe("per-channel values", () => {
  const values = Array.from({ length: 6 }, (_, i) => 0.1 * (i - 2));
  const program = fuse(parseChain(`prelu([${values}])`));

  it("follow the elements, whatever the stride and wherever a window begins", async () => {
    const gpu = await open();
    const range = fc.record({ count: fc.nat(300), first: fc.nat(10_000), gap: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 2, 63, 64, 1000),
        fc.array(range, { maxLength: 8 }),
        async (stride, list) => {
          const bytes = new Uint8Array(12_000);
          fill(bytes, "float32");
          let at = 0;
          const each = list.map(({ count, first, gap }) => {
            at += 4 * gap;
            const start = at;
            at += 4 * count;
            return [start, count, 0, first % (6 * stride), 0];
          });
          await compare(gpu, program, [tensor("float32", { count: 6, stride })], bytes, ranges(...each));
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it.each([2 ** 24 + 1, 2 ** 31 + 5])("stay exact where a channel has %i elements", async (stride) => {
    const bytes = new Uint8Array(4 * 3000);
    fill(bytes, "float32");
    const starts = [stride - 1500, 2 * stride - 1, 3 * stride, 6 * stride - 2999];
    const gpu = await open();
    for (const first of starts) {
      await compare(
        gpu,
        program,
        [tensor("float32", { count: 6, stride })],
        bytes,
        ranges([0, 3000, 0, first, 0]),
      );
    }
  });
});

describe("rows", () => {
  /** Runs on both devices; numbers are near each other, and the bytes between them the same. */
  async function near(
    program: Program,
    column: TensorColumn,
    bytes: Uint8Array,
    list: Float64Array,
  ): Promise<void> {
    const [own, other] = [bytes.slice(), bytes.slice()];
    const length = bytes.length / program.inputs;
    for (const [device, result] of [
      [await open(), own],
      [openSmallDevice(), other],
    ] as const) {
      await device.prepare(program, [column]);
      await device.run({ slot: slotOf(result), length, ranges: list });
    }
    const [a, b] = [new Float32Array(own.buffer), new Float32Array(other.buffer)];
    expect(a.findIndex((value, i) => Math.abs(value - b[i]!) > 2 ** -20 * Math.max(1, Math.abs(b[i]!)))).toBe(
      -1,
    );
    for (let at = 0; at < list.length; at += RANGE_STRIDE) {
      for (const result of [own, other]) result.fill(0, list[at]!, list[at]! + 4 * list[at + 1]!);
    }
    expect(Buffer.compare(own, other)).toBe(0);
  }

  function numbers(count: number): Uint8Array {
    const random = randomFrom(5);
    return new Uint8Array(Float32Array.from({ length: count }, () => 8 * random() - 4).buffer);
  }

  const softmax = fuse(parseChain("mul(2) | softmax"));

  it.each([1, 7, 64, 1000])("of %i elements are computed whole", async (count) => {
    const column = tensor("float32", { count, stride: 1 });
    await near(
      softmax,
      column,
      numbers(14_000),
      ranges([0, 9 * count, 0, 0, 0], [40_004, 2 * count, 0, 0, 0]),
    );
  });

  it("of varying length, each a range, are computed as they are", async () => {
    const random = randomFrom(3);
    const list: number[][] = [];
    for (let at = 0; at < 40_000; ) {
      const count = Math.floor(random() * 30);
      list.push([at, count, 0, 0, 0]);
      at += 4 * count + 4 * Math.floor(random() * 2);
    }
    await near(softmax, tensor(), numbers(12_000), ranges(...list));
  });

  it("have gradients", async () => {
    const program = backward(parseChain("softmax"));
    const list = ranges([0, 70, 0, 0, 1000], [400, 35, 0, 0, 2000]);
    await near(program, tensor("float32", { count: 35, stride: 1 }), numbers(1000), list);
    await near(program, tensor(), numbers(1000), list);
  });

  it("that the device's arrays cannot hold are refused", async () => {
    const gpu = await open(2 ** 16);
    await gpu.prepare(softmax, [tensor()]);
    const bytes = numbers(100_000);
    const before = bytes.slice();
    const run = gpu.run({ slot: slotOf(bytes), length: bytes.length, ranges: ranges([0, 100_000, 0, 0, 0]) });
    await expect(run).rejects.toThrow("A row of 100000 elements does not fit an array of the GPU");
    expect(Buffer.compare(bytes, before)).toBe(0);
  });
});

describe("sums", () => {
  /** dy and x of some windows, behind each other. */
  function windows(count: number): { bytes: Uint8Array; length: number }[] {
    return Array.from({ length: count }, (_, i) => {
      const elements = 1 + ((i * 7919) % 20_000);
      const random = randomFrom(i);
      const floats = Float32Array.from({ length: 2 * elements }, () => random() - 0.5);
      return { bytes: new Uint8Array(floats.buffer), length: elements };
    });
  }

  async function sumsOf(
    device: Device,
    program: Program,
    channels: Channels | null,
    atOnce: boolean,
  ): Promise<number[][]> {
    await device.prepare(program, [tensor("float32", channels)]);
    const runs = windows(12).map(({ bytes, length }, i) => async () => {
      const list = ranges([
        0,
        length,
        0,
        channels ? (i * 1000) % (channels.count * channels.stride) : 0,
        4 * length,
      ]);
      await device.run({ slot: slotOf(bytes), length: 4 * length, ranges: list });
    });
    if (atOnce) await Promise.all(runs.map((run) => run()));
    else for (const run of runs) await run();
    return device.sums().map((sums) => [...sums]);
  }

  const values = Array.from({ length: 5 }, (_, i) => 0.1 + 0.1 * i);
  it.each([
    ["one for all", backward(parseChain("leaky_relu(0.1)")), null],
    ["one a channel", backward(parseChain(`prelu([${values}])`)), { count: 5, stride: 1 }],
    ["one a channel of long runs", backward(parseChain(`prelu([${values}])`)), { count: 5, stride: 700 }],
  ] as const)(
    "%s, are near the exact ones, and the same bits in whatever order windows come back",
    async (_, program, channels) => {
      const small = openSmallDevice();
      const exact = await sumsOf(small, program, channels, false);
      const one = await sumsOf(await open(), program, channels, false);
      const all = await sumsOf(await open(), program, channels, true);
      expect(all).toEqual(one);
      // Partial sums of some hundred float32s each, of which the sum of sizes is at most 120,000 / 8.
      for (const [i, sums] of one.entries()) {
        for (const [c, sum] of sums.entries())
          expect(Math.abs(sum - exact[i]![c]!)).toBeLessThan(2e4 * 2 ** -20);
      }
    },
  );

  it("go on where the tensors change, and begin anew with another program", async () => {
    const gpu = await open();
    const program = backward(parseChain("leaky_relu(0.1)"));
    const once = await sumsOf(gpu, program, null, false);
    const twice = await sumsOf(gpu, program, null, false);
    expect(twice[0]![0]).toBe(2 * once[0]![0]!);
    expect(await sumsOf(gpu, backward(parseChain("leaky_relu(0.2)")), null, false)).toEqual(once);
  });
});

describe("memory", () => {
  it.each([64 * 1024, 128 * 1024, 2 ** 20])("%i bytes are enough to work in", async (memory) => {
    const gpu = await open(memory);
    for (const program of [STRAIGHT, backward(parseChain("leaky_relu(0.3) | mul(2)"))]) {
      const bytes = new Uint8Array(60_000);
      fill(bytes, "float32");
      const count = 30_000 / 4;
      await compare(gpu, program, [tensor()], bytes, ranges([0, count, 0, 0, 30_000]));
      const slot = await gpu.acquire();
      expect(slot.bytes.length).toBe(program.inputs * gpu.windowBytes);
      gpu.release(slot);
    }
  });

  it("a short input is cut into several windows, and a long one into large ones", async () => {
    const sizes = [0, 2 ** 24, 2 ** 40, undefined].map(async (expectedBytes) => {
      const gpu = await openGpuDevice({ memory: 2 ** 28, expectedBytes });
      opened.push(gpu);
      await gpu.prepare(STRAIGHT, [tensor()]);
      return gpu.windowBytes;
    });
    expect(await Promise.all(sizes)).toEqual([2 ** 20, 2 ** 21, 2 ** 23, 2 ** 23]);
  });

  it("windows grow as far as it goes, and the error says how much would do", async () => {
    const gpu = await open(2 ** 20);
    await gpu.prepare(STRAIGHT, [tensor()]);
    const before = gpu.windowBytes;
    gpu.resize(before + 1);
    expect(gpu.windowBytes).toBeGreaterThan(before);
    const error = (() => {
      try {
        gpu.resize(2 ** 20);
      } catch (cause) {
        return cause;
      }
    })();
    expect(error).toBeInstanceOf(MemoryError);
    const needed = 1024 * Number(/at least (\d+)KiB/.exec((error as MemoryError).remedy!)![1]);
    const enough = await open(needed);
    await enough.prepare(STRAIGHT, [tensor()]);
    enough.resize(2 ** 20);
    expect(enough.windowBytes).toBeGreaterThanOrEqual(2 ** 20);
  });

  it("buffers are few, however many windows there are", async () => {
    const { queue } = await openGpuJs();
    const gpu = await open(2 ** 22);
    await gpu.prepare(STRAIGHT, [tensor()]);
    const { made } = watchBuffers(queue.device);
    const most = gpu.windowBytes / 4;
    const runs = async (windows: number): Promise<void> => {
      const underWay = Array.from({ length: windows }, async (_, i) => {
        const slot = await gpu.acquire();
        const count = most - ((i * 7919) % most);
        await gpu.run({ slot, length: 4 * count, ranges: ranges([0, count, 0, 0, 0]) });
        gpu.release(slot);
      });
      await Promise.all(underWay);
    };
    await runs(20);
    const before = made();
    await runs(100);
    expect(before).toBeGreaterThan(0);
    // A staging that had short windows so far may still grow.
    expect(made() - before).toBeLessThanOrEqual(9);
  });

  it.each(["softmax | leaky_relu", `prelu([${Array(16).fill(0.3)}]) | gelu`])(
    "%s leaves nothing on the GPU when its device is closed",
    async (ops) => {
      const { queue } = await openGpuJs();
      const { made, live } = watchBuffers(queue.device);
      const gpu = await openGpuDevice({ memory: MEMORY });
      for (const program of [fuse(parseChain(ops)), backward(parseChain(ops))]) {
        await gpu.prepare(program, [tensor("float32", { count: 16, stride: 1 })]);
        const slot = await gpu.acquire();
        for (const count of [160, 16, 1600]) {
          await gpu.run({ slot, length: 4 * count, ranges: ranges([0, count, 0, 0, gpu.windowBytes]) });
        }
        gpu.release(slot);
      }
      expect(made()).toBeGreaterThan(5);
      gpu.close();
      expect(live()).toBe(0);
    },
  );
});

describe("what cannot be done", () => {
  it("float64 is refused, with the reason", async () => {
    const refused = (await open()).prepare(STRAIGHT, [tensor("float64")]);
    await expect(refused).rejects.toThrow(UnsupportedError);
    await expect(refused).rejects.toThrow('A GPU computes in float32, and this is float64 (column "t")');
  });

  it("a file that ends early is an error of the file, and the device goes on", async () => {
    const gpu = await open();
    await gpu.prepare(STRAIGHT, [tensor()]);
    const path = directory.write("short", "abcd");
    const fd = openSync(path, "r");
    const slot = await gpu.acquire();
    const window: Window = {
      slot,
      length: 8,
      ranges: ranges([0, 2, 0, 0, 0]),
      read: { fd, offset: 0, path },
    };
    await expect(gpu.run(window)).rejects.toThrow(TruncatedError);
    closeSync(fd);
    const bytes = new Uint8Array(Float32Array.of(-10, 4).buffer);
    await gpu.run({ slot: slotOf(bytes), length: 8, ranges: ranges([0, 2, 0, 0, 0]) });
    expect(new Float32Array(bytes.buffer)).toEqual(Float32Array.of(-1, 2));
  });
});

describe("a device that is lost", () => {
  it("is a GpuError, leaves windows as they came and sums as they were; the next device is another one", async () => {
    const { queue } = await openGpuJs();
    const program = backward(parseChain("leaky_relu(0.1)"));
    const gpu = await open(2 ** 20);
    await gpu.prepare(program, [tensor()]);
    const bytes = new Uint8Array(8 * 50_000);
    fill(bytes, "float32");
    const before = bytes.slice();
    // Cut into several passes, of which the first is computed.
    expect(gpu.windowBytes).toBeLessThan(200_000);
    const window = { length: 200_000, ranges: ranges([0, 50_000, 0, 0, 200_000]) };
    await gpu.run({ ...window, slot: slotOf(bytes.slice()) });
    const sums = gpu.sums();

    const underWay = [0, 1, 2].map(() => bytes.slice());
    const runs = underWay.map((own) => gpu.run({ ...window, slot: slotOf(own) }));
    const settled = Promise.allSettled(runs);
    queue.device.destroy();
    for (const outcome of await settled) {
      expect(outcome.status).toBe("rejected");
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(GpuError);
      expect(reason.message).toMatch(/^The GPU was lost: .+: .+/);
      expect(reason.remedy).toContain("--device cpu");
    }
    for (const own of underWay) expect(Buffer.compare(own, before)).toBe(0);
    expect(gpu.sums()).toEqual(sums);
    await expect(gpu.run({ ...window, slot: slotOf(bytes) })).rejects.toThrow("The GPU was lost");
    await expect(gpu.prepare(STRAIGHT, [tensor()])).rejects.toThrow("The GPU was lost");

    const numbers = new Uint8Array(4000);
    fill(numbers, "float32");
    await compare(await open(), STRAIGHT, [tensor()], numbers, ranges([0, 1000, 0, 0, 0]));
  });
});

it("windows come and go while others are computed", async () => {
  const gpu = await open();
  await gpu.prepare(STRAIGHT, [tensor()]);
  const slots = await Promise.all([gpu.acquire(), gpu.acquire(), gpu.acquire()]);
  expect(new Set(slots.map(({ bytes }) => bytes.buffer)).size).toBe(3);
  await Promise.all(
    slots.map(async (slot, i) => {
      const floats = new Float32Array(slot.bytes.buffer, 0, 1000).fill(-10 * i - 10);
      await gpu.run({ slot, length: 4000, ranges: ranges([0, 1000, 0, 0, 0]) });
      expect(floats).toEqual(new Float32Array(1000).fill(Math.fround(0.2) * 0.5 * (-10 * i - 10)));
      gpu.release(slot);
    }),
  );
});

it("two devices share the GPU, and do not disturb each other", async () => {
  const programs = ["mul(0.5) | leaky_relu(0.2)", "add(3) | mul(-2)"].map((ops) => fuse(parseChain(ops)));
  await Promise.all(
    programs.map(async (program, i) => {
      const gpu = await open();
      for (let window = 0; window < 10; window++) {
        const bytes = new Uint8Array(4000 * (1 + i + window));
        fill(bytes, "float32");
        await compare(gpu, program, [tensor()], bytes, ranges([0, bytes.length / 4, 0, 0, 0]));
      }
    }),
  );
});
