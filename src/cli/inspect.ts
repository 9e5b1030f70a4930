/** @file `sluice inspect <input>`. */
import { inspect } from "../pipeline/inspect.ts";
import { standardInput } from "../pipeline/standard.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { renderInspection } from "./inspection.ts";
import { interruptible } from "./interrupt.ts";
import { print, toJson } from "./streams.ts";
import { styleFor, widthOf } from "./style.ts";
import { refuseTerminals } from "./terminals.ts";

export const run: Run = async ([input = ""], options) => {
  const statistics = options.choice("statistics", ["sample", "all", "none"]);
  refuseTerminals({ input });
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
