/** @file The values of the options that were given, as the commands ask for them. */
import { UsageError } from "../errors.ts";

/** The values of the options that were given. */
export class Options {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Whether the switch was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Every value of a repeatable option; `undefined` where it was not given. */
  all(name: string): readonly string[] | undefined {
    return this.#values.get(name);
  }

  /** The value; the last one counts where several were given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** One of `choices`. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw new UsageError(`--${name} cannot be ${JSON.stringify(value)}`, {
      remedy: `Choose ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}.`,
    });
  }

  /** A whole number of at least 1. */
  positive(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : 0;
    if (number >= 1 && Number.isSafeInteger(number)) return number;
    throw new UsageError(`--${name} cannot be ${JSON.stringify(value)}`, {
      remedy: "Give a whole number of at least 1.",
    });
  }

  /** Any number. */
  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (Number.isFinite(number)) return number;
    throw new UsageError(`--${name} cannot be ${JSON.stringify(value)}`, {
      remedy: "Give a number, such as 0.1.",
    });
  }
}
