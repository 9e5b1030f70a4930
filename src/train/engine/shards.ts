/**
 * @file How a batch is cut into shards: by the network and the batch alone, so that what is summed shard by shard has the same bits
 * for any number of workers.
 */
import { type Network, sizeOf } from "../network.ts";

/** Most shards of a batch, and of one whose partial sums take more than so much memory: those of convolutions do. */
const MOST_SHARDS = 32;
const FEW_SHARDS = 4;
const PARTIAL_BYTES = 64 * 2 ** 20;
/** Rows of a shard: few, so that threads end together, and activations stay in the second-level cache. */
const FEW_ROWS = 16;
/** The same where weights come from beyond that cache: each time for as many rows as pay for it. */
const MANY_ROWS = 64;
/** Shards that there should be even then. */
const LEAST_SHARDS = 8;
/** Of the second-level cache of one core. */
const CACHE_BYTES = 2 ** 20;

/** Rows of a shard of a whole batch; the last one may have fewer. */
export function shardRows(network: Network, batch: number): number {
  const [ofDense, ofConvolutions] = [weightBytes(network, "dense"), weightBytes(network, "conv2d")];
  const isLarge = Math.max(0, ...ofDense) > CACHE_BYTES;
  const wanted = isLarge ? Math.min(MANY_ROWS, Math.max(FEW_ROWS, batch / LEAST_SHARDS)) : FEW_ROWS;
  const partial = ofConvolutions.reduce((total, bytes) => total + bytes, 0);
  const most = Math.max(FEW_SHARDS, Math.min(MOST_SHARDS, Math.floor(PARTIAL_BYTES / partial)));
  const shards = Math.max(1, Math.min(most, Math.round(batch / wanted)));
  return Math.ceil(batch / shards);
}

function weightBytes({ layers }: Network, kind: "dense" | "conv2d"): number[] {
  const own = layers.filter(({ spec }) => spec.kind === kind);
  return own.map(({ tensors }) => Float32Array.BYTES_PER_ELEMENT * sizeOf(tensors[0]!.shape));
}
