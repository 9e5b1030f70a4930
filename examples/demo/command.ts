/** @file Runs the command `sluice` as a user does: its own process, on the same terminal. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { say } from "./say.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** What `npx sluice` runs; the sources where nothing is built. */
const built = path("../../dist/cli/main.js");
const command = existsSync(built) ? [built] : ["--import", "tsx", path("../../src/cli/main.ts")];

let running: ChildProcess | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Ctrl-C reaches both processes; a signal sent to this one alone must be passed on.
    if (running === undefined) process.exit(130);
    running.once("exit", () => process.exit(130));
    running.kill(signal);
  });
}

/**
 * Shows the command line, runs it in `cwd`, and returns the seconds that the whole process took.
 * @throws Error where it does not exit with 0
 */
export async function sluice(args: readonly string[], cwd: string): Promise<number> {
  say.command(["sluice", ...args]);
  return run(args, cwd);
}

/** The same, without a word. */
export const sluiceAgain = (args: readonly string[], cwd: string): Promise<number> =>
  run([...args, "--quiet"], cwd);

async function run(args: readonly string[], cwd: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [...command, ...args], { cwd, stdio: "inherit" });
  running = child;
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status, signal) => resolve(status ?? signal ?? "?"));
  });
  running = undefined;
  if (code !== 0) throw new Error(`sluice ${args[0]} ended with ${code}`);
  return (performance.now() - start) / 1000;
}
