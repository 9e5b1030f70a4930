/** @file Against what a Node user would write: apache-arrow's reader, a loop in JavaScript, apache-arrow's writer. */
import { join } from "node:path";
import { bytes, times } from "../format.ts";
import type { Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { elementsOf, verify } from "../verify.ts";
import { sluice } from "./file-to-file.ts";

const LEAST = 10;
/** The other side takes its time. */
const MOST_ROUNDS = 5;

export const apacheArrow: Row = {
  name: "apache-arrow",
  async run(bench) {
    const input = await bench.input(bench.options.size, 64);
    const output = bench.path("apache-arrow.arrow");
    const script = join(import.meta.dirname, "../peers/apache-arrow.mjs");
    const contestants = [
      sluice(bench, input),
      {
        name: "apache-arrow, JavaScript loop",
        argv: [process.execPath, script, input.path, output],
        output,
        check: () => verify(output, elementsOf(output)),
      },
    ] as const;
    const count = Math.min(bench.options.pairs, MOST_ROUNDS);
    const [ours, theirs] = await runRounds(bench, contestants, { count, large: true });
    const ratio = theirs.timesAsLongAs(ours);
    return [
      {
        work: `against apache-arrow and a JavaScript loop, ${bytes(input.bytes)} in 64 batches`,
        target: `at least ${LEAST} x as fast, a fraction of the memory`,
        measured: `${times(ratio)}, ${(ours.peakBytes / theirs.peakBytes).toFixed(2)} x the memory`,
        met: ratio.median >= LEAST && ours.peakBytes < theirs.peakBytes,
        bound: "as file to file",
        runs: [ours, theirs],
        bytes: input.bytes,
      },
    ];
  },
};
