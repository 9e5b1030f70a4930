/** @file `npm run accuracy`: judges every op over every float32, and writes what it finds into `docs/accuracy.md`. */
import { recall, remember } from "./cache.ts";
import { type Finding, writeDocument } from "./document.ts";
import { type Job, jobsOf } from "./jobs.ts";
import { compileJudge, runJobs } from "./judge.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { subjectOf } from "./product.ts";
import { ROWS, type Row, SIDES, type Side } from "./rows.ts";
import { complaints, merge, type Result, type Verdict } from "./verdict.ts";

const DTYPES = ["float16", "float32", "float64"] as const;

/** One op or derivative, and what is known of it. */
interface Task {
  readonly row: Row;
  readonly side: Side;
  readonly fingerprint: string;
  readonly known: Result | undefined;
}

/** Whether every promise holds and nothing is left to judge. */
async function main(options: Options): Promise<boolean> {
  const tasks = ROWS.flatMap((row) => SIDES.map((side) => taskOf(row, side)));
  const chosen = tasks.filter(
    ({ row, side, known }) =>
      (options.only.length === 0 || options.only.includes(row.ops)) &&
      options.sides.includes(side) &&
      (options.again || known === undefined),
  );
  const found = new Map(tasks.map((task) => [task, task.known]));
  const quick = options.thinning > 1;
  if (!options.report && chosen.length > 0) {
    compileJudge();
    await judge(chosen, options, (task, result) => {
      if (!quick) remember(result);
      found.set(task, result);
      say(describe(task.row, result));
    });
  }
  const findings = [...found].map(([{ row, side }, result]): Finding => ({ row, side, result }));
  if (!quick) writeDocument(findings);
  const shown = quick ? findings.filter((_, index) => chosen.includes(tasks[index]!)) : findings;
  const bad = shown.flatMap(({ row, side, result }) => {
    const said = result ? complaints(row, result) : ["not judged"];
    return said.map((complaint) => `${row.ops} ${side}: ${complaint}`);
  });
  for (const complaint of bad) say(complaint);
  return bad.length === 0;
}

function taskOf(row: Row, side: Side): Task {
  const fingerprint = DTYPES.map((dtype) => subjectOf(row.ops, side, dtype).fingerprint).join(" ");
  return { row, side, fingerprint, known: recall(row.ops, side, fingerprint) };
}

/** Every process takes its share of every task, so that all tasks end soon after they began. */
async function judge(
  tasks: readonly Task[],
  { processes, thinning }: Options,
  onResult: (task: Task, result: Result) => void,
): Promise<void> {
  const open = new Map<
    string,
    { readonly task: Task; left: number; readonly parts: Map<string, Verdict[]> }
  >();
  const shares: Job[][] = Array.from({ length: processes }, () => []);
  for (const task of tasks) {
    const cut = jobsOf(task.row, task.side, processes, thinning);
    cut.forEach((jobs, process) => {
      shares[process]!.push(...jobs);
    });
    const parts = new Map(DTYPES.map((dtype) => [dtype as string, [] as Verdict[]]));
    open.set(nameOf(task.row.ops, task.side), { task, left: cut.flat().length, parts });
  }
  const onVerdict = (job: Job, verdict: Verdict): void => {
    const one = open.get(nameOf(job.ops, job.side))!;
    one.parts.get(job.dtype)!.push(verdict);
    one.left -= 1;
    if (one.left > 0) return;
    const { task, parts } = one;
    const verdicts = Object.fromEntries([...parts].map(([dtype, each]) => [dtype, merge(each)]));
    onResult(task, {
      ops: task.row.ops,
      side: task.side,
      fingerprint: task.fingerprint,
      verdicts: verdicts as Result["verdicts"],
    });
  };
  await Promise.all(shares.map((jobs) => runJobs(jobs, onVerdict)));
}

const nameOf = (ops: string, side: Side): string => `${side} ${ops}`;

function describe(row: Row, result: Result): string {
  const { float16, float32, float64 } = result.verdicts;
  const marks = complaints(row, result).length > 0 ? "  <-- limit broken" : "";
  return `${row.ops} ${result.side}: float32 ${float32.error} ulp at ${float32.input}, float16 ${float16.misrounded} misrounded, float64 ${float64.error} ulp${marks}`;
}

function say(text: string): void {
  console.error(text);
}

const options = parseOptions(process.argv.slice(2));
if (options) process.exitCode = (await main(options)) ? 0 : 1;
else console.log(USAGE);
