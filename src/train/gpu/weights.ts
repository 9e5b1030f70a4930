/**
 * @file The network's tensors on the device, all in one array: first those that are learned, with arrays beside them for the
 * gradient and for what the optimiser keeps. So one kernel updates all of them.
 *
 * ```text
 *   values     0.weight | 0.bias | 2.weight | … | 2.running_mean | …     kernels read them from their offsets
 *   gradient   0.weight | 0.bias | 2.weight | … |                        each layer's part is copied here
 *   state      the same for each array of the optimiser
 * ```
 */
import type { GpuQueue } from "../../gpu/queue.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import { type Network, sizeOf, type TensorSpec, tensorsOf } from "../network.ts";
import { makeArray } from "./arrays.ts";

/** Where a tensor lies. */
export interface Place {
  readonly spec: TensorSpec;
  readonly offset: number;
  readonly size: number;
}

export interface Weights {
  readonly places: ReadonlyMap<string, Place>;
  /** Numbers that are learned. */
  readonly learned: number;
  readonly values: DeviceArray;
  readonly gradient: DeviceArray;
  readonly state: readonly DeviceArray[];
  offsetOf(name: string): number;
}

/** How many numbers a network learns. */
export function learnedOf(network: Network): number {
  return tensorsOf(network).reduce((total, { learned, shape }) => total + (learned ? sizeOf(shape) : 0), 0);
}

/** @param arrays that the optimiser keeps */
export async function makeWeights(queue: GpuQueue, network: Network, arrays: number): Promise<Weights> {
  const places = new Map<string, Place>();
  let length = 0;
  const all = tensorsOf(network);
  for (const spec of [...all.filter(({ learned }) => learned), ...all.filter(({ learned }) => !learned)]) {
    const size = sizeOf(spec.shape);
    places.set(spec.name, { spec, offset: length, size });
    length += size;
  }
  const learned = learnedOf(network);
  const values = await makeArray(queue, length);
  const gradient = await makeArray(queue, learned);
  const state: DeviceArray[] = [];
  while (state.length < arrays) state.push(await makeArray(queue, learned));
  return { places, learned, values, gradient, state, offsetOf: (name) => places.get(name)!.offset };
}

/** Tensors as one array of that length, with zeros for those that are not there. */
export function join(
  { places }: Weights,
  length: number,
  find: (name: string) => Float32Array | undefined,
): Float32Array {
  const joined = new Float32Array(length);
  for (const [name, { offset }] of places) {
    const value = offset < length ? find(name) : undefined;
    if (value) joined.set(value, offset);
  }
  return joined;
}

/** Those tensors that are in one such array, in the order of the network. */
export function split(
  { places }: Weights,
  network: Network,
  joined: Float32Array,
): Map<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  for (const { name } of tensorsOf(network)) {
    const { offset, size } = places.get(name)!;
    if (offset < joined.length) found.set(name, joined.slice(offset, offset + size));
  }
  return found;
}
