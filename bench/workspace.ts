/** @file The directory of a run: everything it makes lies in there, and goes with it, however the run ends. */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import { endRunning } from "./process.ts";

/** Makes a directory below `parent` that is removed at the end of the process, signals included. */
export function openWorkspace(parent: string): string {
  const directory = mkdtempSync(join(resolve(parent), "sluice-bench-"));
  process.on("exit", () => {
    endRunning();
    rmSync(directory, { recursive: true, force: true });
  });
  for (const [signal, code] of [
    ["SIGINT", 130] as const,
    ["SIGTERM", 143] as const,
    ["SIGHUP", 129] as const,
  ]) {
    process.on(signal, () => process.exit(code));
  }
  return directory;
}

/** Throws where a run would fill the disk. */
export function checkSpace(directory: string, needed: number): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < needed) {
    throw new Error(
      `${directory} has ${bavail * bsize} bytes left; this run needs ${needed}: give --dir or --size`,
    );
  }
}
