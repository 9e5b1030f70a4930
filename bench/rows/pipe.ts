/** @file A stream through pipes, against `cat`, which is also the bound: the same bytes cross the same pipe. */
import { bytes, times } from "../format.ts";
import type { Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { verify } from "../verify.ts";

const MOST = 2;

export const pipe: Row = {
  name: "pipe",
  async run(bench) {
    const input = await bench.input(bench.options.size / 4, 16, "arrows");
    const [output, copied] = [bench.path("sluice.arrows"), bench.path("cat.arrows")];
    const contestants = [
      {
        name: "cat in | sluice apply … > out",
        argv: shell(
          `cat ${quote(input.path)} | ${bench.apply("-", "-").map(quote).join(" ")} > ${quote(output)}`,
        ),
        output,
        check: () => verify(output, input.elements),
      },
      {
        name: "cat in | cat > out",
        argv: shell(`cat ${quote(input.path)} | cat > ${quote(copied)}`),
        output: copied,
      },
    ] as const;
    const [ours, cat] = await runRounds(bench, contestants, { large: true });
    const ratio = ours.timesAsLongAs(cat);
    return [
      {
        work: `\`cat in.arrows | sluice apply leaky_relu - - > out.arrows\`, ${bytes(input.bytes)}`,
        target: `at most ${MOST} x \`cat in.arrows | cat > out.arrows\``,
        measured: times(ratio),
        met: ratio.median <= MOST,
        bound: "1 x: the same bytes through the same pipe",
        runs: [ours, cat],
        bytes: input.bytes,
      },
    ];
  },
};

function shell(line: string): string[] {
  return ["bash", "-o", "pipefail", "-c", line];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
