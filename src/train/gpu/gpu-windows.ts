/** @file Windows of rows on a GPU: weights stay there, rows go there, and outputs come back. */

import type { EngineOptions } from "../engine/engine.ts";
import { GROUPS } from "../engine/sizing.ts";
import { type Network, sizeOf, type Tensors } from "../network.ts";
import { optimizer } from "../optimizers.ts";
import {
  AT_ONCE,
  fittingRows,
  type WindowEngine,
  type WindowEngineOptions,
} from "../predict/window-engine.ts";
import { type GpuEngine, openGpuEngine } from "./engine.ts";
import { bytesOf } from "./sizing.ts";

/** No array between the layers is larger: every WebGPU device has room for twice as much (WebGPU, "limits"). */
const ARRAY_BYTES = 64 * 2 ** 20;
const FLOAT_BYTES = 4;

export class GpuWindows implements WindowEngine {
  readonly rows: number;
  readonly workers = 0;
  readonly #engine: GpuEngine;
  readonly #inputs: number;
  #next = 0;

  private constructor(engine: GpuEngine, { network, batch }: EngineOptions) {
    this.#engine = engine;
    this.#inputs = sizeOf(network.inputShape);
    this.rows = batch;
  }

  /** @throws GpuError, MemoryError, UnsupportedError as `openGpuEngine` */
  static async open(
    network: Network,
    tensors: Tensors,
    { memory }: WindowEngineOptions,
  ): Promise<GpuWindows> {
    const optionsFor = (batch: number): EngineOptions => ({
      ...{ network, tensors, batch, memory, workers: 0, seed: 0 },
      // What is never asked for: nothing is learned here, and no row has a target.
      ...{ loss: { kind: "mse" }, optimizer: optimizer("sgd"), targetSize: sizeOf(network.outputShape) },
    });
    const largest = Math.max(...network.layers.map(({ outShape }) => sizeOf(outShape)));
    const most = Math.floor(ARRAY_BYTES / FLOAT_BYTES / largest);
    const bytes = (batch: number): number => bytesOf(optionsFor(batch), GROUPS);
    const rows = fittingRows(sizeOf(network.inputShape), memory, bytes, most);
    const options = optionsFor(rows);
    return new GpuWindows(await openGpuEngine(options), options);
  }

  /** @throws GpuError */
  async run(rows: Float32Array): Promise<Float32Array> {
    const slot = this.#next++ % AT_ONCE;
    this.#engine.target(slot).features.set(rows);
    const [result] = await this.#engine.evaluate([{ slot, rows: rows.length / this.#inputs }]);
    return result!.outputs;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
