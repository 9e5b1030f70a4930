/**
 * @file The GPU device: the elements of a window go to the GPU together, through the program's kernels, and back into the
 * slot. All of it is done on the main thread: a thread that is ended while the GPU works takes the process with it.
 */
import type { Device, GpuApi, Slot, Window } from "../device.ts";
import { UnsupportedError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import { ExactSums } from "../ops/exact-sum.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { readPieces, readSpan, writeSpan } from "../workers/files.ts";
import { checkFit } from "../workers/fit.ts";
import { Lender } from "../workers/lender.ts";
import { rowLengthOf } from "../workers/rows/fit.ts";
import { gather, scatter } from "./gather.ts";
import type { Gpu, HeldArray, StagingOf } from "./gpu.ts";
import { type KernelSet, Kernels, type KernelsOf } from "./kernels.ts";
import { cutPasses, type Pass, type TensorShape } from "./passes.ts";
import { type Need, type Room, roomFor, roomIn } from "./room.ts";

/** Arrays are indexed by 32-bit integers, with room for what is added to them. */
const MOST_ELEMENTS = 2 ** 28;

export interface GpuOptions {
  /** Bytes that windows may take, here and on the device together. */
  readonly memory: number;
  /** Bytes to come, where known. */
  readonly expectedBytes?: number | undefined;
}

export class GpuDevice implements Device {
  readonly name = "gpu";
  readonly api: GpuApi;
  readonly workers = 0;
  readonly #gpu: Gpu;
  readonly #memory: number;
  readonly #expectedBytes: number | undefined;
  readonly #kernels: Kernels;
  #program: Program | undefined;
  #tensors: readonly TensorShape[] = [];
  #sets: readonly KernelSet<HeldArray>[] = [];
  #sums: readonly ExactSums[] = [];
  #need: Need = { inputs: 1, bytesPerElement: 4, arrays: 1 };
  #room: Room;
  #slots: Lender<Slot>;
  #stagings: Lender<StagingOf<HeldArray>>;
  /** All that were made. */
  readonly #made: StagingOf<HeldArray>[] = [];

  constructor(gpu: Gpu, kernelsOf: KernelsOf, { memory, expectedBytes }: GpuOptions) {
    this.api = gpu.info.api;
    this.#gpu = gpu;
    this.#memory = memory;
    this.#expectedBytes = expectedBytes;
    this.#kernels = new Kernels(gpu, kernelsOf);
    this.#room = roomIn(memory, this.#need, expectedBytes);
    [this.#slots, this.#stagings] = this.#lenders();
  }

  get windowBytes(): number {
    return this.#room.windowBytes;
  }

  /** @throws UnsupportedError for float64; GpuError where a kernel does not compile */
  async prepare(program: Program, tensors: readonly TensorColumn[]): Promise<readonly number[]> {
    for (const tensor of tensors) {
      checkFit(program, tensor);
      requireFloat32(tensor);
    }
    const rows = isRowWise(program) ? tensors.map((tensor) => ({ length: rowLengthOf(tensor) })) : undefined;
    const byChannel = program.channels.length > 0 || program.sums.some(({ perChannel }) => perChannel);
    const sets: KernelSet<HeldArray>[] = [];
    const shapes: TensorShape[] = [];
    for (const [i, { dtype, ...tensor }] of tensors.entries()) {
      const channels = byChannel ? tensor.channels : null;
      const set = await this.#kernels.get(program, channels);
      if (!sets.includes(set)) sets.push(set);
      const bytesPerElement = BYTES_PER_ELEMENT[dtype] as 2 | 4;
      shapes.push({ kernels: sets.indexOf(set), bytesPerElement, channels, rows: rows?.[i] ?? null });
    }
    // Sums go on where the tensors change and the program stays.
    if (this.#program?.key !== program.key) this.#sums = sumsOf(program);
    this.#program = program;
    this.#tensors = shapes;
    this.#sets = sets;
    this.#kernels.keep(sets);
    this.#need = {
      inputs: program.inputs,
      bytesPerElement: shapes.some((shape) => shape.bytesPerElement === 2) ? 2 : 4,
      arrays: Math.max(1, ...sets.map((set) => set.arrays)),
    };
    this.#take(roomIn(this.#memory, this.#need, this.#expectedBytes));
    return shapes.map((shape) => {
      if (!shape.rows) return 1;
      return shape.rows.length === null ? Number.POSITIVE_INFINITY : Math.max(1, shape.rows.length);
    });
  }

  resize(windowBytes: number): void {
    if (windowBytes > this.windowBytes) this.#take(roomFor(windowBytes, this.#memory, this.#need));
  }

  sums(): readonly Float64Array[] {
    return this.#sums.map((sums) => sums.values());
  }

  /** The sums begin anew. No window is under way. */
  forgetSums(): void {
    if (this.#program) this.#sums = sumsOf(this.#program);
  }

  acquire(): Promise<Slot> {
    return this.#slots.acquire();
  }

  release(slot: Slot): void {
    this.#slots.release(slot);
  }

  async run({ slot, length, ranges, read, others, write }: Window): Promise<void> {
    const bytes = slot.bytes.subarray(0, length);
    if (read) await readSpan(read, bytes);
    if (others) await readPieces(others, slot.bytes);
    const passes = cutPasses(ranges, this.#tensors, this.#mostElements(), this.#sums.length > 0);
    if (passes.length > 0) await this.#compute(passes, slot.bytes);
    if (write) await writeSpan(write, bytes);
  }

  close(): void {
    for (const staging of this.#made.splice(0)) staging.close();
    this.#gpu.close();
  }

  /** All passes or none: where one fails, the slot is as it was, and nothing was added to the sums. */
  async #compute(passes: readonly Pass[], slot: Uint8Array): Promise<void> {
    const before = passes.length > 1 ? slot.slice() : undefined;
    const outcomes = await Promise.allSettled(passes.map((pass) => this.#pass(pass, slot)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed) {
      if (before) slot.set(before);
      throw failed.reason;
    }
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") continue;
      // Exact, and so the order in which windows come back does not matter.
      for (const [i, sums] of this.#sums.entries()) sums.addEach(0, outcome.value[i]!, 0, sums.count);
    }
  }

  /** Gives what the pass adds to the sums. */
  async #pass({ kernels, flat, pieces }: Pass, slot: Uint8Array): Promise<readonly Float64Array[]> {
    const { inputs, target } = this.#program!;
    const set = this.#sets[kernels]!;
    // Of two inputs, x stands beside and dy is in the window.
    const sides = inputs === 1 ? ([0] as const) : ([1, 0] as const);
    const lengths = sides.map(() => flat.length);
    const totals = this.#sums.map(({ count }) => new Float64Array(count));
    const staging = await this.#stagings.acquire();
    try {
      const arrays = await staging.open(lengths);
      for (const [i, array] of arrays.entries()) gather(slot, pieces, sides[i]!, array);
      await staging.run(
        lengths,
        (sent) => set.start(sent, flat),
        (results) =>
          set.take(results, flat, (output) => scatter(output, pieces, sides[target]!, slot), totals),
      );
    } finally {
      this.#stagings.release(staging);
    }
    return totals;
  }

  #mostElements(): number {
    const { bytesPerElement } = this.#need;
    const ofGpu = Math.floor(this.#gpu.info.arrayBytes / Float32Array.BYTES_PER_ELEMENT);
    return Math.min(this.windowBytes / bytesPerElement, ofGpu, MOST_ELEMENTS);
  }

  #take(room: Room): void {
    for (const staging of this.#made.splice(0)) staging.close();
    this.#room = room;
    [this.#slots, this.#stagings] = this.#lenders();
  }

  #lenders(): [Lender<Slot>, Lender<StagingOf<HeldArray>>] {
    const { windowBytes, slots, stagings } = this.#room;
    const length = windowBytes * this.#need.inputs;
    const makeStaging = (): StagingOf<HeldArray> => {
      const staging = this.#gpu.staging();
      this.#made.push(staging);
      return staging;
    };
    return [
      new Lender<Slot>(slots, () => ({ address: 0, bytes: new Uint8Array(length) })),
      new Lender(stagings, makeStaging),
    ];
  }
}

function sumsOf({ sums, channels }: Program): readonly ExactSums[] {
  const count = channels[0]?.values.length ?? 1;
  return sums.map(({ perChannel }) => new ExactSums(perChannel ? count : 1));
}

function requireFloat32({ name, dtype }: TensorColumn): void {
  if (dtype !== "float64") return;
  throw new UnsupportedError("A GPU computes in float32, and this is float64", {
    position: name === "" ? {} : { column: name },
    remedy: "Compute it on the CPU: --device cpu, or --device auto.",
  });
}
