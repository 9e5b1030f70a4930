/** @file A file of 1 KiB: what is measured is starting and ending. */
import { writeFileSync } from "node:fs";
import { seconds, times } from "../format.ts";
import type { Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { sluice } from "./file-to-file.ts";

const MOST = 3;
/** These runs are short, and starting a process varies much. */
const ROUNDS = 25;

export const start: Row = {
  name: "start",
  async run(bench) {
    // 96 floats, and the format around them.
    const input = await bench.file({ format: "arrow", batches: 1, rows: 12, width: 8 });
    const module = bench.path("empty.mjs");
    writeFileSync(module, "");
    const contestants = [
      sluice(bench, input),
      { name: "node -e 0", argv: [process.execPath, "-e", "0"] },
      { name: "node, an empty module", argv: [process.execPath, module] },
    ] as const;
    const count = bench.options.quick ? 3 : ROUNDS;
    const [ours, bare, empty] = await runRounds(bench, contestants, { count });
    const ratio = ours.timesAsLongAs(bare);
    return [
      {
        work: "a file of 1 KiB, whole process",
        target: `at most ${MOST} x \`node -e 0\``,
        measured: `${times(ratio)}, ${seconds(ours.seconds.median)}`,
        met: ratio.median <= MOST,
        bound: `${times(empty.timesAsLongAs(bare))}: Node with an empty module`,
        runs: [ours, bare, empty],
      },
    ];
  },
};
