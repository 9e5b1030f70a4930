/** @file Act two: a file that nobody here wrote, with plain float and integer columns. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sluice } from "./command.ts";
import { count, say } from "./say.ts";
import { verifyFile } from "./verify.ts";

const SOURCE = new URL("../../node_modules/vega-datasets/data/flights-200k.arrow", import.meta.url);
/** Hours from noon, those before it a tenth. */
const OPS = "sub(12) | leaky_relu(0.1)";

const { fround } = Math;
function reference(x: number): number {
  const moved = fround(x - 12);
  return moved > 0 ? moved : fround(fround(0.1) * moved);
}

export async function showFlights(directory: string): Promise<void> {
  say.heading("2. 200,000 flights, a file that somebody else wrote (npm: vega-datasets)");
  const input = join(directory, "flights.arrow");
  const output = join(directory, "hours.arrow");
  copyFileSync(SOURCE, input);
  say.line("Its floats are a plain column, so it is named with -c: the hour of departure.");
  await sluice(["apply", OPS, "-c", "time", "flights.arrow", "hours.arrow"], directory);
  const { elements, carried } = verifyFile(readFileSync(input), readFileSync(output), "time", reference);
  say.verified(`all ${count(elements)} hours; the other ${count(carried)} bytes are untouched`);
}
