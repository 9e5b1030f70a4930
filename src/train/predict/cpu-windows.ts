/** @file Windows of rows on the workers of this process; on this thread, until they are up and worth it. */
import { Share } from "../../workers/budget.ts";
import { sharedArena } from "../../workers/pool.ts";
import { checkEngine } from "../../workers/simd.ts";
import type { EnginePlan, Job } from "../engine/jobs.ts";
import { Runner } from "../engine/runner.ts";
import { Team } from "../engine/team.ts";
import { newCodes, Tools } from "../engine/tools.ts";
import { type Network, sizeOf, type Tensors } from "../network.ts";
import { AT_ONCE, fittingRows, type WindowEngine, type WindowEngineOptions } from "./window-engine.ts";

/** Milliseconds of computing after which workers are worth their start. */
const PATIENCE = 50;

export class CpuWindows implements WindowEngine {
  readonly rows: number;
  workers = 0;
  readonly #inputs: number;
  readonly #most: number;
  readonly #share = new Share(sharedArena());
  readonly #runner: Runner;
  readonly #plan: EnginePlan;
  #team: Team | undefined;
  #spent = 0;
  #next = 0;
  #atWork: Promise<unknown> = Promise.resolve();

  /** @throws MemoryError where the network and two windows do not fit */
  constructor(network: Network, tensors: Tensors, { workers, memory }: WindowEngineOptions) {
    checkEngine();
    const codes = newCodes();
    const tools = new Tools(sharedArena().memory, codes);
    const planFor = (batch: number, base: number): EnginePlan => ({
      ...{ base, network, codes, batch },
      ...{ slots: AT_ONCE, threads: workers, seed: 0 },
    });
    this.#inputs = sizeOf(network.inputShape);
    this.#most = workers;
    this.rows = fittingRows(this.#inputs, memory, (batch) => new Runner(tools, planFor(batch, 0)).bytes);
    const bytes = new Runner(tools, planFor(this.rows, 0)).bytes;
    this.#plan = planFor(this.rows, this.#share.allocate(bytes));
    this.#runner = new Runner(tools, this.#plan);
    this.#runner.load(tensors, () => undefined);
  }

  /** Their bits do not depend on who computes them. @throws WorkerError */
  run(rows: Float32Array): Promise<Float32Array> {
    const slot = this.#next++ % AT_ONCE;
    const count = rows.length / this.#inputs;
    this.#runner.target(slot).features.set(rows);
    const step = { slot, rows: count, step: 0, weight: count };
    const done = this.#atWork.then(async () => {
      await this.#perform({ kind: "evaluate", steps: [step], first: 0, count: 1 });
      return this.#runner.outputsOf(slot, count).slice();
    });
    this.#atWork = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#atWork;
    this.#team?.release();
    this.#share.free();
  }

  async #perform(job: Job): Promise<void> {
    if (this.#spent > PATIENCE) this.#team ??= new Team(this.#runner, this.#plan, this.#most, this.#share);
    if (this.#team?.isUp) {
      this.workers = this.#most;
      return this.#team.perform(job);
    }
    this.#runner.phases.reset();
    const start = performance.now();
    this.#runner.work(0, job);
    this.#spent += performance.now() - start;
  }
}
