/** Which device trains. No GPU is needed: there is none here. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { GpuError, UnsupportedError } from "../../src/errors.ts";
import { openGpuJs } from "../../src/gpu/gpu-js.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { checkArrays } from "../../src/train/gpu/layers.ts";
import { sumLines } from "../../src/train/gpu/sums.ts";
import { activation, dense, type LayerSpec } from "../../src/train/layers.ts";
import { buildNetwork } from "../../src/train/network.ts";
import { openEngineOn, operationsOf } from "../../src/train/open-engine.ts";
import { optimizer } from "../../src/train/optimizers.ts";
import { randomTensors } from "../support/engines.ts";

vi.mock("../../src/gpu/gpu-js.ts", () => ({ openGpuJs: vi.fn() }));
const NONE = new GpuError("There is no GPU that WebGPU can use", { remedy: "Compute on the CPU." });
beforeEach(() => {
  vi.mocked(openGpuJs).mockReset().mockRejectedValue(NONE);
});

function optionsOf(specs: readonly LayerSpec[], inputs: number, batch: number) {
  const network = buildNetwork(specs, [inputs]);
  return {
    ...{ network, tensors: randomTensors(network, 1), loss: { kind: "mse" } as const, batch, seed: 1 },
    ...{ optimizer: optimizer("adam"), workers: 0, memory: 2 ** 28, targetSize: network.outputShape[0]! },
  };
}
/** 6 * 256 * 512 * 512 operations a step. */
const large = optionsOf([dense(512)], 512, 256);
const small = optionsOf([dense(4)], 8, 16);

describe("auto", () => {
  it.each([
    ["steps are small, however many", small, 1e12],
    ["steps are few, however large", large, 100],
  ] as const)("does not look for a GPU where %s", async (_, options, steps) => {
    const { engine, ...found } = await openEngineOn("auto", options, steps);
    expect(found).toEqual({ device: "cpu", deviceReason: "too little work for a GPU" });
    expect(openGpuJs).not.toHaveBeenCalled();
    await engine.close();
  });

  it("trains on the CPU where there is none, and says why", async () => {
    const { engine, ...found } = await openEngineOn("auto", large, 1e5);
    expect(found).toEqual({ device: "cpu", deviceReason: NONE.message });
    expect(openGpuJs).toHaveBeenCalledOnce();
    await engine.close();
  });
});

it("cpu gives no reason, and looks for nothing", async () => {
  const { engine, ...found } = await openEngineOn("cpu", large, 1e5);
  expect(found).toEqual({ device: "cpu", deviceReason: undefined });
  expect(openGpuJs).not.toHaveBeenCalled();
  await engine.close();
});

describe("gpu", () => {
  it("is refused where there is none, however small the work", async () => {
    await expect(openEngineOn("gpu", small, 1)).rejects.toBe(NONE);
  });

  it("is refused for a layer that it cannot train, before any is looked for", async () => {
    const learned = activation(catalog.l2_normalize, [{ param: "eps", channels: "one" }]);
    const opening = openEngineOn("gpu", optionsOf([dense(4), learned, dense(3)], 8, 16), 1);
    await expect(opening).rejects.toThrow(UnsupportedError);
    await expect(opening).rejects.toThrow(/^layer 1 \(l2_normalize\) goes along rows/);
    expect(openGpuJs).not.toHaveBeenCalled();
  });

  it("is refused where its arrays are too short, with the array and its length", () => {
    const { network } = large;
    expect(() => checkArrays(network, 256, 2 ** 21)).not.toThrow();
    expect(() => checkArrays(network, 2048, 2 ** 21)).toThrow(
      "2048 rows of layer 0 (dense) take 4 MiB in one array, and the GPU has none above 2 MiB",
    );
    expect(() => checkArrays(network, 1, 2 ** 19)).toThrow(
      "the weights take 2 MiB in one array, and the GPU has none above 1 MiB",
    );
  });
});

it("operations are those of the products: one forward and two backward", () => {
  expect(operationsOf(large.network, 256)).toBe(6 * 256 * 512 * 512);
});

it.each([1, 31, 32, 33, 64, 1000])("a sum of %i terms as text takes each of them once", (count) => {
  const sum = (text: string[], argument: string): ((value: number) => number) =>
    new Function(argument, [...text, "return total;"].join("\n")) as (value: number) => number;
  const term = (k: string) => ({ lines: [`const v0 = ${k} + 1;`], value: "v0" });
  const expected = (count * (count + 1)) / 2;
  expect(sum(sumLines("total", count, term), "unused")(0)).toBe(expected);
  expect(sum(sumLines("total", "rows", term), "rows")(count)).toBe(expected);
});
