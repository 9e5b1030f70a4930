/** @file What a layer is to the engine: something that takes rows forward and backward, shard by shard. */
import type { Parameter } from "./parameters.ts";
import type { Region } from "./region.ts";
import type { Tools } from "./tools.ts";

/** The rows of one step, or of one evaluation. */
export interface Batch {
  /** Address of the slot's features. */
  readonly features: number;
  readonly rows: number;
  /** What is random follows from it. */
  readonly step: number;
  /** Whether statistics are those of the batch, and units are dropped. */
  readonly training: boolean;
}

/** Some rows of a batch: those that one thread takes through the layers at a time. */
export interface Shard {
  readonly batch: Batch;
  readonly index: number;
  /** Number of the first row in its batch. */
  readonly first: number;
  readonly rows: number;
  /** Memory of this thread alone. */
  readonly scratch: number;
}

/** A part of the work between the rows and the update. */
export interface GradientPiece {
  readonly parameter: Parameter;
  /** Makes a part of the gradient of the whole batch, and gives the sum of its squares. */
  run(batch: Batch): number;
}

/** A part of the parameters that is updated by one thread. */
export interface UpdatePiece {
  /** Left out: statistics, which follow no optimiser. */
  readonly part?: ParameterPart;
  /** Makes what follows from the new values: packed weights, tables. Also once, before the first step. */
  refresh?(): void;
  /** Of statistics: the new values. */
  update?(): void;
}

/** `rows` times `columns` elements of a parameter, from element `first`, whose rows begin `stride` elements apart. */
export interface ParameterPart {
  readonly parameter: Parameter;
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
}

/** What all rows of a batch give together, and the layer waits for: statistics over the batch. */
export interface Reduction {
  /** Of one shard, before the shard is taken on. */
  ofShard(shard: Shard): void;
  /** Of all shards, by one thread. */
  combine(batch: Batch): void;
}

export interface LayerRunner {
  /** Bytes of scratch memory. */
  readonly scratchBytes: number;
  forward(shard: Shard): void;
  /** Turns the gradient of the output into that of the input, and keeps what the parameters need of it. */
  backward(shard: Shard): void;
  /** While training, before `forward`. */
  readonly forwardReduction?: Reduction;
  /** Before `backward`. */
  readonly backwardReduction?: Reduction;
  readonly gradients: readonly GradientPiece[];
  readonly updates: readonly UpdatePiece[];
}

/** Where the rows of a layer lie, from row 0 of the batch on. */
export interface Places {
  /** Left out: the features of the batch. */
  readonly x: number | undefined;
  readonly y: number | undefined;
  /** Gradient of the input; left out where nobody needs it. */
  readonly dx: number | undefined;
  readonly dy: number | undefined;
}

/** What a layer is made with. */
export interface LayerContext {
  readonly tools: Tools;
  readonly region: Region;
  /** Most rows of a batch. */
  readonly batch: number;
  /** Most shards of a batch. */
  readonly shards: number;
  readonly shardsOf: (batch: Batch) => number;
  readonly seed: number;
  /** Without it nothing that only gradients need is there. */
  readonly training: boolean;
  readonly parameterOf: (name: string) => Parameter;
}

/** The address of a shard's first row, of rows of `size` elements. */
export function rowsAt(base: number | undefined, size: number, { batch, first }: Shard): number {
  return (base ?? batch.features) + 4 * size * first;
}
