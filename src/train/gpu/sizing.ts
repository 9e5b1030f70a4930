/** @file How much memory an engine on a GPU takes, here and there. */
import type { BatchTarget, EngineOptions } from "../engine/engine.ts";
import { type Network, sizeOf } from "../network.ts";
import { learnedOf } from "./weights.ts";

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Numbers of a row of each kind. */
export interface RowSizes {
  readonly inputs: number;
  readonly targets: number;
  readonly outputs: number;
}

export function rowSizes({ network, targetSize }: Pick<EngineOptions, "network" | "targetSize">): RowSizes {
  return { inputs: sizeOf(network.inputShape), targets: targetSize, outputs: sizeOf(network.outputShape) };
}

export function makeTargets(options: EngineOptions, slots: number): BatchTarget[] {
  const { inputs, targets } = rowSizes(options);
  const { batch } = options;
  return Array.from({ length: slots }, () => ({
    features: new Float32Array(batch * inputs),
    targets: new Float32Array(batch * targets),
    weights: new Float32Array(batch).fill(1),
  }));
}

/** Bytes, here and on the device, of an engine with so many slots in all. */
export function bytesOf({ network, batch, optimizer, ...options }: EngineOptions, slots: number): number {
  const { inputs, targets, outputs } = rowSizes({ network, ...options });
  // Here, on the way, and on the device.
  const ofRows = batch * (2 * (inputs + targets + 1) + outputs + 2);
  // Forward and backward.
  const ofLayers = 2 * batch * network.layers.reduce((sum, { outShape }) => sum + sizeOf(outShape), 0);
  // As they are, as they will be, and their gradient.
  const ofWeights = learnedOf(network) * (4 + 2 * optimizer.state.length);
  return FLOAT * (slots * ofRows + ofLayers + ofWeights);
}

/** Slots whose rows, and what comes of them, fit in arrays of so many bytes each. */
export function slotsIn(arrayBytes: number, { inputShape, outputShape }: Network, batch: number): number {
  const largest = Math.max(sizeOf(inputShape), sizeOf(outputShape) + 2);
  return Math.max(1, Math.floor(arrayBytes / (FLOAT * batch * largest)));
}
