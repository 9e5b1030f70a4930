/** @file What is asked of options and data before the training begins. */
import { ColumnError, UsageError } from "../../errors.ts";
import type { Table } from "./column.ts";
import type { DatasetOptions } from "./options.ts";
import type { Survey } from "./survey.ts";
import type { Vocabulary } from "./vocabulary.ts";

export function noRows(tables: readonly Table[], problem: string): ColumnError {
  const path = tables[0]?.path;
  return new ColumnError(problem, {
    position: path === undefined ? {} : { path },
    remedy: "Give files with rows to learn from.",
  });
}

export function checkRows(
  { train, validation, skipped, isWeighted }: Survey,
  share: number,
  tables: readonly Table[],
): void {
  const usable = train + validation;
  if (usable === 0) throw noRows(tables, `All ${skipped} rows have a null`);
  const [{ path, weight }] = tables as [Table];
  if (!isWeighted) {
    throw new ColumnError(`The weights of all ${usable} rows are 0`, {
      position: { path, column: weight!.name },
      remedy: "Give rows that count, or leave out --weight (in the API: weight).",
    });
  }
  const problem =
    train === 0 && share < 1
      ? `No row of ${usable} is left to train on`
      : validation === 0 && share > 0
        ? `No row of ${usable} is held out`
        : undefined;
  if (problem === undefined) return;
  throw new UsageError(`${problem} with a validation share of ${share}`, {
    position: { path },
    remedy: "Choose another share for --validation, or give more rows.",
  });
}

/** A class that only held-out rows have can not be learned, and would be counted as wrong. */
export function checkClasses(
  { train, trainRows, validationRows }: Survey,
  vocabulary: Vocabulary,
  tables: readonly Table[],
): void {
  if (train === 0) return;
  const code = validationRows.findIndex((rows, i) => rows > 0 && !trainRows[i]);
  if (code < 0) return;
  const { path, label } = tables[0]!;
  throw new ColumnError(
    `The label ${JSON.stringify(vocabulary.labels[code])} is on held-out rows alone (${validationRows[code]}), never on those to train on`,
    {
      position: { path, ...(label.name === "" ? {} : { column: label.name }) },
      remedy:
        "Give more rows of that class, leave it out, or choose another --seed or a smaller --validation.",
    },
  );
}

export function checkOptions({ seed, validation = 0, shuffle = 0, memory, classes }: DatasetOptions): void {
  if (!Number.isSafeInteger(seed)) {
    throw new UsageError(`The seed is ${seed}, which is no whole number`, {
      remedy: "Give a whole number as --seed.",
    });
  }
  if (!(validation >= 0 && validation <= 1)) {
    throw new UsageError(`The validation share is ${validation}`, {
      remedy: "Give --validation a number from 0 to 1, such as 0.1.",
    });
  }
  if (!(shuffle >= 0))
    throw new UsageError(`There are ${shuffle} bytes to shuffle`, { remedy: "Give 0 or more." });
  if (!(memory >= 0))
    throw new UsageError(`The memory is ${memory} bytes`, { remedy: "Give a number of bytes." });
  if (classes !== undefined && (classes.length === 0 || new Set(classes).size < classes.length)) {
    throw new UsageError("The classes are not all different, or there are none");
  }
}
