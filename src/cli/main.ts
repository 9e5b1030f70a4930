#!/usr/bin/env node
/**
 * @file The command `sluice`. Reads the command line, loads the one command it names, and turns errors into exit codes.
 *
 * Start-up counts: a filter over a small file must not take longer to start than to read. So nothing is imported here
 * that an `apply` without mistakes does not need.
 */
import { glance, parseArguments, type Run, type Suggest } from "./arguments.ts";
import type { CommandName } from "./commands.ts";
import { EXIT } from "./exit.ts";

const RUN: Readonly<Record<CommandName, () => Promise<{ readonly run: Run }>>> = {
  apply: () => import("./apply.ts"),
  grad: () => import("./grad.ts"),
  train: () => import("./train.ts"),
  predict: () => import("./predict.ts"),
  inspect: () => import("./inspect.ts"),
  ops: () => import("./ops.ts"),
  plot: () => import("./plot.ts"),
  doctor: () => import("./doctor.ts"),
  help: () => import("./help.ts"),
};

async function main(argv: readonly string[]): Promise<number> {
  const request = await parseArguments(argv, suggest);
  switch (request.kind) {
    case "run": {
      const { command, operands, options } = request.arguments;
      const { run } = await RUN[command.name]();
      return run(operands, options);
    }
    case "help":
      return (await import("./help.ts")).showHelp(request.command, "stdout");
    case "version":
      return (await import("./version.ts")).showVersion();
    case "nothing": {
      await (await import("./help.ts")).showHelp(undefined, "stderr");
      return EXIT.usage;
    }
  }
}

const suggest: Suggest = async (name, known) => (await import("../ops/suggest.ts")).nearest(name, known);

async function fail(error: unknown): Promise<number> {
  return (await import("./report-error.ts")).reportError(error, glance(process.argv.slice(2)));
}

process.once("uncaughtException", async (error) => process.exit(await fail(error)));
// At once, for all is written: a GPU whose compiler is still at work, though the CPU has done it all, would keep the process.
process.exit(await main(process.argv.slice(2)).catch(fail));
