/**
 * Damaged inputs, some thousands of them: never a crash, a hang or endless memory, only errors of this package; and what
 * succeeds has changed nothing but elements.
 *
 * FUZZ_RUNS sets how many (1,000 unless told), FUZZ_SEED another series. A failure prints the seed and the number of its
 * case, and leaves its input in the temporary directory; FUZZ_SEED=… FUZZ_CASE=… runs that one alone.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CorruptError } from "../../src/errors.ts";
import { fixture } from "../support/fixtures.ts";
import { judgeError, judgeOutput } from "./judge.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const CASE = process.env.FUZZ_CASE;
/** Milliseconds for one case, of which most take one. */
const HANG = 15_000;
/** MiB of JavaScript heap that all cases have to do with, one after the other. */
const HEAP = 128;
/** Resident bytes: the heap, the arena, and Node with a TypeScript loader. */
const MOST_MEMORY = 300 * 2 ** 20;

const LOOP = fileURLToPath(new URL("loop.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");

interface LoopResult {
  readonly lastCase: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Resident bytes. */
  readonly peak: number;
  readonly hung: boolean;
  readonly code: number | null;
  readonly stderr: string;
}

function loop(first: number, count: number, directory: string): Promise<LoopResult> {
  const options = [`--max-old-space-size=${HEAP}`, "--import", TSX];
  const child = spawn(process.execPath, [...options, LOOP, `${SEED}`, `${first}`, `${count}`], {
    env: { ...process.env, FUZZ_DIRECTORY: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let lastCase = -1;
  let report = { outcomes: {}, peak: 0 };
  let stderr = "";
  let hung = false;
  const bark = (): void => {
    hung = true;
    child.kill("SIGKILL");
  };
  let watchdog = setTimeout(bark, 2 * HANG);
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(bark, HANG);
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("{")) report = JSON.parse(line);
      else lastCase = Number(line);
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once("close", (code) => {
      clearTimeout(watchdog);
      resolve({ lastCase, ...report, hung, code, stderr });
    });
  });
}

it(`${RUNS} damaged inputs of series ${SEED}`, { timeout: 60_000 + 100 * RUNS }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-fuzz-"));
  const [first, count] = CASE === undefined ? [0, RUNS] : [Number(CASE), 1];
  const { lastCase, outcomes, peak, hung, code, stderr } = await loop(first, count, directory);
  const where = `FUZZ_SEED=${SEED} FUZZ_CASE=${lastCase}; inputs are in ${directory}\n${stderr}`;
  expect(hung, `It hung: ${where}`).toBe(false);
  expect(code, where).toBe(0);
  expect(stderr).toBe("");
  rmSync(directory, { recursive: true });
  expect(peak).toBeLessThan(MOST_MEMORY);
  if (CASE !== undefined) return;
  // A series that only ever fails, or never does, proves nothing.
  for (const outcome of ["computed", "converted", "ERR_CORRUPT", "ERR_TRUNCATED", "ERR_NOT_RECOGNISED"]) {
    expect(outcomes[outcome], outcome).toBeGreaterThan(0.01 * RUNS);
  }
});

describe("the judge", () => {
  const input = fixture("small.arrows");

  it("finds a byte that was changed outside of any buffer", () => {
    expect(() => judgeOutput(input, input.with(100, input[100]! ^ 0x80), "arrows")).toThrow(
      /no declared buffer/,
    );
  });

  it("finds an element that was computed wrongly", () => {
    const element = input.length - 9;
    expect(() => judgeOutput(input, input.with(element, input[element]! ^ 0x80), "arrows")).not.toThrow();
    expect(() => judgeOutput(input, input.with(element, input[element]! ^ 0x81), "arrows")).toThrow(
      /wrongly/,
    );
  });

  it("finds an output of another length", () => {
    expect(() => judgeOutput(input, input.subarray(1), "arrows")).toThrow(/bytes/);
  });

  it("finds errors that are none of ours, or say too little", () => {
    expect(() => judgeError(new TypeError("x is undefined"))).toThrow(/another kind/);
    expect(() => judgeError(new CorruptError("x"))).toThrow(/no position/);
    expect(() => judgeError(new CorruptError("undefined", { position: { path: "x" } }))).toThrow(/unfit/);
    expect(() => judgeError(new CorruptError("x", { position: { path: "x" } }))).not.toThrow();
  });
});

it("a case is made again from its seed", () => {
  const bytes = fixture("nested.arrow");
  for (const seed of [0, 1, -5, 2 ** 31]) {
    expect(mutate(bytes, new Random(seed))).toEqual(mutate(bytes, new Random(seed)));
  }
});
