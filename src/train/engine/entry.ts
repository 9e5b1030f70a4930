/** @file What a worker does for an engine: it makes the engine's runner, once, and takes part in its jobs. */
import { workerData } from "node:worker_threads";
import { Inbox, type Posted } from "../../workers/posted.ts";
import type { EnginePlan, Job } from "./jobs.ts";
import { Runner } from "./runner.ts";
import { Tools } from "./tools.ts";

/** A worker's part in a job. */
export interface Part {
  /** The engine's `EnginePlan`. */
  readonly plan: Posted;
  readonly thread: number;
  readonly job: Job;
}

/** Engines whose runners are kept; each is some KiB. */
const MOST_RUNNERS = 4;
const { memory } = workerData as { memory: WebAssembly.Memory };
const runners = new Inbox<EnginePlan, Runner>(
  memory,
  MOST_RUNNERS,
  (plan) => new Runner(new Tools(memory, plan.codes), plan),
);

export default function takePart({ plan, thread, job }: Part): void {
  runners.get(plan).work(thread, job);
}
