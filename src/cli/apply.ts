/** @file `sluice apply <ops> <input> <output>`. */
import { transform } from "../pipeline/transform.ts";
import type { Run } from "./arguments.ts";
import { runPass } from "./run-pass.ts";

export const run: Run = ([ops = "", input = "", output = ""], options) => {
  const columns = options.all("column");
  return runPass(
    {
      ...{ name: "apply", ops, inputs: [input], output },
      run: ([source], sink, settings) => transform(source!, sink, { ...settings, ops, columns }),
    },
    options,
  );
};
