/** @file The tensors of a network in memory: values, and beside those that are learned the gradient and the optimiser's arrays. */
import { type Network, sizeOf, type TensorSpec, tensorsOf } from "../network.ts";
import type { Region } from "./region.ts";

export interface Parameter {
  readonly spec: TensorSpec;
  readonly size: number;
  /** Addresses. */
  readonly value: number;
  readonly gradient: number;
  /** One for each array that the optimiser keeps. */
  readonly state: readonly number[];
}

/** @param state arrays that the optimiser keeps; left out, nothing is learned */
export function placeParameters(
  network: Network,
  region: Region,
  state: number | undefined,
): ReadonlyMap<string, Parameter> {
  return new Map(
    tensorsOf(network).map((spec) => {
      const size = sizeOf(spec.shape);
      const isLearned = spec.learned && state !== undefined;
      const parameter = {
        spec,
        size,
        value: region.floats(size),
        gradient: isLearned ? region.floats(size) : 0,
        state: isLearned ? Array.from({ length: state }, () => region.floats(size)) : [],
      };
      return [spec.name, parameter];
    }),
  );
}
