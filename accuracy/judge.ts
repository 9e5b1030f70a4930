/** @file The judge: a C++ program, compiled here, and pairs of processes in which one computes and one judges. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CACHE } from "./cache.ts";
import { type Job, jobText } from "./jobs.ts";
import { ROWS } from "./rows.ts";
import type { Verdict } from "./verdict.ts";

const PROGRAM = join(CACHE, "judge");
/** Nothing is contracted or reordered: the reference takes the steps that it says. */
const FLAGS = ["-std=gnu++17", "-O3", "-march=native", "-fno-math-errno", "-ffp-contract=off", "-w"];
const LIBRARIES = ["-lquadmath", "-lmvec", "-lm"];

/** Compiles it, lets it compare its two kinds of number, and checks that it knows every row. */
export function compileJudge(): void {
  mkdirSync(CACHE, { recursive: true });
  const source = join(import.meta.dirname, "reference/judge.cpp");
  execFileSync("g++", [...FLAGS, "-o", PROGRAM, source, ...LIBRARIES], { stdio: "inherit" });
  execFileSync(PROGRAM, ["--check"], { stdio: "inherit" });
  const known = execFileSync(PROGRAM, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const lacking = ROWS.find(({ ops }) => !known.includes(ops));
  if (lacking) throw new Error(`reference/catalog.h has no formula for ${lacking.ops}`);
}

/** Computes and judges jobs in order, in processes of their own. */
export async function runJobs(
  jobs: readonly Job[],
  onVerdict: (job: Job, verdict: Verdict) => void,
): Promise<void> {
  const compute = join(import.meta.dirname, "compute.ts");
  const pair = spawn("sh", ["-c", '"$0" --import tsx "$1" | "$2"', process.execPath, compute, PROGRAM], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  pair.stdin.end(jobs.map((job) => `${JSON.stringify(job)}\n`).join(""));
  const open = new Map(jobs.map((job) => [jobText(job), job]));
  for await (const line of createInterface({ input: pair.stdout })) {
    const verdict = JSON.parse(line) as Verdict;
    const job = open.get(verdict.job)!;
    open.delete(verdict.job);
    onVerdict(job, verdict);
  }
  const [left] = open.keys();
  if (left !== undefined) throw new Error(`no verdict on ${left}`);
}
