/** @file One training: the loop over groups of steps, and what happens between them. */
import { AbortError, TrainingError } from "../errors.ts";
import { newSums, type TrainingState } from "./checkpoint.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Engine, Fault, LayerStatistics, StepResult } from "./engine/engine.ts";
import { type Evaluation, evaluate, scoreOf } from "./evaluate.ts";
import { Feeder, type FilledStep } from "./feeder.ts";
import { spreadOf } from "./history.ts";
import { nameOf } from "./layers.ts";
import { Meter } from "./meter.ts";
import type { Network } from "./network.ts";
import type { Settings, TrainOptions } from "./options.ts";
import type { RunLog } from "./run-log.ts";
import type { StepGroup, StepPlan } from "./step-plan.ts";
import type { TrainProgress } from "./training-run.ts";

/** What a training is made of; `train.ts` puts it together. */
export interface SessionParts {
  readonly options: TrainOptions;
  readonly settings: Settings;
  readonly dataset: Dataset;
  readonly network: Network;
  readonly engine: Engine;
  readonly plan: StepPlan;
  readonly state: TrainingState;
  readonly log: RunLog | undefined;
  /** Steps from one inspection of the layers to the next; 0: none. */
  readonly inspectEvery: number;
  /** The learning rate of a step. */
  readonly rateAt: (step: number) => number;
  /** What the optimiser takes for a step. */
  readonly scalarsAt: (step: number) => readonly number[];
  readonly tell: (progress: TrainProgress) => void;
  /** Keeps the weights as they are; and `best`, the better ones. */
  readonly save: (
    tensors: Map<string, Float32Array>,
    best: Map<string, Float32Array> | undefined,
  ) => Promise<void>;
}

/** Seconds of a group: enough that starting it costs nothing, and short enough to stop soon. */
const GROUP_SECONDS = 0.1;
/** Seconds from one checkpoint to the next, at the end of an epoch, where nothing else is said. */
const SAVE_SECONDS = 10;

export class Session {
  readonly #parts: SessionParts;
  readonly #feeder: Feeder;
  readonly #meter = new Meter();
  readonly #started = performance.now();
  /** The best weights so far, where there is patience. */
  #best: Map<string, Float32Array> | undefined;
  /** Most steps of the next group. */
  #most = 1;
  #saved = { step: -1, at: performance.now() };
  /** What the layers looked like, the last time. */
  layers: readonly LayerStatistics[] = [];
  #evaluation: { readonly step: number; readonly found: Evaluation } | undefined;

  /** @param best the best weights so far, of a training that goes on */
  constructor(parts: SessionParts, best: Map<string, Float32Array> | undefined) {
    this.#parts = parts;
    this.#feeder = new Feeder(parts);
    this.#best = best;
  }

  /** The best weights, where they are not those that the engine has. */
  get best(): Map<string, Float32Array> | undefined {
    const { best, step } = this.#parts.state;
    return best?.step === step ? undefined : this.#best;
  }

  /** What the rows held out gave with the weights that the engine has. */
  get evaluation(): Evaluation | undefined {
    return this.#evaluation?.step === this.#parts.state.step ? this.#evaluation.found : undefined;
  }

  /**
   * Trains to the end, and saves.
   * @throws AbortError, TrainingError: after it has saved, too
   */
  async run(): Promise<void> {
    const { signal } = this.#parts.options;
    try {
      await this.#train();
    } catch (error) {
      if (!signal?.aborted && !(error instanceof TrainingError)) throw error;
      await this.#save();
      this.#log({
        event: "end",
        step: this.#parts.state.step,
        reason: signal?.aborted ? "aborted" : "not finite",
      });
      throw signal?.aborted ? new AbortError(signal.reason) : error;
    } finally {
      await this.#feeder.close();
    }
    await this.#save();
    this.#log({
      event: "end",
      step: this.#parts.state.step,
      reason: this.isStopped ? "stopped early" : "done",
    });
  }

  /** Whether the loss on the rows held out has not fallen for as long as there is patience. */
  get isStopped(): boolean {
    const { settings, state } = this.#parts;
    const last = state.history.epochs.at(-1)?.epoch ?? 0;
    // A loss that was never a number has not fallen since the beginning.
    return settings.patience !== null && last - (state.best?.epoch ?? 0) >= settings.patience;
  }

  /** While one half of the slots is trained, the other one is filled. */
  async #train(): Promise<void> {
    const { engine, plan, state, options } = this.#parts;
    const { slots } = engine;
    let half = 0;
    // It was stopped while the rows held out were computed.
    if (state.sums.rows > 0 && plan.endsEpoch(state.step)) {
      await this.#endEpoch(state.step / plan.perEpoch - 1, 0);
    }
    let group = this.isStopped ? undefined : plan.group(state.step, this.#most);
    let filled = group && this.#feeder.fill(group, 0);
    try {
      while (group && filled) {
        options.signal?.throwIfAborted();
        const steps = await filled;
        options.signal?.throwIfAborted();
        const start = performance.now();
        const training = engine.train(steps);
        const next = plan.group(group.first + group.count, this.#most);
        const nextFilled = next && this.#feeder.fill(next, (1 - half) * slots);
        // Its error is thrown when its turn comes.
        nextFilled?.catch(() => {});
        filled = nextFilled;
        await this.#take(steps, await training, group);
        const perStep = (performance.now() - start) / 1000 / steps.length;
        this.#most = Math.max(1, Math.min(slots, Math.round(GROUP_SECONDS / perStep)));
        const ended = plan.endsEpoch(state.step);
        if (ended) await this.#endEpoch(group.epoch, half * slots);
        if (this.#isTimeToSave(ended)) await this.#save();
        if (ended && this.isStopped) break;
        [group, half] = [next, 1 - half];
      }
    } finally {
      await filled?.catch(() => {});
    }
  }

  /** @throws TrainingError */
  async #take(steps: readonly FilledStep[], results: readonly StepResult[], group: StepGroup): Promise<void> {
    const { engine, state, dataset, rateAt, inspectEvery, plan } = this.#parts;
    const ofGroup = newSums();
    const events: object[] = [];
    for (const [i, { step, loss, weight, correct, gradientNorm, fault }] of results.entries()) {
      if (fault) {
        this.#log(...events);
        throw this.#fault(step, fault);
      }
      const { rows } = steps[i]!.input;
      for (const sums of [ofGroup, state.sums]) {
        sums.loss += loss * weight;
        sums.weight += weight;
        sums.correct += correct;
        sums.rows += rows;
      }
      const own = scoreOf({ loss: loss * weight, weight, correct, rows }, dataset);
      const rate = rateAt(step);
      state.history.addStep({ ...own, gradientNorm, rate });
      state.step = step + 1;
      events.push({ event: "step", step: step + 1, epoch: group.epoch + 1, rate, ...own, gradientNorm });
    }
    const inspects = inspectEvery > 0 && state.step % inspectEvery === 0;
    if (inspects || (inspectEvery > 0 && plan.endsEpoch(state.step))) this.layers = await engine.inspect();
    if (inspects) {
      const record = { step: state.step, layers: recordOf(this.layers) };
      state.history.addLayers(record);
      events.push({ event: "layers", ...record });
    }
    this.#log(...events);
    this.#meter.add(ofGroup.rows);
    this.#tell("steps", group.epoch, scoreOf(ofGroup, dataset));
  }

  async #endEpoch(index: number, slot: number): Promise<void> {
    const { engine, state, dataset, settings, network, options } = this.#parts;
    const training = scoreOf(state.sums, dataset);
    if (dataset.rows.validation > 0) {
      const slots = { first: slot, count: engine.slots };
      const found = await evaluate(engine, {
        dataset,
        network,
        batch: settings.batch,
        slots,
        signal: options.signal,
      });
      this.#evaluation = { step: state.step, found };
      state.validation = found.score;
    }
    state.sums = newSums();
    const { step, validation } = state;
    const record = { epoch: index + 1, step, training, ...(validation ? { validation } : {}) };
    state.history.addEpoch(record);
    if (settings.patience !== null && validation && validation.loss < (state.best?.loss ?? Infinity)) {
      state.best = { loss: validation.loss, step, epoch: index + 1 };
      this.#best = await engine.tensors();
    }
    this.#log({
      event: "epoch",
      ...record,
      seconds: this.seconds,
      samplesPerSecond: Math.round(this.#meter.rate),
    });
    this.#tell("epoch", index, training);
  }

  #isTimeToSave(epochEnded: boolean): boolean {
    const { state, options, plan } = this.#parts;
    if (state.step === plan.total || !options.output) return false;
    if (options.checkpointEvery !== undefined) return state.step % options.checkpointEvery === 0;
    return epochEnded && performance.now() - this.#saved.at > SAVE_SECONDS * 1000;
  }

  async #save(): Promise<void> {
    const { engine, state, save, options } = this.#parts;
    if (this.#saved.step === state.step) return;
    await save(await engine.tensors(), this.best);
    this.#saved = { step: state.step, at: performance.now() };
    if (options.output) this.#log({ event: "checkpoint", step: state.step, path: options.output });
  }

  #tell(
    kind: TrainProgress["kind"],
    index: number,
    { loss, accuracy }: { loss: number; accuracy?: number },
  ): void {
    const { plan, settings, state, rateAt, tell, dataset } = this.#parts;
    const { step, validation } = state;
    const left = (plan.total - step) * (dataset.rows.train / plan.perEpoch);
    tell({
      ...{ kind, epoch: index + 1, epochs: settings.epochs, step, steps: plan.total },
      ...{ loss, accuracy, rate: rateAt(step - 1), validation },
      ...{ samplesPerSecond: this.#meter.rate, secondsLeft: this.#meter.secondsFor(left) },
    });
  }

  #fault(step: number, { what, layer }: Fault): TrainingError {
    const { network, options, rateAt } = this.#parts;
    const name = layer === undefined ? "" : ` in layer ${layer} (${nameOf(network.layers[layer]!.spec)})`;
    const problem =
      what === "loss"
        ? `The loss of step ${step + 1} is not finite${name && `; the first value that is not comes up${name}`}`
        : `A gradient of step ${step + 1} is not finite${name && `, first${name}`}`;
    const kept = options.output ? ` The weights from before that step are in ${options.output}.` : "";
    const advice =
      step === 0
        ? "Look for NaN and very large numbers in the features, and put standardize first."
        : `Lower the learning rate, which is ${Number(rateAt(step).toPrecision(3))} here, or clip the gradient to a norm of 1 or so.`;
    return new TrainingError(problem, { step, layer, remedy: advice + kept });
  }

  /** Since it began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #log(...events: readonly object[]): void {
    this.#parts.log?.write(events);
  }
}

function recordOf(layers: readonly LayerStatistics[]) {
  return layers.flatMap(({ layer: index, gradientNorm, dead, slopes }) => {
    if (gradientNorm === undefined && dead === undefined && !slopes) return [];
    return {
      index,
      ...(gradientNorm === undefined ? {} : { gradientNorm }),
      ...(dead === undefined ? {} : { dead }),
      ...(slopes ? { learned: spreadOf(slopes) } : {}),
    };
  });
}
