/** @file The nodes of a tensor in a record batch of apache-arrow: its lists, and the values at the bottom. */
import type { Data, FixedSizeList } from "apache-arrow";
import { ColumnError, type Position } from "../errors.ts";

/** Float16 as bits. */
export type FloatValues = Float32Array | Float64Array | Uint16Array;

/** Elements of a tensor that belong together. */
export interface Run {
  /** Index of the first element. */
  readonly start: number;
  readonly count: number;
}

/** The nodes along a path of child indices, without the batch itself; the last one holds the values. */
export function nodesAlong(batch: Data, path: readonly number[]): Data[] {
  let node = batch;
  return path.map((index) => {
    const child = node.children[index];
    if (!child) throw new ColumnError("The batch has fewer columns than its schema");
    node = child;
    return child;
  });
}

/** Throws ColumnError unless two tensors have the same lists of the same lengths, and as many values. */
export function requireSameLists(dy: readonly Data[], x: readonly Data[], position: Position): void {
  const remedy = "Both columns must hold rows of the same lengths: dy is the gradient of what was made of x.";
  for (const [depth, own] of dy.entries()) {
    const [mine, its] = [offsetsOf(own), offsetsOf(x[depth]!)];
    const entry = mine && its ? differingAt(mine, its) : -1;
    if (entry >= 0) {
      const what = depth === 0 ? "row" : "inner list";
      const where = entry === 0 ? `${what} 0 begins` : `${what} ${entry - 1} ends`;
      throw new ColumnError(`The lists of x and dy differ: ${where} at different elements`, {
        position,
        remedy,
      });
    }
  }
  const [mine, its] = [dy.at(-1)!.length, x.at(-1)!.length];
  if (mine === its) return;
  throw new ColumnError(`The batch has ${its} elements of x, but ${mine} of dy`, { position, remedy });
}

/** The values that rows reach: of a slice of lists, apache-arrow keeps all values. */
export function spanOf(nodes: readonly Data[]): Run {
  let [start, end] = [0, nodes[0]!.length];
  for (const [i, node] of nodes.slice(0, -1).entries()) {
    const offsets = offsetsOf(node);
    if (offsets) [start, end] = [Number(offsets[start]), Number(offsets[end])];
    else if (node.length > 0) {
      const each = (node.type as Partial<FixedSizeList>).listSize ?? 1;
      [start, end] = [start * each, Math.min(end * each, nodes[i + 1]!.length)];
    }
  }
  return { start, count: end - start };
}

/** The rows of a tensor whose last axis varies, where there are elements in them. */
export function rowsOf(nodes: readonly Data[]): Run[] {
  const offsets = nodes.findLast((node) => offsetsOf(node)) ?? nodes.at(-1)!;
  const bounds = offsetsOf(offsets) ?? [0, offsets.length];
  const runs: Run[] = [];
  for (let row = 0; row + 1 < bounds.length; row++) {
    const [start, end] = [Number(bounds[row]), Number(bounds[row + 1])];
    if (end > start) runs.push({ start, count: end - start });
  }
  return runs;
}

/** The offsets of a node that is a list, one more than its length. */
function offsetsOf({ valueOffsets, length }: Data): Int32Array | BigInt64Array | undefined {
  const offsets = valueOffsets as Int32Array | BigInt64Array | undefined;
  return offsets && offsets.length > 0 ? offsets.subarray(0, length + 1) : undefined;
}

function differingAt(a: Int32Array | BigInt64Array, b: Int32Array | BigInt64Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : shared;
}
