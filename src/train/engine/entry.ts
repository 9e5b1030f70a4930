/** @file What a worker does for an engine: it makes the engine's runner, once, and takes part in its jobs. */
import { deserialize } from "node:v8";
import { workerData } from "node:worker_threads";
import type { Job, Plan } from "./plan.ts";
import { Runner } from "./runner.ts";
import { Tools } from "./tools.ts";

/** A worker's part in a job. */
export interface Part {
  /** The engine's number in this process, and where its plan lies in the arena, as `node:v8` serializes it. */
  readonly plan: { readonly id: number; readonly address: number; readonly length: number };
  readonly lane: number;
  readonly job: Job;
}

/** Engines whose runners are kept; each is some KiB. */
const MOST_RUNNERS = 4;
const runners = new Map<number, Runner>();
const { memory } = workerData as { memory: WebAssembly.Memory };

export default function takePart({ plan, lane, job }: Part): void {
  runnerOf(plan).work(lane, job);
}

function runnerOf({ id, address, length }: Part["plan"]): Runner {
  let runner = runners.get(id);
  if (!runner) {
    const bytes = new Uint8Array(memory.buffer, address, length).slice();
    const made = deserialize(bytes) as Plan;
    runner = new Runner(new Tools(memory, made.codes), made);
    if (runners.size >= MOST_RUNNERS) runners.delete(runners.keys().next().value!);
    runners.set(id, runner);
  }
  return runner;
}
