/** @file `sluice inspect <input>`. */
import { UsageError } from "../errors.ts";
import { inspect } from "../pipeline/inspect.ts";
import { standardInput } from "../pipeline/standard.ts";
import { isSafetensors } from "../train/files/is-safetensors.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { renderInspection } from "./inspection.ts";
import { interruptible } from "./interrupt.ts";
import type { Options } from "./options.ts";
import { print, toJson } from "./print.ts";
import { refuseTerminals } from "./refuse-terminals.ts";
import { styleFor, widthOf } from "./style.ts";

export const run: Run = async ([input = ""], options) => {
  const statistics = options.choice("statistics", ["sample", "all", "none"]);
  refuseTerminals({ input });
  if (input !== "-" && (await isSafetensors(input))) return showSafetensors(input, options);
  const inspection = await interruptible((signal) =>
    inspect(input === "-" ? standardInput() : input, { columns: options.all("column"), statistics, signal }),
  );
  const { stdout } = process;
  await print(
    options.has("json")
      ? toJson({ input, ...inspection })
      : renderInspection(inspection, input, widthOf(stdout), styleFor(stdout.isTTY === true)),
  );
  return EXIT.done;
};

/** A model, or tensors of anybody: the header tells all. */
async function showSafetensors(input: string, options: Options): Promise<number> {
  if (options.all("column")) {
    throw new UsageError("A safetensors file has no columns", { remedy: "Leave out --column." });
  }
  const [{ inspectSafetensors }, { renderSafetensors }] = await Promise.all([
    import("../train/files/inspect.ts"),
    import("./model-page.ts"),
  ]);
  const found = await inspectSafetensors(input);
  const { stdout } = process;
  await print(
    options.has("json")
      ? toJson({ input, ...found })
      : renderSafetensors(found, input, widthOf(stdout), styleFor(stdout.isTTY === true)),
  );
  return EXIT.done;
}
