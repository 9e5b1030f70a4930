/** @file `sluice grad <ops> <input> <output>`, and `sluice grad <ops> <x.npy> <dy.npy> <dx.npy>`. */
import { UsageError } from "../errors.ts";
import { grad } from "../pipeline/grad.ts";
import type { Run } from "./arguments.ts";
import { runPass } from "./run-pass.ts";

export const run: Run = ([ops = "", ...paths], options) => {
  const [inputs, output] = [paths.slice(0, -1), paths.at(-1)!];
  if (inputs.filter((input) => input === "-").length > 1) {
    throw new UsageError("x and dy cannot both come from stdin", {
      remedy: "Give the path of one of them; a named pipe is one, too, as in <(command).",
    });
  }
  const own = {
    inputColumn: options.text("input-column"),
    upstream: options.text("upstream"),
    fromOutput: options.has("from-output"),
  };
  return runPass(
    {
      ...{ name: "grad", ops, inputs, output },
      run: ([first, second], sink, settings) =>
        grad(second === undefined ? first! : { x: first!, dy: second }, sink, { ...settings, ...own, ops }),
    },
    options,
  );
};
