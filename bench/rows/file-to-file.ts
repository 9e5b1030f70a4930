/**
 * @file A large file to a file, against `cp`: in 64 batches, and in one. The bound is a C program whose threads read and
 * write the same chunks and compute nothing.
 */
import { type Bench, THREADS } from "../bench.ts";
import { bytes, times } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { type Contestant, runRounds } from "../rounds.ts";
import { type Elements, verify } from "../verify.ts";

const MOST = 0.8;
/** As in `src/workers/chunks.ts`. */
const CHUNK_BYTES = 512 * 1024;

export const batchesToFile: Row = { name: "batches", run: (bench) => againstCopy(bench, 64) };
export const oneBatchToFile: Row = { name: "one-batch", run: (bench) => againstCopy(bench, 1) };

/** Sluice on the file that the row is about, as a contestant. */
export function sluice(bench: Bench, input: { path: string; elements: readonly Elements[] }): Contestant {
  const output = bench.path("sluice.arrow");
  return {
    name: "sluice",
    argv: bench.apply(input.path, output),
    output,
    check: () => verify(output, input.elements),
  };
}

async function againstCopy(bench: Bench, batches: number): Promise<Outcome[]> {
  const input = await bench.input(bench.options.size, batches);
  const [copied, floor] = [bench.path("copy.arrow"), bench.path("floor.arrow")];
  const contestants = [
    sluice(bench, input),
    { name: "cp", argv: ["cp", input.path, copied], output: copied },
    {
      name: `C, ${THREADS} threads, read and write only`,
      argv: [bench.path("copy"), input.path, floor, String(THREADS), String(CHUNK_BYTES)],
      output: floor,
    },
  ] as const;
  const [ours, cp, least] = await runRounds(bench, contestants, { large: true });
  const ratio = ours.timesAsLongAs(cp);
  return [
    {
      work: `\`apply leaky_relu\`, ${bytes(input.bytes)} in ${batches === 1 ? "one batch" : `${batches} batches`}, file to file, ${THREADS} workers`,
      target: `at most ${MOST} x the time of \`cp\``,
      measured: times(ratio),
      met: ratio.median <= MOST,
      bound: `${times(least.timesAsLongAs(cp))}: the same reads and writes in C, nothing computed`,
      runs: [ours, cp, least],
      bytes: input.bytes,
    },
  ];
}
