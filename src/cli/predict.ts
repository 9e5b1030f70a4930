/** @file `sluice predict <model> <input> <output>`. */
import { basename } from "node:path";
import { type PredictResult, predict } from "../train/predict/predict.ts";
import type { Run } from "./arguments.ts";
import { runPass } from "./run-pass.ts";
import { plural } from "./units.ts";

export const run: Run = ([model = "", input = "", output = ""], options) => {
  const own = {
    features: options.all("features"),
    into: options.text("into"),
    argmax: options.has("argmax"),
  };
  return runPass(
    {
      ...{ name: "predict", ops: basename(model), inputs: [input], output },
      async run([source], sink, settings) {
        const result = await predict(model, source!, sink, { ...settings, ...own });
        return { model, ...result, notes: notesOn(result) };
      },
    },
    options,
  );
};

/** Rows whose prediction is none. */
function notesOn({ nullRows, nanRows }: PredictResult): string[] {
  const notes: string[] = [];
  if (nullRows > 0) notes.push(`${plural(nullRows, "row")} with nulls among the features: no prediction`);
  if (nanRows > 0) notes.push(`${plural(nanRows, "row")} with NaN among the predictions`);
  return notes;
}
