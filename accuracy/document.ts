/** @file The tables of `docs/accuracy.md`, and the worst inputs for the tests that take samples. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../bench/machine.ts";
import { FLOAT64_NUMBERS } from "./jobs.ts";
import { FLOAT64_EXCEPTIONS, FLOAT64_LIMITS, type Group, limitOf, type Row, type Side } from "./rows.ts";
import { complaints, errorOf, parseHex, type Result, type Verdict } from "./verdict.ts";

const DOCUMENT = join(import.meta.dirname, "../docs/accuracy.md");
const WORST = join(import.meta.dirname, "worst.json");
const BEGIN = "<!-- begin: written by npm run accuracy -->";
const END = "<!-- end: written by npm run accuracy -->";

/** A row, one side of it, and its result if it was judged. */
export interface Finding {
  readonly row: Row;
  readonly side: Side;
  readonly result: Result | undefined;
}

const TITLES: Readonly<Record<Group, string>> = {
  elementary: "Elementary functions",
  composite: "Smooth activations",
  exact: "Piecewise linear",
};

export function writeDocument(findings: readonly Finding[]): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} lacks the marks ${BEGIN} and ${END}`);
  writeFileSync(
    DOCUMENT,
    `${text.slice(0, begin + BEGIN.length)}\n\n${render(findings)}\n\n${text.slice(end)}`,
  );
  writeFileSync(WORST, `${JSON.stringify(worstInputs(findings), null, 2)}\n`);
}

function render(findings: readonly Finding[]): string {
  const { processor, cores, system, node } = describeMachine();
  const judged = findings.filter(({ result }) => result).length;
  const date = new Date().toISOString().slice(0, 10);
  const parts = [
    `${date}, \`npm run accuracy\`. ${processor}, ${cores} cores, ${system}, Node ${node}. ` +
      `${judged} of ${findings.length} judged; float64: ${FLOAT64_NUMBERS.toLocaleString("en")} numbers each.`,
  ];
  for (const group of Object.keys(TITLES) as Group[]) {
    const own = findings.filter(({ row }) => row.group === group);
    const { row } = own[0]!;
    parts.push(
      `### ${TITLES[group]}`,
      `Limits: float32 ${limitOf(row, "forward")} ulp, derivative ${limitOf(row, "gradient")} ulp; float64 ${FLOAT64_LIMITS.forward} and ${FLOAT64_LIMITS.gradient} ulp; float16 ${group === "exact" ? "rounded to float32 first" : "correctly rounded"}.`,
      table(own),
      ...exceptions(own),
    );
  }
  parts.push("### Zeros and infinities", remarks(findings));
  return parts.join("\n\n");
}

/** Which ops of a group may be further off in float64. */
function exceptions(findings: readonly Finding[]): string[] {
  const names = [...new Set(findings.map(({ row }) => row.ops))].filter((name) => name in FLOAT64_EXCEPTIONS);
  if (names.length === 0) return [];
  const lines = names.map((name) => {
    const { limit, why } = FLOAT64_EXCEPTIONS[name]!;
    return `- \`${name}\`, at most ${limit} ulp: ${why}.`;
  });
  return ["Further off in float64, where there is no wider type to compute in:", lines.join("\n")];
}

function table(findings: readonly Finding[]): string {
  const names = [...new Set(findings.map(({ row }) => row.ops))];
  const head = "| op | float32 | at | derivative | at | float16 misrounded | float64 |";
  const lines = names.map((name) => {
    const [forward, gradient] = (["forward", "gradient"] as const).map(
      (side) => findings.find((one) => one.row.ops === name && one.side === side)!,
    );
    const cells = [
      `\`${name}\``,
      ...single(forward!),
      ...single(gradient!),
      `${of(forward!, "float16", ({ misrounded }) => String(misrounded))}, ${of(gradient!, "float16", ({ misrounded }) => String(misrounded))}`,
      `${of(forward!, "float64", ({ error }) => short(error))}, ${of(gradient!, "float64", ({ error }) => short(error))}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [head, "| --- | ---: | --- | ---: | --- | --- | --- |", ...lines].join("\n");
}

function single(finding: Finding): [string, string] {
  const { row, side, result } = finding;
  if (!result) return ["not judged", ""];
  const { error, input } = result.verdicts.float32;
  const text = errorOf(error) > limitOf(row, side) ? `**${short(error)}**` : short(error);
  return [text, errorOf(error) === 0 ? "" : `\`${input}\` (${Number(parseHex(input).toPrecision(7))})`];
}

function of(finding: Finding, dtype: "float16" | "float64", show: (verdict: Verdict) => string): string {
  return finding.result ? show(finding.result.verdicts[dtype]) : "-";
}

const short = (error: string): string => (error === "inf" ? "inf" : Number(error).toFixed(3));

function remarks(findings: readonly Finding[]): string {
  const lines: string[] = [];
  for (const { row, side, result } of findings) {
    if (!result) continue;
    const name = side === "forward" ? `\`${row.ops}\`` : `derivative of \`${row.ops}\``;
    const { zeroSigns, zeroSignAt } = result.verdicts.float32;
    // The judge stops comparing zeros after so many (`MOST_ZEROS` of `reference/judge.cpp`), hence "at least".
    const zeros = zeroSigns === 1 ? "1 zero has" : `${zeroSigns.toLocaleString("en")} zeros have`;
    if (zeroSigns > 0)
      lines.push(`- ${name}: at least ${zeros} the other sign, for example at \`${zeroSignAt}\`.`);
    for (const complaint of complaints(row, result)) lines.push(`- **${name}: ${complaint}.**`);
  }
  return lines.length === 0 ? "None differs." : lines.join("\n");
}

/** By op and side, the inputs with the largest error, in C's hexadecimal form: what a sample must not miss. */
function worstInputs(findings: readonly Finding[]): Record<string, Record<string, string>> {
  const worst: Record<string, Record<string, string>> = {};
  for (const { row, side, result } of findings) {
    if (!result) continue;
    worst[row.ops] = { ...worst[row.ops], [side]: result.verdicts.float32.input };
  }
  return worst;
}
