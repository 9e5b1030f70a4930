/**
 * @file Memory in which the threads compute what goes beyond single elements: sums over a file, and what a row has in
 * common. Each thread that may compute at the same time has its own, so none waits for another.
 */
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { ShardSums, type SumsShape, sumsShape } from "../ops/shards.ts";
import type { Arena } from "./arena.ts";
import { type Budget, type Piece, Share } from "./budget.ts";
import type { Workspace } from "./kernels.ts";
import { Lender } from "./lender.ts";
import { scratchOf } from "./rows/compile.ts";
import type { ScratchNeed } from "./rows/scratch.ts";

export class Workspaces {
  /** What they take of the arena. */
  readonly shares: readonly [sums: Share, scratch: Share];
  readonly #arena: Arena;
  #lender: Lender<Workspace> | undefined;
  #shape: SumsShape | undefined;
  #program: Program | undefined;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.shares = [new Share(arena), new Share(arena)];
  }

  /**
   * Memory for each of `threads`; fewer where memory is short. Sums go on where the tensors change and the program stays.
   * All others begin at zero. No thread is at work.
   *
   * @param rowLengths of a row-wise program: the length of each tensor's last axis, null where it varies
   * @param least bytes that must be left beside them
   * @throws MemoryError where there is no room for one
   */
  open(
    program: Program,
    tensors: readonly TensorColumn[],
    rowLengths: readonly (number | null)[] | undefined,
    threads: number,
    budget: Budget,
    least: number,
  ): void {
    const before = this.#program?.key === program.key ? this.totals() : undefined;
    this.#program = program;
    this.#shape = undefined;
    this.#lender = undefined;
    this.free();
    const channels = tensors.map((tensor) => tensor.channels);
    const shape = program.sums.length > 0 ? sumsShape(program, channels) : undefined;
    const scratch = rowLengths && scratchOfAll(program, tensors, rowLengths);
    if (!shape && !scratch) return;
    const length = shape ? 8 * ShardSums.length(shape) : 0;
    const room = budget.left - least;
    // Without full scratch memory rows take longer, but come out the same.
    const isFull = scratch !== undefined && length + scratch.full <= room / 2;
    const ofRows = isFull ? scratch.full : (scratch?.least ?? 0);
    const what = shape ? "The sums of the parameters' gradients do" : "What rows have in common does";
    budget.check(least + length + ofRows, `${what} not fit`);
    // The first is needed; the others take no more than half of what is left.
    const more = Math.floor((room - length - ofRows) / 2 / (length + ofRows));
    const count = 1 + Math.min(more, threads);
    this.#shape = shape;
    const [sums, rows] = this.shares;
    const workspaces = Array.from({ length: count }, (): Workspace => {
      const own = shape && { address: sums.allocate(length), shape };
      if (own) this.#arena.bytes.fill(0, own.address, own.address + length);
      return { sums: own, scratch: scratch && { address: rows.allocate(ofRows), isFull } };
    });
    if (before) this.#sumsAt(sums.pieces[0]!, shape!).merge(before);
    this.#lender = new Lender(count, () => workspaces.pop()!);
  }

  /** Does `work` in a workspace, once one is free; in none where the program needs none. */
  async within(work: (workspace: Workspace | undefined) => Promise<void>): Promise<void> {
    const lender = this.#lender;
    const workspace = await lender?.acquire();
    try {
      await work(workspace);
    } finally {
      if (workspace) lender?.release(workspace);
    }
  }

  /** The sums of all of them; `undefined` where the program has none. */
  totals(): ShardSums | undefined {
    const shape = this.#shape;
    if (!shape) return undefined;
    const total = new ShardSums(shape);
    for (const piece of this.shares[0].pieces) total.merge(this.#sumsAt(piece, shape));
    return total;
  }

  free(): void {
    for (const share of this.shares) share.free();
  }

  #sumsAt({ address, length }: Piece, shape: SumsShape): ShardSums {
    return new ShardSums(shape, new Float64Array(this.#arena.memory.buffer, address, length / 8));
  }
}

/** Scratch memory that does for every tensor. */
function scratchOfAll(
  program: Program,
  tensors: readonly TensorColumn[],
  rowLengths: readonly (number | null)[],
): ScratchNeed {
  const needs = tensors.map(({ dtype }, i) => scratchOf(program, dtype, rowLengths[i]!));
  return {
    least: Math.max(0, ...needs.map(({ least }) => least)),
    full: Math.max(0, ...needs.map(({ full }) => full)),
  };
}
