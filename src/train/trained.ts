/** @file What training, or a file, gives to a model: the tensors, and all that a prediction needs to know. */
import type { TargetSpace } from "./data/dataset.ts";
import type { Loss } from "./losses.ts";
import type { Network, Tensors } from "./network.ts";

export interface Trained {
  readonly network: Network;
  readonly tensors: Tensors;
  /** The columns that its rows come from; empty where that is not known. */
  readonly features: readonly string[];
  /** What its outputs mean. */
  readonly target: TargetSpace | undefined;
  readonly loss: Loss | undefined;
  readonly training?: Training | undefined;
}

/** Where a training stands, so that it can go on. */
export interface Training {
  /** What the training wants to know again: step, epoch, seed, optimiser. Plain JSON. */
  readonly progress: Readonly<Record<string, unknown>>;
  /** The optimiser's arrays, as `m.0.weight`. */
  readonly arrays: Tensors;
}
