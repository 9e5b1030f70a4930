/** @file What `apply`, `grad` and `predict` share: their options, the progress line, and what they say at the end. */
import { isatty } from "node:tty";
import type { FileTransformOptions } from "../pipeline/options.ts";
import type { Output } from "../pipeline/sink.ts";
import { parseSize } from "../pipeline/size.ts";
import type { Input } from "../pipeline/source.ts";
import { standardInput, standardOutput } from "../pipeline/standard.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interrupt.ts";
import type { Options } from "./options.ts";
import { refuseTerminals } from "./refuse-terminals.ts";
import type { PassResult } from "./result.ts";

export interface PassCommand<Result extends PassResult> {
  readonly name: "apply" | "grad" | "predict";
  /** What the progress line says that is done. */
  readonly ops: string;
  /** As on the command line. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** Does the work. */
  run(inputs: readonly Input[], output: Output, settings: PassSettings): Promise<Result>;
}

/** The options of a pass, but for what is to be computed of which columns. */
export type PassSettings = Omit<FileTransformOptions, "ops" | "columns">;

export async function runPass<Result extends PassResult>(
  { name, ops, inputs, output, run }: PassCommand<Result>,
  options: Options,
): Promise<number> {
  const [json, quiet] = [options.has("json"), options.has("quiet")];
  const settings = settingsOf(options);
  for (const input of inputs) refuseTerminals({ input, output });

  const terminal = !quiet && isatty(2);
  // A dumb terminal cannot draw in place, and the bar and the JSON cannot share stderr.
  const able = terminal && process.env.TERM !== "dumb" && !(json && output === "-");
  const line = able && !options.has("no-progress") ? await openProgress(ops) : undefined;
  let result: Result;
  try {
    result = await interruptible((signal) =>
      run(
        inputs.map((input) => (input === "-" ? standardInput() : input)),
        output === "-" ? standardOutput() : output,
        { ...settings, signal, onProgress: line && ((progress) => line.update(progress)) },
      ),
    );
  } finally {
    line?.close();
  }
  const { skipped = [], notes = [] } = result;
  if (json || terminal || (!quiet && ("gradients" in result || skipped.length + notes.length > 0))) {
    const { showResult } = await import("./result.ts");
    await showResult(result, { name, inputs, output, json, terminal });
  }
  return EXIT.done;
}

function settingsOf(options: Options): PassSettings {
  const memory = options.text("memory");
  return {
    device: options.choice("device", ["auto", "cpu", "gpu"]),
    format: options.choice("format", ["arrow", "arrows", "npy"]),
    workers: options.positive("workers"),
    memory: memory === undefined ? undefined : parseSize(memory, "--memory"),
    overwrite: options.has("overwrite"),
  };
}

async function openProgress(ops: string) {
  const [{ ProgressLine }, { styleFor }, { printable }] = await Promise.all([
    import("./progress.ts"),
    import("./style.ts"),
    import("./text.ts"),
  ]);
  return new ProgressLine(process.stderr, printable(ops.trim().replace(/\s+/g, " ")), styleFor(true));
}
