/** @file A million batches of one row: what is measured is what a batch costs, not what a byte costs. */
import { bytes, seconds, times } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { verify } from "../verify.ts";

const BATCHES = 1_000_000;
const QUICK_BATCHES = 20_000;
const WIDTH = 16;
const MOST_SECONDS = 60;
const ROUNDS = 3;

export const tinyBatches: Row = {
  name: "tiny-batches",
  async run(bench) {
    const batches = bench.options.quick ? QUICK_BATCHES : BATCHES;
    const outcomes: Outcome[] = [];
    for (const format of ["arrow", "arrows"] as const) {
      const input = await bench.file({ format, batches, rows: 1, width: WIDTH });
      const [output, copied] = [bench.path(`sluice.${format}`), bench.path(`copy.${format}`)];
      const contestants = [
        {
          name: "sluice",
          argv: bench.apply(input.path, output),
          output,
          check: () => verify(output, input.elements),
        },
        { name: "cp", argv: ["cp", input.path, copied], output: copied },
      ] as const;
      const [ours, cp] = await runRounds(bench, contestants, { count: ROUNDS, large: true });
      const { median } = ours.seconds;
      outcomes.push({
        work: `${batches} batches of one row, Arrow ${format === "arrow" ? "file" : "stream"} format, ${bytes(WIDTH * 4)} each`,
        target: `not minutes: at most ${MOST_SECONDS} s`,
        measured: `${seconds(median)}, ${((median / batches) * 1e6).toFixed(2)} us a batch`,
        met: median <= MOST_SECONDS,
        bound: `${seconds(cp.seconds.median)}: \`cp\`, which is ${times(cp.timesAsLongAs(ours))} our time`,
        runs: [ours, cp],
      });
    }
    return outcomes;
  },
};
