/** @file The workers that do the jobs of one engine together: a team of threads, as OpenMP says. */
import type { Share } from "../../workers/budget.ts";
import { acquirePool, type Pool } from "../../workers/pool.ts";
import { post } from "../../workers/posted.ts";
import type { Part } from "./entry.ts";
import type { EnginePlan, Job } from "./jobs.ts";
import type { Runner } from "./runner.ts";

/** From source the workers are TypeScript too. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url).href;

export class Team {
  readonly #runner: Runner;
  readonly #plan: Part["plan"];
  readonly #workers: number;
  readonly #pool: Pool;

  /**
   * Starts the workers. They are released by `release`.
   *
   * @param share gives the memory in which they find the plan
   */
  constructor(runner: Runner, plan: EnginePlan, workers: number, share: Share) {
    this.#plan = post(plan, share);
    this.#runner = runner;
    this.#workers = workers;
    this.#pool = acquirePool(workers);
  }

  /** Whether there are workers, or never will be. */
  get isUp(): boolean {
    return this.#pool.ready || this.#pool.broken !== undefined;
  }

  /** Settles when nobody is at work any more. @throws WorkerError where a worker died */
  async perform(job: Job): Promise<void> {
    const { phases } = this.#runner;
    phases.reset();
    const parts = Array.from({ length: this.#workers }, (_, thread): Promise<void> => {
      const part: Part = { plan: this.#plan, thread, job };
      return this.#pool.runIn<void>(ENTRY, part).catch((error: Error) => {
        // The others would wait for the items that this one had in hand.
        phases.abort();
        throw error;
      });
    });
    for (const outcome of await Promise.allSettled(parts)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  release(): void {
    this.#pool.release();
  }
}
