/**
 * @file The engine on a GPU. Weights, and what the optimiser keeps, stay on the device; a group of steps is handed to it at
 * once, with the rows of all of them, and what comes back is a few numbers for each row.
 *
 * ```text
 *   host     rows of a group ----.                                                           .----> losses, norms
 *   device                       '--> forward, loss, backward, status, update, next step … --'
 * ```
 */
import { GpuError, UsageError } from "../../errors.ts";
import { type GpuJs, openGpuJs } from "../../gpu/gpu-js.ts";
import type {
  BatchTarget,
  Engine,
  EngineOptions,
  EvalResult,
  Fault,
  LayerStatistics,
  StepInput,
  StepResult,
} from "../engine/engine.ts";
import { fittingSlots, GROUPS } from "../engine/sizing.ts";
import { checkTensors } from "../engine/worker-engine.ts";
import { rowLoss } from "../losses.ts";
import { sizeOf } from "../network.ts";
import { DeviceNetwork } from "./device-network.ts";
import { Groups, type HostBatch } from "./group.ts";
import { faultOf, type Seen, statisticsOf } from "./layer-statistics.ts";
import { checkArrays, checkLayers } from "./layers.ts";
import { bytesOf, makeTargets, slotsIn } from "./sizing.ts";
import { join, split } from "./weights.ts";

/** Steps that are handed over together, at most. */
const MOST_SLOTS = 64;

/**
 * The same as `openEngine`, on a GPU. Its losses differ from the CPU's in the last digits of float32.
 *
 * @throws GpuError where a package is missing, there is no adapter, or it fails, with what to do
 * @throws UnsupportedError for an op over rows whose parameters are learned
 * @throws UsageError, MemoryError as `openEngine`
 */
export function openGpuEngine(options: EngineOptions): Promise<GpuEngine> {
  return GpuEngine.open(options);
}

interface Step {
  readonly slot: number;
  readonly input: StepInput;
}

/** Of a GPU, tensors and statistics come when they have been brought here. */
export class GpuEngine implements Engine {
  readonly slots: number;
  readonly path = "gpu";
  /** The adapter's name. */
  readonly adapter: string;
  readonly #options: EngineOptions;
  readonly #gpu: GpuJs;
  readonly #network: DeviceNetwork;
  readonly #groups: Groups;
  readonly #targets: readonly BatchTarget[];
  /** Of the last batch. */
  #rows = 0;
  #atWork: Promise<unknown> = Promise.resolve();

  private constructor(
    options: EngineOptions,
    gpu: GpuJs,
    network: DeviceNetwork,
    groups: Groups,
    slots: number,
  ) {
    this.slots = slots;
    this.adapter = gpu.info.adapter;
    this.#options = options;
    this.#gpu = gpu;
    this.#network = network;
    this.#groups = groups;
    this.#targets = makeTargets(options, GROUPS * slots);
  }

  static async open(options: EngineOptions): Promise<GpuEngine> {
    const { network, loss, batch, memory, targetSize, tensors } = options;
    checkTensors(network, tensors);
    checkLayers(network);
    rowLoss(loss, sizeOf(network.outputShape), targetSize);
    const useful = fittingSlots(memory, (count) => bytesOf(options, count), MOST_SLOTS);
    const gpu = await openGpuJs();
    const opened: { close(): void }[] = [gpu];
    try {
      checkArrays(network, batch, gpu.info.arrayBytes);
      const onDevice = await DeviceNetwork.build(gpu, options);
      opened.push(onDevice);
      const slots = Math.min(useful, slotsIn(gpu.info.arrayBytes, network, batch));
      const groups = await Groups.open(gpu, options, slots);
      opened.push(groups);
      const engine = new GpuEngine(options, gpu, onDevice, groups, slots);
      await engine.restore();
      return engine;
    } catch (error) {
      for (const each of opened.toReversed()) each.close();
      throw error;
    }
  }

  target(slot: number): BatchTarget {
    return this.#targets[slot]!;
  }

  async train(steps: readonly Step[]): Promise<readonly StepResult[]> {
    const results: StepResult[] = [];
    for (let done = 0; done < steps.length; done += this.slots) {
      const group = steps.slice(done, done + this.slots);
      results.push(...(await this.#turn(() => this.#trainGroup(group))));
      if (results.at(-1)?.fault) break;
    }
    return results;
  }

  async evaluate(
    slots: readonly { readonly slot: number; readonly rows: number }[],
  ): Promise<readonly EvalResult[]> {
    const results: EvalResult[] = [];
    for (let done = 0; done < slots.length; done += this.slots) {
      const batches = slots.slice(done, done + this.slots).map(({ slot, rows }) => this.#batchOf(slot, rows));
      const outcomes = await this.#turn(() =>
        this.#groups.run(batches, this.#network.status, (rows, i) =>
          this.#network.evaluate(rows, { rows: batches[i]!.rows, step: 0, training: false }),
        ),
      );
      results.push(
        ...outcomes.map(({ loss, correct, weight, outputs }) => ({ loss, correct, weight, outputs })),
      );
    }
    return results;
  }

  async tensors(): Promise<Map<string, Float32Array>> {
    const { weights } = this.#network;
    const [values] = await this.#turn(() => this.#groups.download([weights.values]));
    return split(weights, this.#options.network, values!);
  }

  async state(): Promise<Map<string, Float32Array>> {
    const { weights } = this.#network;
    const { network, optimizer } = this.#options;
    if (weights.state.length === 0) return new Map();
    const arrays = await this.#turn(() => this.#groups.download(weights.state));
    const found = arrays.map((array) => split(weights, network, array));
    return new Map(
      [...found[0]!.keys()].flatMap((name) =>
        optimizer.state.map((array, i) => [`${name}.${array}`, found[i]!.get(name)!] as const),
      ),
    );
  }

  async inspect(): Promise<readonly LayerStatistics[]> {
    return this.#turn(async () => statisticsOf(await this.#look()));
  }

  /** Puts the weights, and what the optimiser keeps, back to what the engine was opened with. */
  async restore(): Promise<void> {
    const { optimizer, tensors, state } = this.#options;
    const { weights } = this.#network;
    const values = [
      join(weights, weights.values.length, (name) => tensors.get(name)),
      ...optimizer.state.map((array) =>
        join(weights, weights.learned, (name) => state?.get(`${name}.${array}`)),
      ),
    ];
    await this.#turn(() => this.#groups.upload([weights.values, ...weights.state], values));
  }

  async close(): Promise<void> {
    await this.#atWork;
    this.#groups.close();
    this.#network.close();
    this.#gpu.close();
  }

  async #trainGroup(steps: readonly Step[]): Promise<StepResult[]> {
    const batches = steps.map(({ slot, input }) => this.#batchOf(slot, input.rows));
    const outcomes = await this.#run(steps, batches, true);
    this.#rows = batches.at(-1)?.rows ?? this.#rows;
    const results: StepResult[] = [];
    for (const [i, { loss, correct, weight, norm, goesOn }] of outcomes.entries()) {
      const { step } = steps[i]!.input;
      const what = !Number.isFinite(loss) ? "loss" : goesOn && Number.isFinite(norm) ? undefined : "gradient";
      if (!what) {
        results.push({ step, loss, correct, weight, gradientNorm: norm });
        continue;
      }
      // What it saved now would be worth nothing.
      if (goesOn) throw passedOver(what, step);
      const fault = await this.#locate(what, steps[i]!, batches[i]!);
      results.push({ step, loss, correct, weight, gradientNorm: what === "loss" ? Number.NaN : norm, fault });
      break;
    }
    return results;
  }

  #run(steps: readonly Step[], batches: readonly HostBatch[], goesOn: boolean) {
    const compute: Parameters<Groups["run"]>[2] = async (rows, i) => {
      const { step, scalars } = steps[i]!.input;
      const batch = { rows: batches[i]!.rows, step, training: true };
      return { result: await this.#network.train(rows, batch, scalars) };
    };
    return this.#groups.run(batches, this.#network.status, compute, goesOn);
  }

  /** Computes the step again, without its update, and looks where the numbers go wrong. */
  async #locate(what: Fault["what"], step: Step, batch: HostBatch): Promise<Fault> {
    await this.#run([step], [batch], false);
    this.#rows = batch.rows;
    return faultOf(await this.#look(), what);
  }

  /** What there is of the last batch. */
  async #look(): Promise<Seen> {
    const { network } = this.#options;
    const { weights } = this.#network;
    const arrays = network.layers.map(({ index, outShape }) => {
      const output = this.#network.outputOf(index);
      return output && { ...output, length: this.#rows * sizeOf(outShape) };
    });
    const there = arrays.filter((array) => array !== undefined && array.length > 0);
    const [values, gradient, ...outputs] = await this.#groups.download([
      weights.values,
      weights.gradient,
      ...(there as NonNullable<(typeof there)[number]>[]),
    ]);
    return {
      network,
      values: split(weights, network, values!),
      gradients: split(weights, network, gradient!),
      outputs: arrays.map((array) => (array && array.length > 0 ? outputs.shift()! : new Float32Array(0))),
    };
  }

  #batchOf(slot: number, rows: number): HostBatch {
    const { batch } = this.#options;
    if (!(Number.isInteger(rows) && rows >= 1 && rows <= batch)) {
      throw new UsageError(`a batch of ${batch} rows cannot have ${rows}`);
    }
    return { target: this.#targets[slot]!, rows };
  }

  /** One piece of work at a time. */
  #turn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#atWork.then(work);
    this.#atWork = done.catch(() => {});
    return done;
  }
}

/** There are devices that calculate as if nothing was ever infinite or no number. */
function passedOver(what: Fault["what"], step: number): GpuError {
  return new GpuError(
    `The ${what} of step ${step + 1} is not finite, and the GPU did not notice it: its weights are lost`,
    { remedy: "Go on from the last checkpoint on the CPU, with --resume and --device cpu." },
  );
}
