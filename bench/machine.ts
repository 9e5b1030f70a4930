/** @file The machine that a run was made on, and how much of it others used meanwhile. */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, type as system, totalmem } from "node:os";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const model = cpus()[0]?.model ?? "unknown";
  return {
    processor: isVirtual() ? `${model} (virtual machine)` : model,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${system()} ${release().replace(/^(\d+\.\d+\.\d+).*/, "$1")}`,
    node: process.version,
  };
}

/** Processes that wanted to run in the last minute, on average. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** Watches how much of the cores' time goes to the host's other guests: time that this machine was ready but stood still. */
export class StealMeter {
  readonly #start = cpuTimes();

  /** Share since the start; `undefined` where the system does not tell. */
  share(): number | undefined {
    const now = cpuTimes();
    if (!now || !this.#start) return undefined;
    return (now.stolen - this.#start.stolen) / Math.max(1, now.total - this.#start.total);
  }
}

/** Whether this is somebody's guest. */
export function isVirtual(): boolean {
  return existsSync("/proc/cpuinfo") && /^flags.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

export interface CpuTimes {
  readonly total: number;
  readonly idle: number;
  readonly stolen: number;
}

/** Of all cores since the start, in ticks: the first line of /proc/stat, user nice system idle iowait irq softirq steal … */
export function cpuTimes(): CpuTimes | undefined {
  if (!existsSync("/proc/stat")) return undefined;
  const numbers = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!.split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = numbers;
  return { total: numbers.reduce((sum, value) => sum + value, 0), idle: idle + waiting, stolen };
}
