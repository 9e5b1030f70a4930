/** @file The command line of `npm run bench:gpu`. */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";

export interface Options {
  /** A small file and one round: shows that everything runs, and measures nothing. */
  readonly quick: boolean;
  /** Bytes of elements in the file. */
  readonly size: number;
  /** Rounds that count, after one that warms up. */
  readonly rounds: number;
  /** Lengths of the chains of the table. */
  readonly lengths: readonly number[];
  /** The longest chain that `auto` is asked about. */
  readonly longest: number;
  readonly directory: string;
  /** The build to measure; `undefined` to make one of this tree. */
  readonly build: string | undefined;
  /** A Python that has torch, with CUDA. */
  readonly python: string | undefined;
}

export const USAGE = `npm run bench:gpu -- [options]

  --quick       a small file, one round: a smoke test
  --size MIB    MiB of elements (default 1024)
  --rounds N    rounds that count, after one that warms up (default 5)
  --python EXE  a Python that has torch with CUDA, to be measured beside
  --dir DIR     where the files go (default: the system's directory for temporary files)
  --build DIR   measure this build (default: build this tree, measure dist)
`;

/** Throws an error with a message for people where the options are wrong; `undefined` where help is asked for. */
export function parseOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      size: { type: "string" },
      rounds: { type: "string" },
      python: { type: "string" },
      dir: { type: "string", default: tmpdir() },
      build: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    quick,
    size: 2 ** 20 * wholeNumber("--size", values.size ?? (quick ? "16" : "1024")),
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "1" : "5")),
    lengths: [1, 8, 32],
    longest: quick ? 2 : 512,
    directory: values.dir,
    build: values.build,
    python: values.python,
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${option} must be a whole number from 1, not ${text}`);
}
