/** @file One claim's program: measures, finds, draws; writes `results/NAME.json` and the picture. With `--quick` it only prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { close } from "../../../src/index.ts";
import { type Chart, renderChart } from "./chart.ts";
import type { Claim, Finding, Result } from "./finding.ts";

export interface Program<Numbers> extends Claim {
  /** @param quick a smoke run of some seconds: the numbers mean nothing */
  measure(quick: boolean): Promise<Numbers>;
  find(numbers: Numbers): Finding;
  draw(numbers: Numbers): Chart;
}

const RESULTS = new URL("../results/", import.meta.url);
const IMAGES = new URL("../../../docs/images/claims/", import.meta.url);

export async function present<Numbers>(program: Program<Numbers>): Promise<void> {
  const { measure, find, draw, ...claim } = program;
  const quick = process.argv.includes("--quick");
  const start = performance.now();
  const numbers = await measure(quick);
  const chart = draw(numbers);
  const result: Result = { ...claim, ...find(numbers), picture: chart.description, numbers };
  const svg = renderChart(chart);
  if (!quick) {
    for (const directory of [RESULTS, IMAGES]) mkdirSync(directory, { recursive: true });
    writeFileSync(new URL(`${claim.name}.json`, RESULTS), jsonOf(result));
    writeFileSync(new URL(`${claim.name}.svg`, IMAGES), svg);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const note = quick ? " (a smoke run: the numbers mean nothing)" : "";
  console.log(`${claim.title}: ${result.verdict}. ${result.figure}\n${seconds} s${note}`);
  await close();
}

/** Lists of numbers take one line. Where a string has a line break, JSON has none, so what is matched is a list. */
function jsonOf(result: Result): string {
  const text = JSON.stringify(result, null, 1);
  const short = text.replace(/\[\n\s*([^[\]{}"]*?)\n\s*\]/g, (_, numbers: string) => {
    return `[${numbers.replace(/\s*\n\s*/g, " ")}]`;
  });
  return `${short}\n`;
}
