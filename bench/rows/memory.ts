/** @file Peak memory at the default `--memory`, whatever the size of the file: each size as one single batch. */
import { THREADS } from "../bench.ts";
import { bytes } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { sluice } from "./file-to-file.ts";

const MOST_BYTES = 300 * 1024 * 1024;
const ROUNDS = 3;
const MIB = 1024 * 1024;
/** As many threads as a run has, each with nothing to do. */
const IDLE = `
import { Worker } from "node:worker_threads";
for (let i = 0; i < ${THREADS}; i++) new Worker("setTimeout(() => {}, 50)", { eval: true });
`;

export const memory: Row = {
  name: "memory",
  async run(bench) {
    const { size } = bench.options;
    const outcomes: Outcome[] = [];
    for (const each of [64 * MIB, 1024 * MIB, size].filter((value, index) => index === 2 || value < size)) {
      const input = await bench.input(each, 1);
      const idle = {
        name: "node, idle workers",
        argv: [process.execPath, "--input-type=module", "-e", IDLE],
      };
      const [ours, floor] = await runRounds(bench, [sluice(bench, input), idle] as const, {
        count: ROUNDS,
        large: true,
      });
      outcomes.push({
        work: `peak memory, ${bytes(each)} in one batch, default \`--memory\``,
        target: `at most ${bytes(MOST_BYTES)} resident`,
        measured: bytes(roundMib(ours.peakBytes)),
        met: ours.peakBytes <= MOST_BYTES,
        bound: `${bytes(roundMib(floor.peakBytes))}: Node with ${THREADS} idle worker threads`,
        runs: [ours],
        bytes: each,
      });
    }
    return outcomes;
  },
};

function roundMib(value: number): number {
  return Math.round(value / MIB) * MIB;
}
