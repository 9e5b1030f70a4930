/**
 * @file The CPU device: windows in the shared arena, computed by the worker pool; until the workers are up, by the main
 * thread, so that nothing ever waits for a thread to start.
 */
import { availableParallelism } from "node:os";
import type { Device, Slot, Window } from "../device.ts";
import { MemoryError, UsageError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { ShardSums, type SumsShape, sumsShape } from "../ops/shards.ts";
import { readPieces, readSpan, writeSpan } from "./files.ts";
import { checkFit } from "./fit.ts";
import { type Kernel, runKernels, type Workspace } from "./kernels.ts";
import { Lender } from "./lender.ts";
import { LEAST_MEMORY } from "./open.ts";
import { acquirePool, type Pool, sharedArena } from "./pool.ts";
import { prepareKernel } from "./prepare.ts";
import { scratchOf } from "./rows/compile.ts";
import { rowLengthOf } from "./rows/fit.ts";
import type { ScratchNeed } from "./rows/scratch.ts";
import { checkEngine } from "./simd.ts";
import { TURN_BYTES } from "./turns.ts";

/** Large enough that handing a window to a worker costs little beside the work, small enough to stay in the caches. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** Slots of this size are worth having more of. */
const SLOT_BYTES = LEAST_MEMORY / 2;
/** Beside its window, a slot may have room for a second input and the memory room for sums. */
const LEAST_SLOT_BYTES = [SLOT_BYTES, SLOT_BYTES / 2] as const;
/** Work below this is over before the workers are up. */
const INLINE_BYTES = 32 * 1024 * 1024;
/** A thread costs some 10 MB; far more of them than cores gain nothing and can take all memory there is. */
const MOST_WORKERS = Math.max(64, 2 * availableParallelism());

export interface CpuOptions {
  /** Most worker threads at once; default: one for each core. */
  readonly workers?: number | undefined;
  /** Bytes of the arena that this device may use. */
  readonly memory: number;
  /** Bytes to come, where known: then the workers start at once, or not at all. */
  readonly expectedBytes?: number | undefined;
}

export function openCpuDevice({
  workers = availableParallelism(),
  memory,
  expectedBytes,
}: CpuOptions): Device {
  checkEngine();
  if (!Number.isInteger(workers) || workers < 1) {
    throw new UsageError(`workers is ${workers}`, { remedy: "Give a whole number from 1." });
  }
  const device = new CpuDevice(Math.min(workers, MOST_WORKERS), memory);
  if (expectedBytes !== undefined && expectedBytes > INLINE_BYTES) device.startPool();
  return device;
}

class CpuDevice implements Device {
  readonly name = "cpu";
  readonly #arena = sharedArena();
  readonly #memory: number;
  readonly #workers: number;
  readonly #lanes: Lender<number>;
  readonly #inline = new Lender(1, () => 0);
  readonly #turns: number;
  /** What is in the arena besides the turns: tables, sums and scratch memory of the program, and slots. */
  readonly #tables: Piece[] = [];
  readonly #sums: Piece[] = [];
  readonly #scratch: Piece[] = [];
  readonly #slotPieces: Piece[] = [];
  #windowBytes = 0;
  #slots = new Lender<Slot>(0, () => this.#slot());
  #workspaces: Lender<Workspace> | undefined;
  #shape: SumsShape | undefined;
  #program: Program | undefined;
  #kernels: readonly Kernel[] = [];
  #inputs = 1;
  #pool: Pool | undefined;
  #seenBytes = 0;

  constructor(workers: number, memory: number) {
    this.#memory = memory;
    this.#workers = workers;
    this.#lanes = new Lender(workers, () => 0);
    this.#turns = this.#arena.allocate(TURN_BYTES);
    this.#arena.bytes.fill(0, this.#turns, this.#turns + TURN_BYTES);
    this.#cutSlots();
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get workers(): number {
    return this.#lanes.made;
  }

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const pieces of [this.#tables, this.#slotPieces]) this.#free(pieces);
    this.#inputs = program.inputs;
    for (const tensor of tensors) checkFit(program, tensor);
    const rowLengths = isRowWise(program) ? tensors.map(rowLengthOf) : undefined;
    const scratch = rowLengths && scratchOfAll(program, tensors, rowLengths);
    this.#openWorkspaces(program, tensors, scratch);
    this.#kernels = tensors.map((tensor, i) => {
      const allocate = (length: number): number => {
        this.#check(this.#least() + length, "The per-channel values do not fit", tensor.name);
        return this.#allocate(this.#tables, length);
      };
      const { dtype, channels } = tensor;
      return prepareKernel(program, dtype, channels, this.#arena, allocate, rowLengths?.[i]);
    });
    this.#cutSlots();
    return this.#kernels.map(({ grain }) => grain);
  }

  resize(windowBytes: number): void {
    if (windowBytes <= this.#windowBytes) return;
    const least = Math.ceil(windowBytes / SLOT_BYTES) * SLOT_BYTES;
    this.#check(least * this.#inputs, `A window of ${windowBytes} bytes does not fit`);
    this.#free(this.#slotPieces);
    this.#windowBytes = least;
    const slots = Math.floor(this.#left() / (least * this.#inputs));
    this.#slots = new Lender(Math.min(slots, this.#mostSlots()), () => this.#slot());
  }

  sums(): readonly Float64Array[] {
    return this.#totals()?.values() ?? [];
  }

  acquire(): Promise<Slot> {
    return this.#slots.acquire();
  }

  release(slot: Slot): void {
    this.#slots.release(slot);
  }

  async run(window: Window): Promise<void> {
    const kernels = this.#kernels;
    this.#seenBytes += window.length;
    if (this.#seenBytes > INLINE_BYTES) this.startPool();
    const pool = (await this.#runInline(window)) ? undefined : this.#pool;
    if (!pool) return;
    const lane = await this.#lanes.acquire();
    try {
      const { slot, length, ranges, read, others, write } = window;
      const { address } = slot;
      const turns = this.#turns;
      await this.#withWorkspace((workspace) =>
        pool.run({ kernels, address, length, ranges, read, others, write, turns, workspace }),
      );
    } finally {
      this.#lanes.release(lane);
    }
  }

  startPool(): void {
    this.#pool ??= acquirePool(this.#workers);
  }

  close(): void {
    this.#pool?.release();
    for (const pieces of [this.#tables, this.#sums, this.#scratch, this.#slotPieces]) this.#free(pieces);
    this.#arena.free(this.#turns, TURN_BYTES);
  }

  /** Does the window on this thread, one at a time, unless the workers are up by its turn. */
  async #runInline({ slot, length, ranges, read, others, write }: Window): Promise<boolean> {
    if (this.#workersUp()) return false;
    const turn = await this.#inline.acquire();
    try {
      if (this.#workersUp()) return false;
      const bytes = slot.bytes.subarray(0, length);
      if (read) await readSpan(read, bytes);
      if (others) await readPieces(others, slot.bytes);
      await this.#withWorkspace(async (workspace) => {
        runKernels(this.#arena.memory, this.#kernels, slot.address, ranges, workspace);
      });
      if (write) await writeSpan(write, bytes);
      return true;
    } finally {
      this.#inline.release(turn);
    }
  }

  async #withWorkspace(work: (workspace: Workspace | undefined) => Promise<void>): Promise<void> {
    const workspace = await this.#workspaces?.acquire();
    try {
      await work(workspace);
    } finally {
      if (workspace) this.#workspaces?.release(workspace);
    }
  }

  #workersUp(): boolean {
    return this.#pool !== undefined && (this.#pool.ready || this.#pool.broken !== undefined);
  }

  /** Two slots a worker, one under way and the next one ready, and one that is being filled or written. */
  #mostSlots(): number {
    return 2 * this.#workers + 1;
  }

  /** Bytes of the fewest and smallest slots that the program can do with. */
  #least(): number {
    return 2 * LEAST_SLOT_BYTES[this.#inputs === 1 ? 0 : 1];
  }

  #cutSlots(): void {
    const left = this.#left();
    const unit = this.#least() / 2;
    const slots = Math.max(2, Math.min(this.#mostSlots(), Math.floor(left / SLOT_BYTES)));
    const share = Math.floor(left / slots / unit) * unit;
    this.#windowBytes = Math.min(WINDOW_BYTES, share / this.#inputs);
    this.#slots = new Lender(slots, () => this.#slot());
  }

  #slot(): Slot {
    const length = this.#windowBytes * this.#inputs;
    const address = this.#allocate(this.#slotPieces, length);
    return { address, bytes: this.#arena.bytes.subarray(address, address + length) };
  }

  /**
   * Memory for each thread that may compute at the same time; fewer where memory is short. Sums go on where the tensors
   * change and the program stays. All others begin at zero.
   */
  #openWorkspaces(
    program: Program,
    tensors: readonly TensorColumn[],
    scratch: ScratchNeed | undefined,
  ): void {
    const before = this.#program?.key === program.key ? this.#totals() : undefined;
    this.#program = program;
    this.#shape = undefined;
    this.#workspaces = undefined;
    for (const pieces of [this.#sums, this.#scratch]) this.#free(pieces);
    const channels = tensors.map((tensor) => tensor.channels);
    const shape = program.sums.length > 0 ? sumsShape(program, channels) : undefined;
    if (!shape && !scratch) return;
    const length = shape ? 8 * ShardSums.length(shape) : 0;
    const room = this.#left() - this.#least();
    // Without full scratch memory rows take longer, but come out the same.
    const isFull = scratch !== undefined && length + scratch.full <= room / 2;
    const ofRows = isFull ? scratch.full : (scratch?.least ?? 0);
    const what = shape ? "The sums of the parameters' gradients do" : "What rows have in common does";
    this.#check(this.#least() + length + ofRows, `${what} not fit`);
    // The first is needed; the others take no more than half of what is left.
    const more = Math.floor((room - length - ofRows) / 2 / (length + ofRows));
    const count = 1 + Math.min(more, this.#workers);
    this.#shape = shape;
    const workspaces = Array.from({ length: count }, (): Workspace => {
      const sums = shape && { address: this.#allocate(this.#sums, length), shape };
      if (sums) this.#arena.bytes.fill(0, sums.address, sums.address + length);
      return {
        sums,
        scratch: scratch && { address: this.#allocate(this.#scratch, ofRows), isFull },
      };
    });
    if (before) this.#sumsAt(this.#sums[0]!)?.merge(before);
    this.#workspaces = new Lender(count, () => workspaces.pop()!);
  }

  /** The sums of all workspaces. */
  #totals(): ShardSums | undefined {
    if (!this.#shape) return undefined;
    const total = new ShardSums(this.#shape);
    for (const piece of this.#sums) total.merge(this.#sumsAt(piece)!);
    return total;
  }

  #sumsAt({ address, length }: Piece): ShardSums | undefined {
    const memory = new Float64Array(this.#arena.memory.buffer, address, length / 8);
    return this.#shape && new ShardSums(this.#shape, memory);
  }

  /** Bytes of the memory that nothing but slots may take. */
  #left(): number {
    const taken = [...this.#tables, ...this.#sums, ...this.#scratch].reduce(
      (total, { length }) => total + length,
      0,
    );
    return this.#memory - taken;
  }

  #check(needed: number, problem: string, column?: string): void {
    const missing = needed - this.#left();
    if (missing <= 0) return;
    throw new MemoryError(`${problem} in memory`, {
      position: column === undefined ? {} : { column },
      remedy: `Give ${missing} bytes more with --memory: ${Math.ceil((this.#memory + missing) / 1024)}KiB.`,
    });
  }

  #allocate(pieces: Piece[], length: number): number {
    const address = this.#arena.allocate(length);
    pieces.push({ address, length });
    return address;
  }

  #free(pieces: Piece[]): void {
    for (const { address, length } of pieces.splice(0)) this.#arena.free(address, length);
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

interface Piece {
  readonly address: number;
  readonly length: number;
}
