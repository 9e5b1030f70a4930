/** @file `sluice apply <ops> <input> <output>`. */
import { isatty } from "node:tty";
import { UsageError } from "../errors.ts";
import type { TransformResult } from "../pipeline/options.ts";
import { parseSize } from "../pipeline/size.ts";
import { standardInput, standardOutput } from "../pipeline/standard.ts";
import { transform } from "../pipeline/transform.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interrupt.ts";
import { refuseTerminals } from "./terminals.ts";

export const run: Run = async ([ops = "", input = "", output = ""], options) => {
  const [json, quiet] = [options.has("json"), options.has("quiet")];
  const device = options.choice("device", ["auto", "cpu", "gpu"]);
  if (device === "gpu") {
    throw new UsageError("--device gpu: this version computes on the CPU only", {
      remedy: "Leave --device out, or choose auto or cpu.",
    });
  }
  const memory = options.text("memory");
  const settings = {
    ops,
    device,
    columns: options.all("column"),
    format: options.choice("format", ["arrow", "arrows", "npy"]),
    workers: options.positive("workers"),
    memory: memory === undefined ? undefined : parseSize(memory, "--memory"),
    overwrite: options.has("overwrite"),
  };
  refuseTerminals({ input, output });

  const terminal = !quiet && isatty(2);
  // A dumb terminal cannot draw in place, and the bar and the JSON cannot share stderr.
  const able = terminal && process.env.TERM !== "dumb" && !(json && output === "-");
  const bar = able && !options.has("no-progress");
  const line = bar ? await openProgress(ops) : undefined;
  let result: TransformResult;
  try {
    result = await interruptible((signal) =>
      transform(input === "-" ? standardInput() : input, output === "-" ? standardOutput() : output, {
        ...settings,
        signal,
        onProgress: line && ((progress) => line.update(progress)),
      }),
    );
  } finally {
    line?.close();
  }
  if (json || terminal || (result.skipped.length > 0 && !quiet)) {
    const { showResult } = await import("./result.ts");
    await showResult(result, { input, output, json, terminal });
  }
  return EXIT.done;
};

async function openProgress(ops: string) {
  const [{ ProgressLine }, { styleFor }, { printable }] = await Promise.all([
    import("./progress.ts"),
    import("./style.ts"),
    import("./text.ts"),
  ]);
  return new ProgressLine(process.stderr, printable(ops.trim().replace(/\s+/g, " ")), styleFor(true));
}
