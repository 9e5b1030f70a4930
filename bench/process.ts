/**
 * @file Runs a whole process and accounts for it: wall time, CPU time and peak memory, taken by wait4(2) in the launcher
 * of `peers/launch.c`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** What one run of one command took. */
export interface Account {
  readonly seconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** The largest resident set of any process of the command. Pages of mapped files count. */
  readonly peakBytes: number;
  /** What it printed on stdout. */
  readonly output: string;
}

let running: ChildProcess | undefined;

/**
 * Runs `argv` and waits for its end. Throws, with what it said on stderr, where it fails.
 *
 * @param tools where the compiled launcher lies
 */
export async function account(argv: readonly string[], tools: string): Promise<Account> {
  // A process group of its own, so that the whole of a shell's pipeline can be ended with it.
  const child = spawn(join(tools, "launch"), argv, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true,
  });
  running = child;
  const [output, errors, line] = await Promise.all([
    textOf(child.stdout as Readable),
    textOf(child.stderr as Readable),
    textOf(child.stdio[3] as Readable),
  ]);
  running = undefined;
  const [seconds = 0, userSeconds = 0, systemSeconds = 0, peakKib = 0, code = -1] = line
    .split(" ")
    .map(Number);
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}:\n${errors.slice(-2000)}`);
  return { seconds, userSeconds, systemSeconds, peakBytes: peakKib * 1024, output };
}

/** Ends what is running, at once. */
export function endRunning(): void {
  if (running?.pid === undefined) return;
  try {
    process.kill(-running.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}
