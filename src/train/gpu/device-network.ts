/** @file A network on the device: what is computed of one batch, forward, backward and the update. Within `GpuQueue.submit`. */
import type { GpuJs } from "../../gpu/gpu-js.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import type { EngineOptions } from "../engine/engine.ts";
import { sizeOf } from "../network.ts";
import { type Move, makeArray, move } from "./arrays.ts";
import type { Batch, DeviceLayer } from "./layer.ts";
import { compileLayers } from "./layers.ts";
import { compileLoss, type DeviceLoss, type Rows } from "./loss.ts";
import { compileStepStatus, STATUS, type StepStatus } from "./step-status.ts";
import { compileUpdate, type Updater } from "./update.ts";
import { makeWeights, type Weights } from "./weights.ts";

/** The rows of a batch on the device. */
export interface DeviceRows extends Omit<Rows, "outputs"> {
  readonly features: DeviceArray;
}

/** What computes a network; built once. */
interface Parts {
  readonly layers: readonly DeviceLayer[];
  readonly loss: DeviceLoss;
  readonly stepStatus: StepStatus;
  readonly updater: Updater;
  /** Of the step before: see `step-status.ts`. */
  readonly status: DeviceArray;
}

export class DeviceNetwork {
  readonly weights: Weights;
  readonly status: DeviceArray;
  readonly #gpu: GpuJs;
  readonly #parts: Parts;
  /** The first layer that learns: the gradient goes back no further. */
  readonly #first: number;
  /** Of each layer, for the last batch. */
  #outputs: readonly DeviceArray[] = [];

  private constructor(gpu: GpuJs, weights: Weights, parts: Parts, first: number) {
    this.#gpu = gpu;
    this.weights = weights;
    this.status = parts.status;
    this.#parts = parts;
    this.#first = first;
  }

  /** Compiles all kernels. @throws GpuError */
  static async build(
    gpu: GpuJs,
    { network, loss, optimizer, clip, seed }: EngineOptions,
  ): Promise<DeviceNetwork> {
    const weights = await makeWeights(gpu.queue, network, optimizer.state.length);
    const status = await makeArray(gpu.queue, STATUS);
    try {
      const layers = await compileLayers({ gpu, weights, seed }, network);
      const firstToLearn = network.layers.findIndex(({ tensors }) => tensors.some(({ learned }) => learned));
      const parts = {
        ...{ layers, status },
        loss: await compileLoss(gpu, loss, sizeOf(network.outputShape)),
        stepStatus: await compileStepStatus(gpu, weights.learned, clip),
        updater: await compileUpdate(gpu, weights, optimizer, clip !== undefined),
      };
      const first = layers.findIndex(({ index }) => index >= firstToLearn);
      return new DeviceNetwork(gpu, weights, parts, first);
    } catch (error) {
      destroyAll(weights, status);
      throw error;
    }
  }

  /** What layer `index` of the network gave for the last batch. */
  outputOf(index: number): DeviceArray | undefined {
    const at = this.#parts.layers.findLastIndex((layer) => layer.index <= index);
    return this.#outputs[at];
  }

  /** One step. Two numbers for each row come of it, as `loss.ts` has them; and `status`. */
  async train(rows: DeviceRows, batch: Batch, scalars: readonly number[]): Promise<DeviceArray> {
    const { loss, stepStatus, updater, layers } = this.#parts;
    const outputs = await this.#forward(rows.features, batch);
    const { result, gradient } = await loss.run({ ...rows, outputs }, batch.rows, true);
    const moves: Move[] = [];
    let dy = gradient!;
    for (let i = layers.length - 1; i >= this.#first; i--) {
      const [layer, x] = [layers[i]!, this.#inputOf(i, rows)];
      for (const { tensor, values } of await layer.gradients(x, dy, batch)) {
        moves.push({ from: values, to: this.weights.gradient, at: this.weights.offsetOf(tensor) });
      }
      if (i > this.#first) dy = await layer.backward(x, dy, batch);
    }
    move(this.#gpu.queue, moves);
    const status = await stepStatus.decide(result, batch.rows, this.weights.gradient, this.status);
    const changes = [...(await updater.run(status, scalars))];
    for (const layer of layers) changes.push(...((await layer.updates?.(status, batch)) ?? []));
    move(this.#gpu.queue, [...changes, { from: status, to: this.status }]);
    return result;
  }

  /** In inference mode. */
  async evaluate(rows: DeviceRows, batch: Batch): Promise<{ outputs: DeviceArray; result: DeviceArray }> {
    const outputs = await this.#forward(rows.features, batch);
    const { result } = await this.#parts.loss.run({ ...rows, outputs }, batch.rows, false);
    return { outputs, result };
  }

  /** Nothing is under way. */
  close(): void {
    destroyAll(this.weights, this.status);
  }

  async #forward(features: DeviceArray, batch: Batch): Promise<DeviceArray> {
    let x = features;
    const outputs: DeviceArray[] = [];
    for (const layer of this.#parts.layers) {
      x = await layer.forward(x, batch);
      outputs.push(x);
    }
    this.#outputs = outputs;
    return x;
  }

  #inputOf(layer: number, { features }: DeviceRows): DeviceArray {
    return this.#outputs[layer - 1] ?? features;
  }
}

function destroyAll({ values, gradient, state }: Weights, status: DeviceArray): void {
  for (const { buffer } of [values, gradient, ...state, status]) buffer.destroy();
}
