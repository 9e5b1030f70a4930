/**
 * @file What a window costs the host beside what the GPU does: time of the main thread in our code, from Node's profiles. Dawn asks
 * again and again whether something is done, so the time that the thread is busy says nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Seconds. */
export interface HostTime {
  /** Gathering, scattering, reading, writing, and all that leads to it. */
  readonly ours: number;
  /** gpu.js and Dawn, but for the asking. */
  readonly others: number;
}

/** What `--cpu-prof` writes: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** Where a thread waits, collects garbage, or asks. */
const NOBODY = new Set(["(idle)", "(program)", "(garbage collector)", "(root)", "processImmediate"]);

/** Of the one process that has left its profile in the directory. */
export function hostTime(directory: string, build: string): HostTime {
  const [name] = readdirSync(directory);
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(directory, name!), "utf8")) as Profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  let [ours, others] = [0, 0];
  for (const [i, id] of samples.entries()) {
    const { functionName, url } = frames.get(id)!;
    if (NOBODY.has(functionName)) continue;
    const seconds = timeDeltas[i]! / 1e6;
    // Node's own code reads and writes for us.
    if (url.includes(build) || url.startsWith("node:")) ours += seconds;
    else others += seconds;
  }
  return { ours, others };
}
