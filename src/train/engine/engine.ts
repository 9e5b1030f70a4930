/** @file The engine: a network, a loss and an optimiser over batches in shared memory, computed by the workers. */
import type { Loss } from "../losses.ts";
import type { Network, Tensors } from "../network.ts";
import type { Optimizer } from "../optimizers.ts";
import type { WorkerEngine } from "./worker-engine.ts";

/** Of a step's rows: what the data goes into. Views of the arena. */
export interface BatchTarget {
  /** [batch, features] */
  readonly features: Float32Array;
  /** [batch, targetSize]: the index of a row's class, or its values. */
  readonly targets: Float32Array;
  /** What each row counts; all 1 at the start. */
  readonly weights: Float32Array;
}

/** What the optimiser keeps beside the parameters: `0.weight.mean`, in the shape of `0.weight`. */
export type OptimizerState = Tensors;

export interface EngineOptions {
  readonly network: Network;
  /** Initial values of all of the network's tensors. */
  readonly tensors: Tensors;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Largest norm of the whole gradient. */
  readonly clip?: number | undefined;
  /** Most rows of a batch. */
  readonly batch: number;
  /** Threads that compute; 0: the calling one, alone. */
  readonly workers: number;
  /** Bytes of the arena that the engine may take. */
  readonly memory: number;
  readonly seed: number;
  /** To go on from; zeros where it is left out. */
  readonly state?: OptimizerState | undefined;
  /** Numbers of a row's target: 1 for a class. */
  readonly targetSize: number;
}

export interface StepInput {
  /** Counted from 0 over the whole training: what is random in a step follows from it. */
  readonly step: number;
  readonly rows: number;
  /** Of the optimiser, for this step: `optimizer.scalarsAt(step, rate)`. */
  readonly scalars: readonly number[];
}

export interface StepResult {
  readonly step: number;
  /** The mean over the rows, each with its weight. */
  readonly loss: number;
  /** Rows whose largest output is that of their class. */
  readonly correct: number;
  /** What the rows count together. */
  readonly weight: number;
  /** Euclidean norm of the whole gradient, before it is clipped; NaN where the loss stopped the step. */
  readonly gradientNorm: number;
  /** Why the step stopped before its update; the weights are as they were. */
  readonly fault?: Fault;
}

export interface Fault {
  readonly what: "loss" | "gradient";
  /** The first layer, by its index, with an output or a gradient that is not finite. */
  readonly layer?: number;
}

export interface EvalResult {
  readonly loss: number;
  readonly correct: number;
  readonly weight: number;
  /** [rows, outputs]: a view, until the slot is used again. */
  readonly outputs: Float32Array;
}

/** Of a layer, after the last step of training. */
export interface LayerStatistics {
  readonly layer: number;
  readonly name: string;
  /** Euclidean norm of the gradient of its parameters; left out where it has none. */
  readonly gradientNorm?: number;
  /** Of an activation: the share of units that were 0 in all rows of the batch. */
  readonly dead?: number;
  /** Of an op: its learned parameters. */
  readonly slopes?: Float32Array;
  readonly weights?: Histogram;
  readonly activations?: Histogram;
}

/** Counts of values in bins of one width from `least` to `most`. Values that are not finite are in no bin. */
export interface Histogram {
  readonly least: number;
  readonly most: number;
  readonly counts: readonly number[];
}

/** Of what is on another device, when it has come from there. */
export type Awaitable<Result> = Result | Promise<Result>;

export interface Engine {
  /** Slots of a group. There are two groups of them, so that one is filled while the other one is trained: slots 0 to 2 * slots - 1. */
  readonly slots: number;
  target(slot: number): BatchTarget;
  /**
   * Trains on the slots, one after the other. Stops before the update of a step whose loss or gradient is not finite: then its
   * result is the last, and says so.
   *
   * @throws WorkerError where a worker died; the engine is of no more use then, but to be closed
   */
  train(
    steps: readonly { readonly slot: number; readonly input: StepInput }[],
  ): Promise<readonly StepResult[]>;
  /** Losses and outputs in inference mode: running statistics, no dropout. */
  evaluate(
    slots: readonly { readonly slot: number; readonly rows: number }[],
  ): Promise<readonly EvalResult[]>;
  /** Copies of all tensors. */
  tensors(): Awaitable<Map<string, Float32Array>>;
  /** Copies of what the optimiser keeps. */
  state(): Awaitable<Map<string, Float32Array>>;
  inspect(): Awaitable<readonly LayerStatistics[]>;
  /** Which multiply-add is used, of the CPU or a GPU's: results of the two differ in their last bits. */
  readonly path: "relaxed" | "plain" | "gpu";
  close(): Promise<void>;
}

/**
 * @throws MemoryError where the network, its batch and two slots do not fit in `memory`; it says how much it takes
 * @throws UsageError where the tensors, the loss and the network do not fit each other
 */
export async function openEngine(options: EngineOptions): Promise<WorkerEngine> {
  const { WorkerEngine } = await import("./worker-engine.ts");
  return new WorkerEngine(options);
}
