/** @file From the outputs of a network to labels. */
import { UnsupportedError, UsageError } from "../../errors.ts";
import type { ClassLabel } from "../data/options.ts";
import { sizeOf } from "../network.ts";
import type { Trained } from "../trained.ts";

/** Labels of one type. int64 holds all whole numbers that JavaScript tells apart. */
export type Classes =
  | { readonly type: "int64"; readonly labels: BigInt64Array }
  | { readonly type: "bool"; readonly labels: readonly boolean[] }
  | { readonly type: "strings"; readonly labels: readonly string[] };

/**
 * The classes that a model tells apart, by the index of their output.
 * @throws UsageError for a model of something else
 */
export function classesOf({ network, target }: Trained): Classes {
  if (target?.kind !== "classes") {
    throw new UsageError("The model does not predict classes, so there is no label", {
      remedy: "Leave out --argmax (in the API: argmax).",
    });
  }
  const { classes } = target;
  const outputs = sizeOf(network.outputShape);
  if (classes.length !== outputs && !(classes.length === 2 && outputs === 1)) {
    throw new UnsupportedError(`The model has ${outputs} outputs for ${classes.length} classes`);
  }
  if (isAll(classes, "string")) return { type: "strings", labels: classes };
  if (isAll(classes, "boolean")) return { type: "bool", labels: classes };
  return { type: "int64", labels: BigInt64Array.from(classes, integer) };
}

/**
 * Of each row the index of its largest output; of equal ones the first, of NaN the first NaN, as `torch.argmax` has it.
 * A single output says by its sign which of two classes it is, as in binary cross entropy with logits.
 */
export function largest(outputs: Float32Array, rows: number): Int32Array {
  const indices = new Int32Array(rows);
  const size = outputs.length / rows;
  if (size === 1) return indices.map((_, row) => (outputs[row]! > 0 ? 1 : 0));
  for (let row = 0; row < rows; row++) {
    const at = row * size;
    let best = 0;
    for (let i = 0; i < size; i++) {
      const value = outputs[at + i]!;
      if (value > outputs[at + best]!) best = i;
      else if (Number.isNaN(value)) {
        best = i;
        break;
      }
    }
    indices[row] = best;
  }
  return indices;
}

function isAll<Name extends "string" | "boolean">(
  labels: readonly ClassLabel[],
  type: Name,
): labels is readonly (Name extends "string" ? string : boolean)[] {
  return labels.every((label) => typeof label === type);
}

function integer(label: ClassLabel): bigint {
  if (Number.isSafeInteger(label)) return BigInt(label as number);
  throw new UnsupportedError(`The model has the class ${String(label)}, which is no whole number`);
}
