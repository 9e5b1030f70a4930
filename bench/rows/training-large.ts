/** @file One epoch over a file that is larger than all the memory that the training may use. */
import { THREADS } from "../bench.ts";
import { bytes } from "../format.ts";
import type { Outcome, Row } from "../outcome.ts";
import { runRounds } from "../rounds.ts";
import { writeLargeFile, writeRowsFile } from "../training-files.ts";

const MOST_BYTES = 1024 ** 3;
const WIDTH = 784;
const CLASSES = 10;
/** Rows of the small file, which is in the page cache, trained as often as it takes to see as many rows. */
const SMALL_ROWS = 20_000;
/** How many times as large as the file of the other rows: 20 GiB. */
const TIMES = 5;

export const trainingLarge: Row = {
  name: "training-large",
  async run(bench): Promise<Outcome[]> {
    const { size, quick } = bench.options;
    const large = bench.path("large.arrows");
    const small = bench.path("small.arrow");
    bench.progress(`write ${large}`);
    const rows = writeLargeFile(large, TIMES * size, WIDTH, CLASSES);
    writeRowsFile(small, { rows: SMALL_ROWS, width: WIDTH, classes: CLASSES });
    const train = (file: string, epochs: number): string[] =>
      bench.sluice(
        ...["train", file, "--features", "image", "--label", "label", "--batch", "128"],
        ...["--layers", "dense(256) | leaky_relu | dense(10)", "--epochs", String(epochs)],
        ...["--workers", String(THREADS), "--quiet", "--overwrite", "-o", bench.path("model.safetensors")],
      );
    const contestants = [
      { name: "sluice, the large file", argv: train(large, 1) },
      { name: "sluice, a small file as often", argv: train(small, Math.ceil(rows / SMALL_ROWS)) },
    ] as const;
    const [ours, cached] = await runRounds(bench, contestants, { count: 1, large: !quick, warmUp: false });
    const ratio = ours.timesAsLongAs(cached).median;
    return [
      {
        work: `train one epoch of ${bytes(TIMES * size)}, 784-256-10`,
        target: `at most ${bytes(MOST_BYTES)} resident, and reading hidden behind computing`,
        measured: `${bytes(ours.peakBytes)}; ${ratio.toFixed(2)} x the time of as many rows from a file in the page cache`,
        met: ours.peakBytes <= MOST_BYTES && ratio <= 1.1,
        bound: "1 x",
        runs: [ours, cached],
        bytes: TIMES * size,
      },
    ];
  },
};
