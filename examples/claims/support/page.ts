/** @file The page `docs/claims.md`, made of the results of the programs and of nothing else. */
import { existsSync, readFileSync } from "node:fs";
import type { Result, TextTable } from "./finding.ts";

/** In the order of the page. */
export const CLAIMS = [
  "dead-at-birth",
  "vanishing",
  "convergence",
  "learned-slopes",
  "noise",
  "cost",
  "dense-and-convolutional",
];

const ROOT = new URL("../../../", import.meta.url);
export const PAGE = new URL("docs/claims.md", ROOT);
const resultOf = (name: string): URL => new URL(`examples/claims/results/${name}.json`, ROOT);

/** Of the claims that were measured. */
export function readResults(): Result[] {
  return CLAIMS.map(resultOf)
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, "utf8")) as Result);
}

export function renderPage(results: readonly Result[]): string {
  return `${[HEAD, renderSummary(results), HOW, ...results.map(renderResult)].join("\n\n")}\n`;
}

const HEAD = `<!-- Written by npm run claims. Change the programs in examples/claims, not this page. -->

# What is said of Leaky ReLU, measured

People choose an activation by what they read. Some of it is true, some only under a condition, some is not. Each claim
below is measured by a small program in [examples/claims](../examples/claims), on the public API of Sluice. ReLU, sigmoid
and tanh get what helps them: their own initialisation, and their own learning rate.`;

const HOW = `\`npm run claims\` measures all of it again, and \`npm run claims -- vanishing\` one of them. Seeds are fixed: but for the
times under [the cost of a slope](#the-cost-of-a-slope), numbers are the same on every run. (On a processor without fused
multiply-add, the last bits of a training may differ, and with them a seed's accuracy.) Numbers in parentheses are intervals
of 95 % or more, unless something else is said. A sign test with ten seeds calls a difference real if at least nine of ten
pairs agree.`;

function renderSummary(results: readonly Result[]): string {
  const rows = results.map(
    ({ title, said, verdict, because }) =>
      `| [${title}](#${anchorOf(title)}) | ${said} | **${verdict}** | ${because} |`,
  );
  return ["| | said | verdict | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function renderResult(result: Result): string {
  const { name, title, said, verdict, because, figure, picture, details, method, sources } = result;
  return [
    `## ${title}`,
    `> ${said}`,
    `**Verdict: ${verdict}.** ${because}`,
    figure,
    `![${picture}](images/claims/${name}.svg)`,
    ...details.map((detail) => (typeof detail === "string" ? detail : renderTable(detail))),
    `**How.** ${method} Program: [${name}.ts](../examples/claims/${name}.ts), numbers: [${name}.json](../examples/claims/results/${name}.json).`,
    `**Sources.**\n\n${sources.map((source) => `- ${source}`).join("\n")}`,
  ].join("\n\n");
}

function renderTable({ caption, head, rows }: TextTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [`*${caption}.*`, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** As GitHub names a heading. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
