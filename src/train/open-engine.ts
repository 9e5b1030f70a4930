/**
 * @file Opens the engine on the device that was asked for. `auto` stays on the CPU where there is little to do, without
 * loading anything of a GPU; otherwise it times steps on both, and the faster one trains.
 */
import type { DeviceName } from "../device.ts";
import { checkDevice, type DeviceChoice } from "../pipeline/options.ts";
import { type Engine, type EngineOptions, openEngine } from "./engine/engine.ts";
import { speedOf } from "./engine-speed.ts";
import { type Network, sizeOf } from "./network.ts";

export interface OpenedEngine {
  readonly engine: Engine;
  readonly device: DeviceName;
  /** Why it is this one; `undefined` unless it was to be chosen. */
  readonly deviceReason: string | undefined;
}

/** What a step must take at least, in operations, for a GPU to be worth a try: starting its kernels takes as long. */
const LEAST_OF_STEP = 1e8;
/** And all steps together: a GPU is loaded, and both are timed, in two seconds or so. */
const LEAST_OF_ALL = 1e12;

/**
 * @param steps that are to come
 * @param speed gives steps per second; it may change the engine's weights
 * @throws UsageError for another device; as `openEngine` and `openGpuEngine`
 */
export async function openEngineOn(
  device: DeviceChoice,
  options: EngineOptions,
  steps: number,
  speed: typeof speedOf = speedOf,
): Promise<OpenedEngine> {
  checkDevice(device);
  if (device === "cpu") return onCpu(options, undefined);
  if (device === "gpu") return { engine: await openOnGpu(options), device, deviceReason: undefined };
  const work = operationsOf(options.network, options.batch);
  const isTried = process.env.SLUICE_AUTO_AFTER === "0";
  if (!isTried && (work < LEAST_OF_STEP || steps * work < LEAST_OF_ALL)) {
    return onCpu(options, "too little work for a GPU");
  }
  let gpu: Awaited<ReturnType<typeof openOnGpu>>;
  try {
    gpu = await openOnGpu(options);
  } catch (error) {
    return onCpu(options, messageOf(error));
  }
  let reason: string;
  try {
    const gpuSpeed = await speed(gpu, options);
    const cpuSpeed = await speedOfCpu(options, speed);
    reason = `GPU ${rate(gpuSpeed)}, CPU ${rate(cpuSpeed)}`;
    if (gpuSpeed > cpuSpeed) {
      await gpu.restore();
      return { engine: gpu, device: "gpu", deviceReason: reason };
    }
  } catch (error) {
    reason = `the GPU failed: ${messageOf(error)}`;
  }
  await gpu.close();
  return onCpu(options, reason);
}

async function onCpu(options: EngineOptions, deviceReason: string | undefined): Promise<OpenedEngine> {
  return { engine: await openEngine(options), device: "cpu", deviceReason };
}

/** An engine like the one that may train, for its weights change. */
async function speedOfCpu(options: EngineOptions, speed: typeof speedOf): Promise<number> {
  const engine = await openEngine(options);
  try {
    return await speed(engine, options);
  } finally {
    await engine.close();
  }
}

async function openOnGpu(options: EngineOptions) {
  const { openGpuEngine } = await import("./gpu/engine.ts");
  return openGpuEngine(options);
}

/** Additions and multiplications of a step, of its matrix products alone: one forward and two backward. */
export function operationsOf({ layers }: Network, batch: number): number {
  return layers.reduce((total, { spec, tensors, outShape }) => {
    if (spec.kind !== "dense" && spec.kind !== "conv2d") return total;
    const uses = spec.kind === "conv2d" ? sizeOf(outShape.slice(1)) : 1;
    return total + 6 * batch * sizeOf(tensors[0]!.shape) * uses;
  }, 0);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `812 steps/s` */
const rate = (stepsPerSecond: number): string => `${Number(stepsPerSecond.toPrecision(3))} steps/s`;
