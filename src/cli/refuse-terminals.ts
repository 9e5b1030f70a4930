/** @file Binary data does not go to a terminal, nor come from one. */
import { isatty } from "node:tty";
import { UsageError } from "../errors.ts";

/** @throws UsageError where `-` stands for a terminal, with the way round it */
export function refuseTerminals(
  { input, output }: { readonly input: string; readonly output?: string },
  isTerminal: (descriptor: number) => boolean = isatty,
): void {
  if (output === "-" && isTerminal(1)) {
    throw new UsageError("stdout is a terminal, and the output is binary", {
      remedy: "Name an output file, or send stdout on: > out.arrows, or | another command.",
    });
  }
  if (input === "-" && isTerminal(0)) {
    throw new UsageError("stdin is a terminal, and the input is binary", {
      remedy: "Name an input file, or feed stdin: < in.arrows, or another command |.",
    });
  }
}
