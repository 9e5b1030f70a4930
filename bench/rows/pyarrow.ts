/** @file Against Python: PyArrow with NumPy, and PyArrow with PyTorch in place, two threads each, the same file. */
import { join } from "node:path";
import { THREADS } from "../bench.ts";
import { bytes, seconds, times } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { type Runs, runRounds } from "../rounds.ts";
import { spread } from "../statistics.ts";
import { elementsOf, verify } from "../verify.ts";
import { sluice } from "./file-to-file.ts";

export const pyarrow: Row = {
  name: "pyarrow",
  async run(bench) {
    const { python } = bench;
    if (python === undefined) return [unmeasured("NumPy"), unmeasured("PyTorch")];
    const input = await bench.input(bench.options.size, 64);
    const peer = (name: string, script: string) => {
      const output = bench.path(`${script}.arrow`);
      const path = join(import.meta.dirname, `../peers/${script}.py`);
      return {
        name,
        argv: [python, path, input.path, output, String(THREADS)],
        output,
        check: () => verify(output, elementsOf(output)),
      };
    };
    const contestants = [
      sluice(bench, input),
      peer("PyArrow + NumPy", "pyarrow_numpy"),
      peer("PyArrow + PyTorch in place", "pyarrow_torch"),
    ] as const;
    const [ours, numpy, torch] = await runRounds(bench, contestants, { large: true });
    return [faster(ours, numpy, input.bytes, true), faster(ours, torch, input.bytes, false)];
  },
};

/** Importing PyTorch takes longer than the work, so the time without imports is told, too. */
function faster(ours: Runs, theirs: Runs, size: number, first: boolean): Outcome {
  const ratio = theirs.timesAsLongAs(ours);
  const imported = spread(theirs.accounts.map(({ output }) => Number(output)));
  return {
    work: `against ${theirs.name}, ${bytes(size)} in 64 batches, ${THREADS} threads`,
    target: "faster",
    measured: `${times(ratio)}; ${(imported.median / ours.seconds.median).toFixed(2)} x without its imports (${seconds(imported.median)})`,
    met: ratio.median > 1,
    bound: "as file to file",
    runs: first ? [ours, theirs] : [theirs],
    bytes: size,
  };
}

function unmeasured(library: string): Outcome {
  return {
    work: `against PyArrow + ${library}`,
    target: "faster",
    measured: "no Python with the packages of bench/requirements.txt",
    met: undefined,
    bound: "as file to file",
    runs: [],
  };
}
