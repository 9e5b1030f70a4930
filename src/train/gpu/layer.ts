/** @file What a layer is to the engine of the GPU. */
import type { GpuJs } from "../../gpu/gpu-js.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import type { Move } from "./arrays.ts";
import type { Weights } from "./weights.ts";

/** What layers are built from. */
export interface LayerContext {
  readonly gpu: GpuJs;
  readonly weights: Weights;
  readonly seed: number;
}

/** The batch at hand. */
export interface Batch {
  readonly rows: number;
  readonly step: number;
  /** Otherwise in inference mode. */
  readonly training: boolean;
}

/** The gradient of a learned tensor. */
export interface Gradient {
  readonly tensor: string;
  readonly values: DeviceArray;
}

/** Results stay as they are until the layer computes the same again. */
export interface DeviceLayer {
  /** Of the network. */
  readonly index: number;
  forward(x: DeviceArray, batch: Batch): Promise<DeviceArray>;
  /** The gradients of the layer's tensors. */
  gradients(x: DeviceArray, dy: DeviceArray, batch: Batch): Promise<readonly Gradient[]>;
  /** The gradient of x, after `gradients`. */
  backward(x: DeviceArray, dy: DeviceArray, batch: Batch): Promise<DeviceArray>;
  /** New values of tensors that are not learned, as copies that put them in their place. @param status of `step-status.ts` */
  updates?(status: DeviceArray, batch: Batch): Promise<readonly Move[]>;
}
