/** @file Whether a program fits a tensor: per-channel parameters need as many values as there are channels. */
import { ColumnError } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";

/** Throws ColumnError where it does not. */
export function checkFit(program: Program, { name, channels }: TensorColumn): void {
  const position = name === "" ? {} : { column: name };
  for (const parameter of program.channels) {
    const given = parameter.values.length;
    if (!channels) {
      throw new ColumnError(`${parameter.name} has ${given} values, but the last axis has no fixed length`, {
        position,
        remedy: `Give ${parameter.name} one value.`,
      });
    }
    if (given !== channels.count) {
      throw new ColumnError(
        `${parameter.name} has ${given} values, but the last axis has ${channels.count}`,
        {
          position,
          remedy: `Give ${parameter.name} one value, or ${channels.count}.`,
        },
      );
    }
  }
}
