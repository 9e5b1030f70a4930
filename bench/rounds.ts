/**
 * @file Interleaved runs: every round runs each contestant once, A B A B …, so that whatever the machine does meanwhile
 * meets all of them. The first round warms up and is not counted.
 */
import { rmSync } from "node:fs";
import type { Bench } from "./bench.ts";
import { type Account, account } from "./process.ts";
import { ratios, type Spread, spread } from "./statistics.ts";

export interface Contestant {
  readonly name: string;
  readonly argv: readonly string[];
  /** What it writes: removed before every run, outside the clock. */
  readonly output?: string;
  /** Called once, after the warm-up: throws where the output is wrong. */
  check?(): void | Promise<void>;
}

/** All runs of one contestant. */
export class Runs {
  readonly name: string;
  readonly accounts: Account[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get seconds(): Spread {
    return spread(this.accounts.map(({ seconds }) => seconds));
  }

  get cpuSeconds(): Spread {
    return spread(this.accounts.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds));
  }

  /** The largest of all runs: a bound on memory must hold every time. */
  get peakBytes(): number {
    return Math.max(...this.accounts.map(({ peakBytes }) => peakBytes));
  }

  /** How many times as long as the other one this took, round by round. */
  timesAsLongAs(other: Runs): Spread {
    return ratios(
      this.accounts.map(({ seconds }) => seconds),
      other.accounts.map(({ seconds }) => seconds),
    );
  }
}

export interface RoundsOptions {
  /** Rounds that count; default: the option --pairs. */
  readonly count?: number;
  /** Whether a run takes long enough for the disk and fresh memory to matter. */
  readonly large?: boolean;
  /** Left out where a run takes minutes, and its file does not stay in memory anyway. */
  readonly warmUp?: boolean;
}

/** Gives the runs in the order of the contestants. */
export async function runRounds<const C extends readonly Contestant[]>(
  bench: Bench,
  contestants: C,
  { count = bench.options.pairs, large = false, warmUp = true }: RoundsOptions = {},
): Promise<{ [I in keyof C]: Runs }> {
  const runs = contestants.map(({ name }) => new Runs(name));
  for (let round = warmUp ? 0 : 1; round <= count; round++) {
    for (const [index, { argv, output, check }] of contestants.entries()) {
      if (output !== undefined) rmSync(output, { force: true });
      if (large && !bench.options.quick) await bench.settle();
      const result = await account(argv, bench.directory);
      if (round === 0) await check?.();
      else runs[index]!.accounts.push(result);
      if (output !== undefined) rmSync(output, { force: true });
    }
    bench.progress(round === 0 ? "warm" : describe(round, count, runs));
  }
  return runs as { [I in keyof C]: Runs };
}

function describe(round: number, count: number, runs: readonly Runs[]): string {
  const times = runs.map(({ name, accounts }) => `${name} ${accounts.at(-1)!.seconds.toFixed(3)} s`);
  return `${round}/${count}  ${times.join("  ")}`;
}
