/** @file Whether a tensor has rows that a row-wise program can go along: a last axis whose elements lie side by side. */
import { ColumnError, UnsupportedError } from "../../errors.ts";
import type { TensorColumn } from "../../formats/layout.ts";

/**
 * The length of the last axis; null where it differs from row to row, and comes as one run each.
 *
 * @throws ColumnError where the tensor has no axis
 * @throws UnsupportedError where the elements of a row do not lie side by side, or their number is nowhere to be read
 */
export function rowLengthOf({ name, shape, channels }: TensorColumn): number | null {
  const position = name === "" ? {} : { column: name };
  const what = name === "" ? "the array" : "the column";
  if (shape.length === 0) {
    throw new ColumnError(`An op of the chain goes along the last axis, but ${what} has no axis`, {
      position,
      remedy:
        name === ""
          ? "Give it a shape, in NumPy with array.reshape(1, -1)."
          : "Put the numbers of each row into a list: softmax of a plain column of floats has no rows.",
    });
  }
  if (!channels) {
    if (shape.length > 1 && shape.at(-1) !== null) {
      throw new UnsupportedError(
        `An op of the chain goes along the last axis, and where the rows of ${what} begin cannot be told`,
        {
          position,
          remedy: "Store tensors of one shape as fixed_shape_tensor, or the rows as a list column.",
        },
      );
    }
    return null;
  }
  if (channels.stride !== 1 && channels.count > 1) {
    throw new UnsupportedError(
      `An op of the chain goes along the last axis, whose elements lie ${channels.stride} apart in ${what}`,
      { position, remedy: "Store it in row-major order, in NumPy with np.ascontiguousarray." },
    );
  }
  return channels.count;
}
