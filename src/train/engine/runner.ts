/**
 * @file The steps of an engine in one thread. Every thread makes the same runner, over the same addresses, and takes part in
 * the phases of each step.
 *
 * ```text
 *   rows        an item is a shard: forward through all layers, loss, backward to the first one that learns;
 *               layers with statistics of the batch cut this phase in several
 *   gradients   an item is a part of a parameter: its gradient over all rows, and the sum of its squares
 *   update      an item is a part of a parameter: the optimiser's update, then what is made of the weights
 * ```
 */
import { type Network, sizeOf, type Tensors } from "../network.ts";
import type { BatchTarget } from "./engine.ts";
import type { EnginePlan, Job, JobStep, Outcome } from "./jobs.ts";
import {
  type Batch,
  type GradientPiece,
  type LayerContext,
  rowsAt,
  type Shard,
  type UpdatePiece,
} from "./layer.ts";
import { type HeadPlaces, LossHead } from "./loss-head.ts";
import { type Parameter, placeParameters } from "./parameters.ts";
import { type Phase, Phases } from "./phases.ts";
import { type PlacedLayer, placeLayers } from "./placing.ts";
import { Region } from "./region.ts";
import { rowPhases } from "./row-phases.ts";
import { shardRows } from "./shards.ts";
import type { Tools } from "./tools.ts";
import { clipFactor, scalarsOf, Updater } from "./update.ts";

const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;
const CACHE_LINE = 64;
/** Numbers of an outcome in memory: loss, correct, norm, fault. */
const OUTCOME = 4;
const FAULTS = [undefined, "loss", "gradient"] as const;

interface Slot extends Omit<HeadPlaces, "gradients"> {
  readonly features: number;
}

export class Runner {
  /** Bytes from the base on. */
  readonly bytes: number;
  readonly tools: Tools;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly layers: readonly PlacedLayer[];
  readonly phases: Phases;
  readonly gradients: readonly GradientPiece[];
  readonly #plan: EnginePlan;
  readonly #context: LayerContext;
  readonly #shardRows: number;
  readonly #slots: readonly Slot[];
  readonly #head: LossHead | undefined;
  readonly #updater: Updater | undefined;
  readonly #updates: readonly UpdatePiece[];
  /** Addresses: of each step's scalars and outcome, of the squares of each piece of the gradient. */
  readonly #scalars: number;
  readonly #outcomes: number;
  readonly #squares: number;
  readonly #scratch: number;
  readonly #scratchBytes: number;
  /** Of the network's outputs while training, and of their gradient. */
  readonly #outputs: number | undefined;
  readonly #outputGradients: number | undefined;
  readonly #trainingPhases: readonly Phase[];
  readonly #evaluationPhases: readonly Phase[];
  #thread = 0;
  /** The step at hand, and its number in the job. */
  #at = -1;
  #step: JobStep = { slot: 0, rows: 0, step: 0, weight: 0 };
  #batch: Batch = { features: 0, rows: 0, step: 0, training: false };

  constructor(tools: Tools, plan: EnginePlan) {
    const { network, batch, slots, learning } = plan;
    const region = new Region(plan.base);
    this.#plan = plan;
    this.tools = tools;
    this.#shardRows = shardRows(network, batch);
    const mostPhases = phasesOf(network) * slots;
    this.phases = new Phases(tools.memory, region.take(Phases.bytes(mostPhases)), mostPhases);
    this.#outcomes = region.doubles(OUTCOME * slots);
    this.#scalars = region.floats(learning ? scalarsOf(learning) * slots : 0);
    this.parameters = placeParameters(network, region, learning?.state);
    this.#context = {
      tools,
      region,
      batch,
      shards: Math.ceil(batch / this.#shardRows),
      shardsOf: ({ rows }) => Math.ceil(rows / this.#shardRows),
      seed: plan.seed,
      training: learning !== undefined,
      parameterOf: (name) => this.parameters.get(name)!,
    };
    this.layers = placeLayers(network, this.#context);
    const last = this.layers.at(-1)?.places;
    this.#outputs = last?.y;
    this.#outputGradients = last?.dy;
    const outputs = sizeOf(network.outputShape);
    const { head } = plan;
    this.#head = head && new LossHead(this.#context, head.loss, outputs, head.targetSize);
    this.#updater = learning && new Updater(tools, learning);
    this.gradients = this.layers.flatMap(({ runner }) => runner.gradients);
    this.#updates = this.layers.flatMap(({ runner }) => runner.updates);
    this.#squares = region.doubles(this.gradients.length);
    this.#slots = Array.from({ length: slots }, () => ({
      features: region.floats(batch * sizeOf(network.inputShape)),
      targets: region.floats(batch * (head?.targetSize ?? 0)),
      weights: region.floats(batch),
      outputs: region.floats(batch * outputs),
    }));
    const scratch = Math.max(0, ...this.layers.map(({ runner }) => runner.scratchBytes));
    this.#scratchBytes = Math.ceil(scratch / CACHE_LINE) * CACHE_LINE;
    this.#scratch = region.take(plan.threads * this.#scratchBytes);
    this.bytes = region.bytes;
    this.#trainingPhases = learning ? this.#makeTrainingPhases() : [];
    this.#evaluationPhases = [this.#makeEvaluationPhase()];
  }

  /** Takes part in a job until it is done. Each thread has a number of its own. */
  work(thread: number, { kind, steps, first, count }: Job): void {
    const ofStep = kind === "train" ? this.#trainingPhases : this.#evaluationPhases;
    this.#thread = thread;
    this.#at = -1;
    this.phases.work(ofStep.length * count, (index) => {
      this.#begin(first + Math.floor(index / ofStep.length), kind, steps);
      return ofStep[index % ofStep.length]!;
    });
  }

  /** Fills in the values of all tensors, and makes what follows from them. By one thread, before any work. */
  load(tensors: Tensors, state: (name: string, array: number) => Float32Array | undefined): void {
    for (const [name, { value, size, state: arrays }] of this.parameters) {
      this.tools.floats(value, size).set(tensors.get(name)!);
      for (const [i, address] of arrays.entries()) {
        const to = this.tools.floats(address, size);
        const from = state(name, i);
        if (from) to.set(from);
        else to.fill(0);
      }
    }
    for (const { refresh } of this.#updates) refresh?.();
    const squares = this.#squares / DOUBLE_BYTES;
    this.tools.doubles.fill(0, squares, squares + this.gradients.length);
    for (const { weights } of this.#slots) this.tools.floats(weights, this.#plan.batch).fill(1);
  }

  /** Where the data of a slot goes. */
  target(slot: number): BatchTarget {
    const { features, targets, weights } = this.#slots[slot]!;
    const { batch, network, head } = this.#plan;
    return {
      features: this.tools.floats(features, batch * sizeOf(network.inputShape)),
      targets: this.tools.floats(targets, batch * (head?.targetSize ?? 0)),
      weights: this.tools.floats(weights, batch),
    };
  }

  /** What came of evaluating a slot. */
  outputsOf(slot: number, rows: number): Float32Array {
    return this.tools.floats(this.#slots[slot]!.outputs, rows * sizeOf(this.#plan.network.outputShape));
  }

  totalWeight(slot: number, rows: number): number {
    return this.#head?.totalWeight({ ...this.#slots[slot]!, gradients: undefined }, rows) ?? rows;
  }

  /** The optimiser's numbers for step `index` of a job. */
  setScalars(index: number, scalars: readonly number[]): void {
    const size = scalarsOf(this.#plan.learning!);
    this.tools.floats(this.#scalars + FLOAT_BYTES * size * index, scalars.length).set(scalars);
  }

  /** Of step `index` of a job. */
  outcome(index: number): Outcome {
    const at = this.#outcomes / DOUBLE_BYTES + OUTCOME * index;
    const [loss, correct, norm, fault] = this.tools.doubles.subarray(at, at + OUTCOME);
    return { loss: loss!, correct: correct!, norm: norm!, fault: FAULTS[fault!] };
  }

  /** The sum of the squares of each piece of the gradient, of the last step. */
  squares(): Float64Array {
    const at = this.#squares / DOUBLE_BYTES;
    return this.tools.doubles.slice(at, at + this.gradients.length);
  }

  #begin(at: number, kind: Job["kind"], steps: readonly JobStep[]): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#step = steps[at]!;
    const { slot, rows, step } = this.#step;
    this.#batch = { features: this.#slots[slot]!.features, rows, step, training: kind === "train" };
  }

  get #shards(): number {
    return this.#context.shardsOf(this.#batch);
  }

  #shard(index: number): Shard {
    const first = index * this.#shardRows;
    return {
      batch: this.#batch,
      index,
      first,
      rows: Math.min(this.#shardRows, this.#batch.rows - first),
      scratch: this.#scratch + this.#thread * this.#scratchBytes,
    };
  }

  /** A phase whose items are the shards of the batch. */
  #overShards(tasks: readonly ((shard: Shard) => void)[], finish: () => boolean): Phase {
    const shards = (): number => this.#shards;
    return {
      get items() {
        return shards();
      },
      run: (item) => {
        const shard = this.#shard(item);
        for (const task of tasks) task(shard);
      },
      finish,
    };
  }

  #makeTrainingPhases(): Phase[] {
    const rows = rowPhases(this.layers, {
      batch: () => this.#batch,
      loss: (shard) => this.#loss(shard, this.#outputs, this.#outputGradients),
      finishLoss: () => this.#finishLoss(),
    });
    const updates = this.#updates.filter(({ part, update }) => part || update);
    return [
      ...rows.map(({ tasks, finish }) => this.#overShards(tasks, finish)),
      {
        items: this.gradients.length,
        run: (item) => {
          const squares = this.gradients[item]!.run(this.#batch);
          this.tools.doubles[this.#squares / DOUBLE_BYTES + item] = squares;
        },
        finish: () => this.#finishGradients(),
      },
      { items: updates.length, run: (item) => this.#update(updates[item]!) },
    ];
  }

  #makeEvaluationPhase(): Phase {
    const size = sizeOf(this.#plan.network.outputShape);
    const tasks = this.layers.map(
      ({ runner }) =>
        (shard: Shard): void =>
          runner.forward(shard),
    );
    tasks.push((shard) => {
      const { outputs } = this.#slots[this.#step.slot]!;
      const [from, to] = [rowsAt(this.#outputs, size, shard) / 4, rowsAt(outputs, size, shard) / 4];
      this.tools.singles.copyWithin(to, from, from + shard.rows * size);
      this.#loss(shard, outputs, undefined);
    });
    return this.#overShards(tasks, () => {
      this.#finishLoss();
      return true;
    });
  }

  #loss(shard: Shard, outputs: number | undefined, gradients: number | undefined): void {
    const slot = this.#slots[this.#step.slot]!;
    const places = { ...slot, outputs: outputs ?? slot.features, gradients };
    this.#head?.run(shard, places, this.#step.weight);
  }

  #finishLoss(): boolean {
    if (!this.#head) return true;
    const { loss, correct } = this.#head.combine(this.#shards, this.#step.weight);
    const fine = Number.isFinite(loss);
    this.#note([loss, correct, Number.NaN, fine ? 0 : FAULTS.indexOf("loss")]);
    return fine;
  }

  #finishGradients(): boolean {
    let sum = 0;
    for (const squares of this.squares()) sum += squares;
    const norm = Math.sqrt(sum);
    const fine = Number.isFinite(norm);
    const { loss, correct } = this.outcome(this.#at);
    this.#note([loss, correct, norm, fine ? 0 : FAULTS.indexOf("gradient")]);
    const { clip, scalars } = this.#plan.learning!;
    if (clip !== undefined) {
      this.tools.singles[this.#scalarsOfStep() / 4 + scalars] = clipFactor(clip, norm);
    }
    return fine;
  }

  #note(outcome: readonly number[]): void {
    this.tools.doubles.set(outcome, this.#outcomes / DOUBLE_BYTES + OUTCOME * this.#at);
  }

  #update({ part, update, refresh }: UpdatePiece): void {
    if (part) this.#updater!.run(part, this.#scalarsOfStep());
    update?.();
    refresh?.();
  }

  #scalarsOfStep(): number {
    return this.#scalars + FLOAT_BYTES * scalarsOf(this.#plan.learning!) * this.#at;
  }
}

/** The phases of a step, or more. */
function phasesOf({ layers }: Network): number {
  return 3 + 2 * layers.filter(({ spec }) => spec.kind === "batch_norm").length;
}
