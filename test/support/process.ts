/**
 * @file The command as a whole process under hostile conditions: any stdin and stdout, a shell around it, another user,
 * signals; with its peak memory measured, and a watchdog that turns a hang into a result.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { build } from "./build.ts";
import type { Scene } from "./scene.ts";

/** Milliseconds; far above what any of these runs takes, however busy the machine. */
const HANG = 25_000;
/** Resident bytes that no failing run may reach: Node itself takes some 50 MB. */
const MOST_MEMORY = 200 * 2 ** 20;

const MAIN = join(build(), "dist", "cli", "main.js");
/** Leaves the peak of this very process; `maxRSS` would count that of the process it was forked from. */
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `import { readFileSync, writeFileSync } from "node:fs";
   import { isMainThread } from "node:worker_threads";
   const save = () => { try { writeFileSync(process.env.PEAK_FILE, readFileSync("/proc/self/status")); } catch {} };
   if (isMainThread) process.on("exit", save);`,
)}`;

export interface ProcessOptions {
  readonly cwd?: string;
  /** `"open"` leaves the pipe to `started`; bytes are written and end it; a number is a descriptor. Default: nothing. */
  readonly stdin?: "open" | Uint8Array | number;
  /** Default: collected. `"open"` leaves the pipe unread. */
  readonly stdout?: "open" | number;
  /** A shell script around the command, which is `"$@"` in it. */
  readonly shell?: string;
  readonly uid?: number;
  /** Another script than the command. */
  readonly main?: string;
  readonly started?: (child: ChildProcess) => void;
}

export interface ProcessResult {
  /** `null` where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Peak resident bytes; undefined where the process was killed, or could not say. */
  readonly peak: number | undefined;
  /** Whether the watchdog had to end it. */
  readonly hung: boolean;
}

/** A user without rights, where the tests themselves run as root, who may do everything. */
const NOBODY = 65_534;

/** Options that run the command as somebody who is not root. Its files may lie where only root may look. */
export function withoutRights({ root }: Scene): ProcessOptions {
  if (process.getuid?.() !== 0) return {};
  const copy = mkdtempSync(join(tmpdir(), "sluice-build-"));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(build(), copy, { recursive: true });
  for (const directory of [copy, root]) chmodSync(directory, 0o777);
  return { uid: NOBODY, main: join(copy, "dist", "cli", "main.js"), cwd: copy };
}

let runs = 0;

export function sluice(args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const { cwd, stdin, stdout = "pipe", shell, uid, main = MAIN, started } = options;
  const peakFile = join(tmpdir(), `sluice-peak-${process.pid}-${runs++}`);
  const command = [process.execPath, "--import", MEASURE, main, ...args];
  const [file, ...rest] = shell === undefined ? command : ["bash", "-c", shell, "bash", ...command];
  const environment = { ...process.env, NO_COLOR: "1", PEAK_FILE: peakFile };
  for (const name of ["FORCE_COLOR", "SLUICE_DEBUG", "NODE_OPTIONS", "NODE_V8_COVERAGE"]) {
    delete (environment as NodeJS.ProcessEnv)[name];
  }
  const child = spawn(file!, rest, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: environment,
    stdio: [
      stdin === undefined ? "ignore" : typeof stdin === "number" ? stdin : "pipe",
      stdout === "open" ? "pipe" : stdout,
      "pipe",
    ],
    // A group of its own, so that the watchdog ends what a shell has started too.
    detached: true,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  if (stdout === "pipe") child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that ends early leaves its stdin unread.
  child.stdin?.on("error", () => {});
  if (stdin instanceof Uint8Array) child.stdin!.end(stdin);

  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    process.kill(-child.pid!, "SIGKILL");
  }, HANG);
  started?.(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(watchdog);
      // A pipe that nobody reads would keep `close` away.
      if (stdout === "open") child.stdout?.resume();
      child.stdin?.destroy();
      child.once("close", () => {
        resolve({
          code,
          signal,
          stdout: Buffer.concat(out),
          stderr: Buffer.concat(err).toString(),
          peak: readPeak(peakFile),
          hung,
        });
      });
    });
  });
}

function readPeak(path: string): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(path, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/** The command failed as the contract says: the code, one error with a remedy, no stack trace, little memory. */
export function expectError(result: ProcessResult, code: number, says: RegExp): void {
  expect(result).toMatchObject({ hung: false, signal: null });
  expect(result.stderr).toMatch(says);
  expect(result.stderr.match(/^sluice: /gm)).toHaveLength(1);
  expect(result.stderr).toMatch(/^sluice: .*\n(.+\n)* {2}\S.*\n$/);
  expect(result.stderr).not.toMatch(/^\s+at |node:internal|\(node:\d+\)|undefined|NaN|\[object/m);
  expect(result.code).toBe(code);
  expectLittleMemory(result);
}

export function expectLittleMemory({ peak }: ProcessResult): void {
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MOST_MEMORY);
}
