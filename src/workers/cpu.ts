/**
 * @file The CPU device: windows in the shared arena, computed by the worker pool; until the workers are up, by the main
 * thread, so that nothing ever waits for a thread to start.
 */
import { availableParallelism } from "node:os";
import type { Device, Slot, Window } from "../device.ts";
import { MemoryError, UsageError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { readSpan, writeSpan } from "./files.ts";
import { checkFit } from "./fit.ts";
import { type Kernel, runKernels } from "./kernels.ts";
import { Lender } from "./lender.ts";
import { LEAST_MEMORY } from "./open.ts";
import { acquirePool, type Pool, sharedArena } from "./pool.ts";
import { prepareKernel } from "./prepare.ts";
import { checkEngine } from "./simd.ts";
import { TURN_BYTES } from "./turns.ts";

/** Large enough that handing a window to a worker costs little beside the work, small enough to stay in the caches. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const LEAST_WINDOW_BYTES = LEAST_MEMORY / 2;
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
  const threads = Math.min(workers, MOST_WORKERS);
  // Two windows a worker, one under way and the next one ready, and one that is being filled or written.
  const slots = Math.min(2 * threads + 1, Math.floor(memory / LEAST_WINDOW_BYTES));
  const device = new CpuDevice(threads, memory, slots);
  if (expectedBytes !== undefined && expectedBytes > INLINE_BYTES) device.startPool();
  return device;
}

class CpuDevice implements Device {
  readonly name = "cpu";
  readonly windowBytes: number;
  readonly #arena = sharedArena();
  readonly #pieces: Piece[] = [];
  readonly #tables: Piece[] = [];
  readonly #slots: Lender<Slot>;
  readonly #lanes: Lender<number>;
  readonly #inline = new Lender(1, () => 0);
  readonly #workers: number;
  readonly #turns: number;
  /** Bytes of the arena left beside the slots. */
  #spare: number;
  #kernels: readonly Kernel[] = [];
  #pool: Pool | undefined;
  #seenBytes = 0;

  constructor(workers: number, memory: number, slots: number) {
    const share = Math.floor(memory / slots / LEAST_WINDOW_BYTES) * LEAST_WINDOW_BYTES;
    this.windowBytes = Math.min(WINDOW_BYTES, share);
    this.#spare = memory - slots * this.windowBytes;
    this.#slots = new Lender(slots, () => this.#slot());
    this.#lanes = new Lender(workers, () => 0);
    this.#workers = workers;
    this.#turns = this.#allocate(TURN_BYTES);
    this.#arena.bytes.fill(0, this.#turns, this.#turns + TURN_BYTES);
  }

  get workers(): number {
    return this.#lanes.made;
  }

  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const { address, length } of this.#tables.splice(0)) {
      this.#arena.free(address, length);
      this.#spare += length;
    }
    this.#kernels = tensors.map((tensor) => {
      checkFit(program, tensor);
      const allocate = (bytes: number): number => this.#allocateTable(bytes, tensor.name);
      return prepareKernel(program, tensor.dtype, tensor.channels, this.#arena, allocate);
    });
    return tensors.map(() => 1);
  }

  resize(): void {}

  sums(): readonly Float64Array[] {
    return [];
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
      const { slot, length, ranges, read, write } = window;
      const turns = this.#turns;
      await pool.run({ kernels, address: slot.address, length, ranges, read, write, turns });
    } finally {
      this.#lanes.release(lane);
    }
  }

  startPool(): void {
    this.#pool ??= acquirePool(this.#workers);
  }

  close(): void {
    this.#pool?.release();
    for (const { address, length } of [...this.#pieces.splice(0), ...this.#tables.splice(0)]) {
      this.#arena.free(address, length);
    }
  }

  /** Does the window on this thread, one at a time, unless the workers are up by its turn. */
  async #runInline({ slot, length, ranges, read, write }: Window): Promise<boolean> {
    if (this.#workersUp()) return false;
    const turn = await this.#inline.acquire();
    try {
      if (this.#workersUp()) return false;
      const bytes = slot.bytes.subarray(0, length);
      if (read) await readSpan(read, bytes);
      runKernels(this.#arena.memory, this.#kernels, slot.address, ranges);
      if (write) await writeSpan(write, bytes);
      return true;
    } finally {
      this.#inline.release(turn);
    }
  }

  #workersUp(): boolean {
    return this.#pool !== undefined && (this.#pool.ready || this.#pool.broken !== undefined);
  }

  #slot(): Slot {
    const address = this.#allocate(this.windowBytes);
    return { address, bytes: this.#arena.bytes.subarray(address, address + this.windowBytes) };
  }

  #allocate(length: number): number {
    const address = this.#arena.allocate(length);
    this.#pieces.push({ address, length });
    return address;
  }

  #allocateTable(length: number, column: string): number {
    if (length > this.#spare) {
      throw new MemoryError("The per-channel values do not fit in memory", {
        position: { column },
        remedy: `Give ${length - this.#spare} bytes more with --memory.`,
      });
    }
    const address = this.#arena.allocate(length);
    this.#spare -= length;
    this.#tables.push({ address, length });
    return address;
  }
}

interface Piece {
  readonly address: number;
  readonly length: number;
}
