/**
 * @file The CPU device: windows in the shared arena, computed by the worker pool; until the workers are up, by the main
 * thread, so that nothing ever waits for a thread to start.
 */
import { availableParallelism } from "node:os";
import type { Device, Slot, Window } from "../device.ts";
import { UsageError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { Budget, Share } from "./budget.ts";
import { readPieces, readSpan, writeSpan } from "./files.ts";
import { checkFit } from "./fit.ts";
import { type Kernel, runKernels } from "./kernels.ts";
import { Lender } from "./lender.ts";
import { LEAST_MEMORY } from "./open.ts";
import { acquirePool, type Pool, sharedArena } from "./pool.ts";
import { type Posted, post } from "./posted.ts";
import { prepareKernel } from "./prepare.ts";
import { rowLengthOf } from "./rows/fit.ts";
import { checkEngine } from "./simd.ts";
import { Workspaces } from "./workspaces.ts";

/** A file's windows: large enough that handing one to a worker costs little. The worker itself cuts it for its cache. */
const FILE_WINDOW_BYTES = 8 * 1024 * 1024;
/** A stream's windows: what comes slowly must not wait for long. */
const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;
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
  /** Bytes to come, where known, which is so for files: then the workers start at once, or not at all. */
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
  const device = new CpuDevice(Math.min(workers, MOST_WORKERS), memory, expectedBytes !== undefined);
  if (expectedBytes !== undefined && expectedBytes > INLINE_BYTES) device.startPool();
  return device;
}

class CpuDevice implements Device {
  readonly name = "cpu";
  readonly #arena = sharedArena();
  readonly #workers: number;
  readonly #lanes: Lender<number>;
  readonly #inline = new Lender(1, () => 0);
  readonly #mostWindowBytes: number;
  readonly #tables = new Share(this.#arena);
  readonly #workspaces = new Workspaces(this.#arena);
  readonly #slotPieces = new Share(this.#arena);
  readonly #budget: Budget;
  #windowBytes = 0;
  #slots = new Lender<Slot>(0, () => this.#slot());
  #kernels: readonly Kernel[] = [];
  /** The same, for the workers: nothing until one needs them. */
  #posted: Posted | undefined;
  readonly #posts = new Share(this.#arena);
  #inputs = 1;
  #pool: Pool | undefined;
  #seenBytes = 0;

  constructor(workers: number, memory: number, isFile: boolean) {
    this.#budget = new Budget(memory, [this.#tables, ...this.#workspaces.shares]);
    this.#workers = workers;
    this.#lanes = new Lender(workers, () => 0);
    this.#mostWindowBytes = isFile ? FILE_WINDOW_BYTES : STREAM_WINDOW_BYTES;
    this.#cutSlots();
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get workers(): number {
    return this.#lanes.made;
  }

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const share of [this.#tables, this.#slotPieces, this.#posts]) share.free();
    this.#posted = undefined;
    this.#inputs = program.inputs;
    for (const tensor of tensors) checkFit(program, tensor);
    const rowLengths = isRowWise(program) ? tensors.map(rowLengthOf) : undefined;
    this.#workspaces.open(program, tensors, rowLengths, this.#workers, this.#budget, this.#least());
    this.#kernels = tensors.map((tensor, i) => {
      const allocate = (length: number): number => {
        this.#budget.check(this.#least() + length, "The per-channel values do not fit", tensor.name);
        return this.#tables.allocate(length);
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
    this.#budget.check(least * this.#inputs, `A window of ${windowBytes} bytes does not fit`);
    this.#slotPieces.free();
    this.#windowBytes = least;
    const slots = Math.floor(this.#budget.left / (least * this.#inputs));
    this.#slots = new Lender(Math.min(slots, this.#mostSlots()), () => this.#slot());
  }

  sums(): readonly Float64Array[] {
    return this.#workspaces.totals()?.values() ?? [];
  }

  acquire(): Promise<Slot> {
    return this.#slots.acquire();
  }

  release(slot: Slot): void {
    this.#slots.release(slot);
  }

  async run(window: Window): Promise<void> {
    this.#seenBytes += window.length;
    if (this.#seenBytes > INLINE_BYTES) this.startPool();
    const pool = (await this.#runInline(window)) ? undefined : this.#pool;
    if (!pool) return;
    const lane = await this.#lanes.acquire();
    try {
      this.#posted ??= post(this.#kernels, this.#posts);
      const kernels = this.#posted;
      const { slot, length, ranges, read, others, write } = window;
      const { address } = slot;
      await this.#workspaces.within((workspace) =>
        pool.run({ kernels, address, length, ranges, read, others, write, workspace }),
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
    for (const share of [this.#tables, this.#workspaces, this.#slotPieces, this.#posts]) share.free();
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
      await this.#workspaces.within(async (workspace) => {
        runKernels(this.#arena.memory, this.#kernels, slot.address, ranges, workspace);
      });
      if (write) await writeSpan(write, bytes);
      return true;
    } finally {
      this.#inline.release(turn);
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
    const left = this.#budget.left;
    const unit = this.#least() / 2;
    const slots = Math.max(2, Math.min(this.#mostSlots(), Math.floor(left / SLOT_BYTES)));
    const share = Math.floor(left / slots / unit) * unit;
    this.#windowBytes = Math.min(this.#mostWindowBytes, share / this.#inputs);
    this.#slots = new Lender(slots, () => this.#slot());
  }

  #slot(): Slot {
    const length = this.#windowBytes * this.#inputs;
    const address = this.#slotPieces.allocate(length);
    return { address, bytes: this.#arena.bytes.subarray(address, address + length) };
  }
}
