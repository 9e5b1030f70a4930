/** @file The command line of a run. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ROWS, SIDES, type Side } from "./rows.ts";

export interface Options {
  /** Rows to run; empty for all. */
  readonly only: readonly string[];
  readonly sides: readonly Side[];
  /** Judge again what was judged before. */
  readonly again: boolean;
  /** Write the document from what was judged before. */
  readonly report: boolean;
  /** Judge one block of float32 in this many, and keep nothing; 1 for all. */
  readonly thinning: number;
  readonly processes: number;
}

export const USAGE = `npm run accuracy -- [options]

  --only OPS     one row, e.g. gelu or 'elu(0.5)' (repeatable; default: all)
  --forward      the ops only
  --gradient     the derivatives only
  --again        judge again what was judged before and has not changed since
  --report       judge nothing, write docs/accuracy.md from what was judged before
  --quick        one float32 in 61, in blocks; judges what was judged before, too, and writes nothing
  --processes N  how many share the work (default: one for each core)
`;

/** Odd, so that the blocks lie at other places of each binade. */
const QUICK = 61;

/** Throws an error with a message for people where the options are wrong; `undefined` where help is asked for. */
export function parseOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true, default: [] },
      forward: { type: "boolean", default: false },
      gradient: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      processes: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const names = ROWS.map(({ ops }) => ops);
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no row ${unknown}; there are ${names.join(", ")}`);
  const processes = Number(values.processes);
  if (!Number.isInteger(processes) || processes < 1)
    throw new Error("--processes must be a whole number from 1");
  const all = values.forward === values.gradient;
  const { only, again, report, quick } = values;
  return {
    only,
    again: again || quick,
    report,
    processes,
    thinning: quick ? QUICK : 1,
    sides: SIDES.filter((side) => all || values[side]),
  };
}
