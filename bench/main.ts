/** @file `npm run bench`: builds, measures table by table, and writes each into `docs/performance.md`. */
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { Bench, findPython } from "./bench.ts";
import { describeMachine, load, StealMeter } from "./machine.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import type { Outcome, Row, Table } from "./outcome.ts";
import { TABLES } from "./rows/index.ts";
import { insertReport, MOST_LOAD, renderReport } from "./table.ts";
import { checkSpace, openWorkspace } from "./workspace.ts";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENT = join(ROOT, "docs/performance.md");
const C_TOOLS = [
  ["launch", "-O2"],
  ["keeper", "-O2"],
  ["copy", "-O2", "-pthread"],
  ["kernel", "-O3", "-march=native"],
] as const;

async function main(options: Options): Promise<void> {
  // Before the build, which is a load of its own.
  const before = load();
  const directory = openWorkspace(options.directory);
  // The inputs that stay, one output, and some more.
  checkSpace(directory, 9 * options.size);
  compileTools(directory);
  if (options.build === undefined)
    execFileSync("npm", ["run", "build", "--silent"], { cwd: ROOT, stdio: "inherit" });
  const build = resolve(options.build ?? join(ROOT, "dist"));
  const python = await findPython(options.python, directory);
  if (before > MOST_LOAD)
    say(`The load is ${before.toFixed(2)}: something else is running, so the figures are worth little.`);

  const bench = new Bench({ options, directory, build, python, report: say });
  const circumstances = {
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
    pairs: options.pairs,
    quick: options.quick,
    load: before,
    directory: fileSystem(directory),
  };
  for (const table of TABLES) {
    const rows = chosen(table, options.only);
    if (rows.length === 0) continue;
    const steal = new StealMeter();
    const outcomes: Outcome[] = [];
    for (const { name, run } of rows) {
      bench.begin(name);
      outcomes.push(...(await run(bench)));
    }
    const report = renderReport(outcomes, { ...circumstances, stolen: steal.share() });
    console.log(`${report}\n`);
    if (options.quick || rows.length < table.rows.length) continue;
    insertReport(DOCUMENT, table.name, report);
    say(`written to ${DOCUMENT}`);
  }
  bench.close();
}

/** All rows of the table, where nothing or the table itself is named. */
function chosen({ name, rows }: Table, only: readonly string[]): readonly Row[] {
  return only.length === 0 || only.includes(name) ? rows : rows.filter((row) => only.includes(row.name));
}

function compileTools(directory: string): void {
  for (const [name, ...flags] of C_TOOLS) {
    const source = join(import.meta.dirname, `peers/${name}.c`);
    execFileSync("gcc", [...flags, "-o", join(directory, name), source], { stdio: "inherit" });
  }
}

function fileSystem(directory: string): string {
  return execFileSync("df", ["--output=fstype", directory], { encoding: "utf8" }).trim().split("\n").at(-1)!;
}

function say(text: string): void {
  console.error(text);
}

const options = parseOptions(
  process.argv.slice(2),
  TABLES.flatMap(({ name, rows }) => [name, ...rows.map((row) => row.name)]),
);
if (options) await main(options);
else console.log(USAGE.replace("TABLES", TABLES.map(describeTable).join("\n")));

function describeTable({ name, rows }: Table): string {
  return `${" ".repeat(16)}${name} (${rows.map((row) => row.name).join(", ")})`;
}
