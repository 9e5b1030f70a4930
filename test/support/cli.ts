/** @file Runs the command, compiled from the sources as they are, as a user would run it from a shell. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.ts";

export interface CliOptions {
  /** What comes in on stdin; without it stdin is empty, and with `"open"` it stays open. */
  readonly input?: Uint8Array | "open";
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Called when the process runs, e.g. to send it a signal. */
  readonly started?: (child: ChildProcessWithoutNullStreams) => void;
}

export interface CliResult {
  /** `null` where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const MAIN = join(build(), "dist", "cli", "main.js");
/** What would change the output from one machine to the next. */
const PLAIN = { NO_COLOR: "", FORCE_COLOR: undefined, SLUICE_DEBUG: undefined, NODE_OPTIONS: undefined };

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { input, env, cwd, started } = options;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...PLAIN, ...env },
    stdio: "pipe",
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command that ends early leaves its stdin unread.
  child.stdin.on("error", () => {});
  if (input !== "open") child.stdin.end(input);
  started?.(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}
