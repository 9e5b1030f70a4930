/** @file What threads are told: of an engine, once, and of the jobs that they do together. Plain data. */
import type { Loss } from "../losses.ts";
import type { Network } from "../network.ts";
import type { Codes } from "./tools.ts";
import type { UpdateRule } from "./update.ts";

/** All that a thread needs to know of an engine, as plain data. */
export interface EnginePlan {
  /** Where the engine's memory begins. */
  readonly base: number;
  readonly network: Network;
  readonly codes: Codes;
  /** Most rows of a batch. */
  readonly batch: number;
  readonly slots: number;
  /** Threads that may work at the same time. */
  readonly threads: number;
  readonly seed: number;
  /** Left out: the network only computes its outputs. */
  readonly head?: { readonly loss: Loss; readonly targetSize: number };
  /** Left out: it does not learn. */
  readonly learning?: UpdateRule & { readonly state: number; readonly clip: number | undefined };
}

/** A batch to train on or to evaluate. */
export interface JobStep {
  readonly slot: number;
  readonly rows: number;
  readonly step: number;
  /** What the rows count together. */
  readonly weight: number;
}

/** Steps that threads do together, one after the other: `count` of `steps`, from number `first` on. */
export interface Job {
  readonly kind: "train" | "evaluate";
  readonly steps: readonly JobStep[];
  readonly first: number;
  readonly count: number;
}

/** What came of a step. */
export interface Outcome {
  readonly loss: number;
  readonly correct: number;
  readonly norm: number;
  readonly fault: "loss" | "gradient" | undefined;
}
