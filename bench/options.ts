/** @file The command line of a run. */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";

export interface Options {
  /** Small files and few rounds: shows that everything runs, and measures nothing. */
  readonly quick: boolean;
  /** Names of the tables and rows to measure; empty for all. */
  readonly only: readonly string[];
  /** Bytes of the large file. */
  readonly size: number;
  /** Rounds that count, after one that warms up. */
  readonly pairs: number;
  /** Where the files of the run go. */
  readonly directory: string;
  /** The build to measure; `undefined` to make one of this tree. */
  readonly build: string | undefined;
  /** A Python with the packages of `requirements.txt`. */
  readonly python: string | undefined;
}

export const USAGE = `npm run bench -- [options]

  --quick       small files, few rounds: a smoke test of a few minutes
  --only NAME   one table or row (repeatable); a table that is not whole is printed, and not written:
TABLES
  --size BYTES  of the large file, e.g. 1GiB (default 4GiB)
  --pairs N     rounds that count, after one that warms up (default 7, at least 5)
  --dir DIR     where the files go (default: the system's directory for temporary files)
  --build DIR   measure this build (default: build this tree, measure dist)
  --python EXE  a Python with the packages of bench/requirements.txt (default: bench/.venv, else python3)
`;

const QUICK = { size: "64MiB", pairs: 1 };
const FULL = { size: "4GiB", pairs: 7 };
const LEAST_PAIRS = 5;

/** Throws an error with a message for people where the options are wrong; `undefined` where help is asked for. */
export function parseOptions(argv: readonly string[], names: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      size: { type: "string" },
      pairs: { type: "string" },
      dir: { type: "string", default: tmpdir() },
      build: { type: "string" },
      python: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  for (const name of values.only) {
    if (!names.includes(name))
      throw new Error(`There is no table or row ${name}; there are ${names.join(", ")}`);
  }
  const defaults = quick ? QUICK : FULL;
  const pairs = values.pairs === undefined ? defaults.pairs : Number(values.pairs);
  const least = quick ? 1 : LEAST_PAIRS;
  if (!Number.isInteger(pairs) || pairs < least)
    throw new Error(`--pairs must be a whole number from ${least}`);
  return {
    quick,
    only: values.only,
    size: bytesOf(values.size ?? defaults.size),
    pairs,
    directory: values.dir,
    build: values.build,
    python: values.python,
  };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
/** So that it is whole in batches, rows and elements, however they are cut. */
const SIZE_STEP = 16 * 1024 * 1024;

function bytesOf(text: string): number {
  const match = /^(\d+)(KiB|MiB|GiB|)$/.exec(text);
  const bytes = match ? Number(match[1]) * UNITS[match[2]!]! : 0;
  if (bytes === 0 || bytes % SIZE_STEP !== 0)
    throw new Error(`--size must be a multiple of 16MiB, e.g. 1GiB, not ${text}`);
  return bytes;
}
