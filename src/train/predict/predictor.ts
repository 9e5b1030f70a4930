/** @file Rows of features to predictions: the network, and for labels the choice of the largest output. */
import { type Network, sizeOf } from "../network.ts";
import { largest } from "./labels.ts";
import { AT_ONCE, type WindowEngine } from "./window-engine.ts";

export class Predictor {
  readonly network: Network;
  /** Windows that may be worked on at once. */
  readonly atOnce = AT_ONCE;
  /** Rows with a NaN among their outputs. */
  nanRows = 0;
  readonly #engine: WindowEngine;
  readonly #argmax: boolean;

  /** @param engine of the network; closed with the predictor */
  constructor(network: Network, engine: WindowEngine, argmax: boolean) {
    this.network = network;
    this.#engine = engine;
    this.#argmax = argmax;
  }

  /** Rows that are predicted together: a multiple of 8, so that the bits of their labels begin at a byte. */
  get windowRows(): number {
    return this.#engine.rows;
  }

  /** Threads that took part. */
  get workers(): number {
    return this.#engine.workers;
  }

  /**
   * @param rows of features, one behind the other; at most `windowRows`
   * @param usable 0 for rows that are null: their prediction is 0
   * @returns the outputs, or the indices of the largest ones
   */
  async predict(rows: Float32Array, usable: Uint8Array): Promise<Float32Array | Int32Array> {
    const outputs = await this.#engine.run(rows);
    const size = sizeOf(this.network.outputShape);
    for (let row = 0; row < usable.length; row++) {
      if (usable[row] === 0) outputs.fill(0, row * size, (row + 1) * size);
      else if (hasNaN(outputs, row * size, size)) this.nanRows++;
    }
    return this.#argmax ? largest(outputs, usable.length) : outputs;
  }

  /** Gives its memory back, when nothing is under way any more. */
  close(): Promise<void> {
    return this.#engine.close();
  }
}

function hasNaN(values: Float32Array, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
