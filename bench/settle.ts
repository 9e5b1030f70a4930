/**
 * @file Makes the machine the same before every run: nothing left to write to the disk, no busy cores, and, in a virtual
 * machine, free memory that the host has not taken away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { cpuTimes, isVirtual } from "./machine.ts";
import { account } from "./process.ts";
import { Server } from "./server.ts";

const SPARE_BYTES = 600 * 1024 * 1024;
const LEAST_IDLE = 0.9;
const SAMPLE_MS = 100;
/** Somebody else's work does not end for us. */
const MOST_SAMPLES = 10;

export class Settler {
  readonly #bench: Bench;
  readonly #keeper: Server | undefined;

  constructor(bench: Bench) {
    this.#bench = bench;
    if (!isVirtual()) return;
    bench.progress("warm the free memory");
    this.#keeper = new Server([bench.path("keeper"), String(SPARE_BYTES)]);
  }

  async settle(): Promise<void> {
    const { directory } = this.#bench;
    await account(["sync", "-f", directory], directory);
    for (let sample = 0; sample < MOST_SAMPLES && (await idleShare()) < LEAST_IDLE; sample++);
    await this.#keeper?.ask("");
  }

  close(): void {
    this.#keeper?.close();
  }
}

async function idleShare(): Promise<number> {
  const before = cpuTimes();
  await sleep(SAMPLE_MS);
  const after = cpuTimes();
  if (!before || !after) return 1;
  return (after.idle - before.idle) / Math.max(1, after.total - before.total);
}
