/**
 * @file What a function costs on a large file beside the bytes themselves, forward and backward, against `cp` of the same
 * file.
 */
import { type Bench, type InputFile, THREADS } from "../bench.ts";
import { bytes, times } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { verify } from "../verify.ts";

const BATCHES = 64;
const MOST_FORWARD = 1.5;
const MOST_BACKWARD = 1.2;

export const curves: Row = {
  name: "curves",
  async run(bench) {
    const { size } = bench.options;
    const outcomes: Outcome[] = [];
    for (const op of ["sigmoid", "gelu"]) {
      const input = await bench.input(size, BATCHES);
      const command = (output: string): string[] => bench.sluice("apply", op, input.path, output);
      outcomes.push(await againstCopy(bench, input, `apply ${op}`, MOST_FORWARD, command));
    }
    const pair = await bench.inputPair(size, BATCHES);
    const command = (output: string): string[] =>
      bench.sluice("grad", "leaky_relu", pair.path, output, "--input-column", "x", "--upstream", "dy");
    // Both columns hold the same numbers, so dx is leaky_relu of them.
    const check = (output: string): void => verify(output, pair.elements);
    outcomes.push(await againstCopy(bench, pair, "grad leaky_relu", MOST_BACKWARD, command, check));
    return outcomes;
  },
};

async function againstCopy(
  bench: Bench,
  input: InputFile,
  work: string,
  most: number,
  command: (output: string) => string[],
  check: (output: string) => void = () => {},
): Promise<Outcome> {
  const [output, copied] = [bench.path("curve.arrow"), bench.path("copy.arrow")];
  const argv = [...command(output), "--workers", String(THREADS), "--quiet"];
  const contestants = [
    { name: "sluice", argv, output, check: () => check(output) },
    { name: "cp", argv: ["cp", input.path, copied], output: copied },
  ] as const;
  const [ours, cp] = await runRounds(bench, contestants, { large: true });
  const ratio = ours.timesAsLongAs(cp);
  return {
    work: `\`${work}\`, ${bytes(input.bytes)} in ${BATCHES} batches, file to file, ${THREADS} workers`,
    target: `at most ${most} x the time of \`cp\``,
    measured: times(ratio),
    met: ratio.median <= most,
    bound: "that of `apply leaky_relu`: the reads and writes",
    runs: [ours, cp],
    bytes: input.bytes,
  };
}
