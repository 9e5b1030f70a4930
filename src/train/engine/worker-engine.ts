/** @file The engine on the workers of this process. The calling thread takes part alone until they are up. */
import { setImmediate } from "node:timers/promises";
import { UsageError } from "../../errors.ts";
import { Share } from "../../workers/budget.ts";
import { sharedArena } from "../../workers/pool.ts";
import { checkEngine } from "../../workers/simd.ts";
import { type Network, shapeText, sizeOf, type Tensors, tensorsOf } from "../network.ts";
import type { Optimizer } from "../optimizers.ts";
import type {
  BatchTarget,
  Engine,
  EngineOptions,
  EvalResult,
  LayerStatistics,
  OptimizerState,
  StepInput,
  StepResult,
} from "./engine.ts";
import type { EnginePlan, Job, JobStep } from "./jobs.ts";
import { faultOf, statisticsOf } from "./layer-statistics.ts";
import { Runner } from "./runner.ts";
import { checkPossible, fittingSlots, GROUPS, usefulSlots } from "./sizing.ts";
import { Team } from "./team.ts";
import { newCodes, Tools } from "./tools.ts";

/** More threads find no items to take, and each costs some 10 MB. */
const MOST_WORKERS = 64;

export class WorkerEngine implements Engine {
  readonly slots: number;
  readonly path: Engine["path"];
  readonly #batch: number;
  readonly #optimizer: Optimizer;
  readonly #share = new Share(sharedArena());
  readonly #runner: Runner;
  readonly #team: Team | undefined;
  /** Why it is of no more use. */
  #broken: Error | undefined;
  #atWork: Promise<unknown> = Promise.resolve();
  /** Of the last batch. */
  #rows = 0;

  constructor(options: EngineOptions) {
    const { network, batch, optimizer, tensors, state = new Map(), memory } = options;
    const workers = Math.min(options.workers, MOST_WORKERS);
    checkEngine();
    checkPossible(network, batch, 2 + optimizer.state.length);
    checkTensors(network, tensors);
    checkState(network, optimizer, state);
    const codes = newCodes();
    const tools = new Tools(sharedArena().memory, codes);
    const planFor = (slots: number, base: number): EnginePlan => ({
      ...planOf(options),
      ...{ codes, slots, base, threads: Math.max(1, workers) },
    });
    const bytesOf = (slots: number): number => new Runner(tools, planFor(slots, 0)).bytes;
    this.slots = fittingSlots(memory, bytesOf, usefulSlots(network, batch, workers));
    this.path = codes.matmul.path;
    this.#batch = batch;
    this.#optimizer = optimizer;
    try {
      const slots = GROUPS * this.slots;
      const plan = planFor(slots, this.#share.allocate(bytesOf(slots)));
      this.#runner = new Runner(tools, plan);
      this.#runner.load(tensors, (name, array) => state.get(stateName(optimizer, name, array)));
      if (workers > 0) this.#team = new Team(this.#runner, plan, workers, this.#share);
    } catch (error) {
      this.#share.free();
      throw error;
    }
  }

  target(slot: number): BatchTarget {
    return this.#runner.target(slot);
  }

  train(
    steps: readonly { readonly slot: number; readonly input: StepInput }[],
  ): Promise<readonly StepResult[]> {
    return this.#alone(async () => {
      const results: StepResult[] = [];
      for (const group of this.#groups(steps)) {
        const job = group.map(({ slot, input: { step, rows, scalars } }, index) => {
          this.#runner.setScalars(index, scalars);
          return this.#jobStep(slot, rows, step);
        });
        await this.#perform("train", job);
        for (const [index, { step, rows, weight }] of job.entries()) {
          const { loss, correct, norm, fault } = this.#runner.outcome(index);
          const result = { step, loss, correct, weight, gradientNorm: norm };
          results.push(fault ? { ...result, fault: faultOf(this.#runner, fault, rows) } : result);
          if (fault) return results;
        }
      }
      return results;
    });
  }

  evaluate(
    slots: readonly { readonly slot: number; readonly rows: number }[],
  ): Promise<readonly EvalResult[]> {
    return this.#alone(async () => {
      const results: EvalResult[] = [];
      for (const group of this.#groups(slots)) {
        const job = group.map(({ slot, rows }) => this.#jobStep(slot, rows, 0));
        await this.#perform("evaluate", job);
        for (const [index, { slot, rows, weight }] of job.entries()) {
          const { loss, correct } = this.#runner.outcome(index);
          results.push({ loss, correct, weight, outputs: this.#runner.outputsOf(slot, rows) });
        }
      }
      return results;
    });
  }

  tensors(): Map<string, Float32Array> {
    return new Map(
      [...this.#runner.parameters].map(([name, { value, size }]) => [name, this.#copy(value, size)]),
    );
  }

  state(): Map<string, Float32Array> {
    return new Map(
      [...this.#runner.parameters].flatMap(([name, { size, state }]) =>
        state.map((address, i) => [stateName(this.#optimizer, name, i), this.#copy(address, size)] as const),
      ),
    );
  }

  inspect(): readonly LayerStatistics[] {
    return this.#rows === 0 ? [] : statisticsOf(this.#runner, this.#rows);
  }

  async close(): Promise<void> {
    await this.#atWork;
    this.#team?.release();
    this.#share.free();
  }

  #copy(address: number, size: number): Float32Array {
    return this.#runner.tools.floats(address, size).slice();
  }

  #jobStep(slot: number, rows: number, step: number): JobStep {
    if (!(Number.isInteger(rows) && rows >= 1 && rows <= this.#batch)) {
      throw new UsageError(`a batch of ${this.#batch} rows cannot have ${rows}`);
    }
    return { slot, rows, step, weight: this.#runner.totalWeight(slot, rows) };
  }

  /** As many as a job may have. */
  #groups<Step>(steps: readonly Step[]): Step[][] {
    const most = GROUPS * this.slots;
    return Array.from({ length: Math.ceil(steps.length / most) }, (_, i) =>
      steps.slice(i * most, (i + 1) * most),
    );
  }

  /** Does `work` when all that was asked for before is done. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#atWork.then(work);
    this.#atWork = done.catch(() => {});
    return done;
  }

  /** Until the workers are up, this thread does the work, step by step. */
  async #perform(kind: Job["kind"], steps: readonly JobStep[]): Promise<void> {
    if (this.#broken) throw this.#broken;
    this.#rows = steps.at(-1)?.rows ?? this.#rows;
    for (let first = 0; first < steps.length; first++) {
      if (this.#team?.isUp) {
        const rest = { kind, steps, first, count: steps.length - first };
        await this.#team.perform(rest).catch((error: Error) => {
          this.#broken = error;
          throw error;
        });
        return;
      }
      this.#runner.phases.reset();
      this.#runner.work(0, { kind, steps, first, count: 1 });
      if (kind === "train" && this.#runner.outcome(first).fault) return;
      await setImmediate();
    }
  }
}

function planOf(options: EngineOptions): Omit<EnginePlan, "codes" | "slots" | "base" | "threads"> {
  const { network, batch, seed, loss, targetSize, optimizer, clip } = options;
  const { update, scalars, state } = optimizer;
  const clips = clip !== undefined;
  return {
    ...{ network, batch, seed, head: { loss, targetSize } },
    learning: { update, scalars: scalars.length, state: state.length, clips, clip },
  };
}

const stateName = ({ state }: Optimizer, tensor: string, array: number): string =>
  `${tensor}.${state[array]}`;

export function checkTensors(network: Network, tensors: Tensors): void {
  if (!tensorsOf(network).some(({ learned }) => learned)) {
    throw new UsageError("the network has nothing to learn", {
      remedy: "Give it a layer with weights, as dense(10).",
    });
  }
  for (const { name, shape } of tensorsOf(network)) {
    if (tensors.get(name)?.length === sizeOf(shape)) continue;
    throw new UsageError(`the initial values of ${name} do not have its shape, ${shapeText(shape)}`);
  }
}

/** Arrays that are not there begin with zeros; but none may have another length. */
function checkState(network: Network, optimizer: Optimizer, state: OptimizerState): void {
  for (const { name, shape } of tensorsOf(network)) {
    for (const array of optimizer.state.keys()) {
      const values = state.get(stateName(optimizer, name, array));
      if (!values || values.length === sizeOf(shape)) continue;
      throw new UsageError(
        `the optimiser's ${stateName(optimizer, name, array)} does not have the shape ${shapeText(shape)}`,
      );
    }
  }
}
