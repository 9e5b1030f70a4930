/**
 * The facade over gpu.js: what the device does not tell by itself is told, and nothing is left behind.
 * Needs a GPU.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GpuError } from "../../src/errors.ts";
import { type GpuJs, openGpuJs } from "../../src/gpu/gpu-js.ts";
import type { KernelSource } from "../../src/gpu/kernel-source.ts";
import { Staging } from "../../src/gpu/staging.ts";
import { pending } from "../../src/pipeline/pending.ts";
import { runGpuKernel, watchBuffers } from "../support/gpu-kernel.ts";

const DOUBLE: KernelSource = {
  source: "function (x) { return x[this.thread.x] * 2; }",
  constants: {},
  arguments: ["array"],
};

let gpu: GpuJs;
beforeAll(async () => {
  gpu = await openGpuJs();
});
afterAll(() => gpu.close());

const counted = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i + 1);

it("names the adapter, and how long an array may be", () => {
  expect(gpu.info.adapter).not.toBe("");
  expect(gpu.info.arrayBytes).toBeGreaterThanOrEqual(128 * 2 ** 20);
});

// 65,535 groups of 64 threads are the most in one dimension.
it.each([1, 63, 64, 65, 65_535 * 64 + 1])("computes %i elements", async (length) => {
  const kernel = await gpu.kernel(DOUBLE);
  const x = counted(length);
  const result = await runGpuKernel(gpu, kernel, [x], length);
  expect(result.length).toBe(length);
  expect(result.findIndex((value, i) => value !== 2 * x[i]!)).toBe(-1);
  kernel.dispose();
});

describe("while a kernel is compiled", () => {
  /** Kernels that are begun in `during` wait for their pipelines until `finish` is called. */
  async function whileCompiling<T>(during: (finish: () => void) => Promise<T>): Promise<T> {
    const { device } = gpu.queue;
    const create = device.createComputePipelineAsync;
    const finished = pending<void>();
    device.createComputePipelineAsync = async (descriptor) => {
      const pipeline = await create.call(device, descriptor);
      await finished.promise;
      return pipeline;
    };
    try {
      return await during(finished.settle);
    } finally {
      Reflect.deleteProperty(device, "createComputePipelineAsync");
    }
  }
  const triple = { ...DOUBLE, source: "function (x) { return x[this.thread.x] * 3; }" };

  it("others go on, and then it computes", async () => {
    const other = await gpu.kernel(DOUBLE);
    await whileCompiling(async (finish) => {
      let isReady = false;
      const compiling = gpu.kernel(triple).then((kernel) => {
        isReady = true;
        return kernel;
      });
      expect(await runGpuKernel(gpu, other, [Float32Array.of(1)], 1)).toEqual(Float32Array.of(2));
      expect(isReady).toBe(false);
      finish();
      expect(await runGpuKernel(gpu, await compiling, [Float32Array.of(1)], 1)).toEqual(Float32Array.of(3));
    });
  });

  it("the GPU may be closed; the kernel rejects, and leaves nothing behind", async () => {
    const own = await openGpuJs();
    const { live } = watchBuffers(gpu.queue.device);
    await whileCompiling(async (finish) => {
      const compiling = own.kernel(triple);
      const rejected = expect(compiling).rejects.toThrow("closed while it compiled");
      own.close();
      finish();
      await rejected;
    });
    expect(live()).toBe(0);
  });
});

it("runs that overlap keep their lengths and their values", async () => {
  const kernel = await gpu.kernel(DOUBLE);
  const lengths = [5000, 1, 300, 70_000, 64, 5000, 2];
  const results = await Promise.all(
    lengths.map((length) => runGpuKernel(gpu, kernel, [counted(length)], length)),
  );
  for (const [i, length] of lengths.entries()) {
    expect(results[i]).toEqual(counted(length).map((value) => 2 * value));
  }
  kernel.dispose();
});

it("a loop that an argument bounds goes to its end", async () => {
  const kernel = await gpu.kernel({
    source:
      "function (x, count) { let sum = 0; for (let i = 0; i < count; i++) { sum += x[this.thread.x]; } return sum; }",
    constants: {},
    arguments: ["array", "integer"],
  });
  expect(await runGpuKernel(gpu, kernel, [Float32Array.of(1, 2), 5000], 2)).toEqual(
    Float32Array.of(5000, 10_000),
  );
  kernel.dispose();
});

it("a float stays one, whatever the first call gives; constants are rounded to float32", async () => {
  const kernel = await gpu.kernel({
    source: "function (x, by) { return x[this.thread.x] * by + this.constants.more; }",
    constants: { more: { float: 0.1 } },
    arguments: ["array", "float"],
  });
  const more = Math.fround(0.1);
  expect(await runGpuKernel(gpu, kernel, [Float32Array.of(1), 2], 1)).toEqual(Float32Array.of(2 + more));
  expect(await runGpuKernel(gpu, kernel, [Float32Array.of(1), 0.5], 1)).toEqual(Float32Array.of(0.5 + more));
  kernel.dispose();
});

it("a plane is given column by column of each row, and its extent may change", async () => {
  const kernel = await gpu.kernel({
    source: "function (x) { return x[0] * (this.thread.x + 10 * this.thread.y); }",
    constants: {},
    arguments: ["table"],
    plane: true,
  });
  const staging = new Staging(gpu.queue);
  for (const [width, height] of [
    [3, 2],
    [2, 9],
    [70, 1],
  ] as const) {
    const [x] = await staging.open([1]);
    x![0] = 2;
    let found = new Float32Array(0);
    await staging.run(
      [1],
      async (sent) => [await kernel.start(sent, [width, height])],
      ([result]) => {
        found = result!.slice();
      },
    );
    const expected = Array.from(
      { length: width * height },
      (_, i) => 2 * ((i % width) + 10 * Math.floor(i / width)),
    );
    expect([...found]).toEqual(expected);
  }
  staging.close();
  kernel.dispose();
});

it("a result that another kernel reads is given back with its kernel", async () => {
  const { live } = watchBuffers(gpu.queue.device);
  const [first, second] = [await gpu.kernel(DOUBLE), await gpu.kernel(DOUBLE)];
  const staging = new Staging(gpu.queue);
  const [x] = await staging.open([2]);
  x!.set([1, 2]);
  let found = new Float32Array(0);
  await staging.run(
    [2],
    async (sent) => [await second.start([await first.start(sent, 2)], 2)],
    ([result]) => {
      found = result!.slice();
    },
  );
  expect(found).toEqual(Float32Array.of(4, 8));
  staging.close();
  first.dispose();
  second.dispose();
  expect(live()).toBe(0);
});

it("a table may be shorter than the output, and helper functions are found", async () => {
  const kernel = await gpu.kernel({
    source:
      "function (x, table) { return add(x[this.thread.x], table[this.thread.x % 2]) + this.constants.own[1]; }",
    functions: ["function add(a, b) { return a + b; }"],
    constants: { own: Float32Array.of(0, 100) },
    arguments: ["array", "table"],
  });
  const result = await runGpuKernel(gpu, kernel, [counted(3), Float32Array.of(10, 20)], 3);
  expect(result).toEqual(Float32Array.of(111, 122, 113));
  kernel.dispose();
});

describe("refuses what gpu.js would compute something for", () => {
  it.each([
    ["an array that is too short", [counted(2)], 3, "Argument 0 has 2 elements, and the kernel reads 3"],
    ["an empty result", [counted(2)], 0, "A kernel cannot give an empty array"],
    ["too many arguments", [counted(2), 1], 2, "The kernel takes 1 arguments, not 2"],
    ["a number for an array", [1], 1, "Argument 0 is to be an array"],
  ])("%s", async (_, values, length, message) => {
    const kernel = await gpu.kernel(DOUBLE);
    await expect(runGpuKernel(gpu, kernel, values, length)).rejects.toThrow(message);
    kernel.dispose();
  });

  it("an infinite constant, which it would write as the largest number", async () => {
    const constants = { limit: { float: Number.POSITIVE_INFINITY } };
    await expect(gpu.kernel({ ...DOUBLE, constants })).rejects.toThrow(
      "gpu.js cannot take Infinity as a constant",
    );
  });
});

it.each([
  ["gpu.js does not know", "function (x) { return Math.nope(x[0]); }"],
  ["the driver refuses", "function (x) { return x[this.thread.x] + Math.sqrt(-1); }"],
  ["is no function", "return 1"],
])("a kernel that %s is a GpuError with a remedy", async (_, source) => {
  const error = await gpu.kernel({ ...DOUBLE, source }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(GpuError);
  expect(error).toMatchObject({
    message: expect.stringMatching(/^A kernel does not compile: ./),
    code: "ERR_GPU",
  });
  expect((error as GpuError).remedy).toContain("--device cpu");
});

describe("what the device refuses without a word", () => {
  it("an array beyond its limits is a GpuError, not zeros", async () => {
    const staging = new Staging(gpu.queue);
    const error = await staging.open([gpu.info.arrayBytes / 2]).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(GpuError);
    expect((error as GpuError).message).toContain(`The GPU refused the work: ${gpu.info.adapter}: `);
    // It can be used again.
    const [array] = await staging.open([3]);
    expect(array).toHaveLength(3);
    staging.close();
  });

  it("a copy beyond the end of a buffer is a GpuError, not zeros", async () => {
    const staging = new Staging(gpu.queue);
    await staging.open([4]);
    const longer = staging.run(
      [4],
      async ([array]) => [{ buffer: array!.buffer, length: 10_000 }],
      () => expect.unreachable(),
    );
    await expect(longer).rejects.toThrow(GpuError);
    const kernel = await gpu.kernel(DOUBLE);
    const [array] = await staging.open([4]);
    array!.set([1, 2, 3, 4]);
    let result: Float32Array | undefined;
    await staging.run(
      [4],
      async (arrays) => [await kernel.start(arrays, 4)],
      ([found]) => {
        result = found!.slice();
      },
    );
    expect(result).toEqual(Float32Array.of(2, 4, 6, 8));
    staging.close();
    kernel.dispose();
  });
});

it("buffers are reused, and given back", async () => {
  const buffers = watchBuffers(gpu.queue.device);
  const kernel = await gpu.kernel(DOUBLE);
  const stagings = [new Staging(gpu.queue), new Staging(gpu.queue)];
  const runs = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const length = 1000 - ((i * 7919) % 1000);
      await Promise.all(
        stagings.map(async (staging) => {
          await staging.open([length]);
          await staging.run(
            [length],
            async (arrays) => [await kernel.start(arrays, length)],
            () => {},
          );
        }),
      );
    }
  };
  await runs(50);
  const [made, live] = [buffers.made(), buffers.live()];
  await runs(200);
  expect([buffers.made(), buffers.live()]).toEqual([made, live]);
  for (const staging of stagings) staging.close();
  kernel.dispose();
  expect(buffers.live()).toBe(0);
});
