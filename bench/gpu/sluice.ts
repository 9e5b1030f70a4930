/** @file The command, run as a process of its own, and what it says of itself. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type HostTime, hostTime } from "./host-time.ts";
import type { Device, Rates } from "./outcome.ts";

export interface Applied {
  readonly seconds: number;
  readonly device: Device;
  readonly deviceReason: string | null;
}

export interface GpuFound {
  readonly adapter: string;
  readonly rates: Rates;
}

export class Sluice {
  readonly #build: string;

  constructor(build: string) {
    this.#build = build;
  }

  /** `sluice apply`; its seconds are those of the transform, without the start of Node. */
  async apply(ops: string, input: string, output: string, device: Device | "auto"): Promise<Applied> {
    // With 0, auto times both devices before anything else.
    const env = device === "auto" ? { SLUICE_AUTO_AFTER: "0" } : {};
    const args = ["apply", ops, input, output, "--overwrite", "--device", device];
    return (await this.#run(args, env)) as Applied;
  }

  /** The same on the GPU, under Node's profiler. */
  async profile(ops: string, input: string, output: string): Promise<HostTime> {
    const directory = mkdtempSync(`${output}.profile-`);
    const args = ["apply", ops, input, output, "--overwrite", "--device", "gpu"];
    await this.#run(args, {}, ["--cpu-prof", "--cpu-prof-dir", directory]);
    return hostTime(directory, this.#build);
  }

  /** Throws with what to install where there is no GPU. */
  async findGpu(): Promise<GpuFound> {
    const { gpu } = (await this.#run(["doctor"])) as {
      gpu: ({ found: true } & GpuFound) | { found: false; why: string; remedy: string };
    };
    if (gpu.found) return gpu;
    throw new Error(`${gpu.why}\n${gpu.remedy}`);
  }

  #run(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    ofNode: readonly string[] = [],
  ): Promise<unknown> {
    const child = spawn(process.execPath, [...ofNode, join(this.#build, "cli/main.js"), ...args, "--json"], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve(JSON.parse(text));
        else reject(new Error(`sluice ${args.join(" ")} ended with ${code}: ${text}`));
      });
    });
  }
}
