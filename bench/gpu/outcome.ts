/** @file What a run finds out. */

export type Device = "cpu" | "gpu";

/** Bytes per second. */
export interface Rates {
  readonly upload: number;
  readonly compute: number;
  readonly download: number;
}

/** Rates of one chain: bytes of elements per second, each of which is read once and written once. */
export interface ChainOutcome {
  readonly ops: string;
  readonly cpu: number;
  readonly gpu: number;
  /** PyTorch on the GPU, with both transfers, of elements that are in memory already. */
  readonly torch?: { readonly pageable: number; readonly pinned: number } | undefined;
}

/** What `auto` says of a chain. */
export interface AutoOutcome {
  readonly ops: number;
  readonly device: Device;
  readonly reason: string;
}
