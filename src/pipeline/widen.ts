/** @file Larger windows, for elements that must be computed together; or the error that says what it would take. */
import type { Device } from "../device.ts";
import { MemoryError, type Position } from "../errors.ts";
import type { TensorColumn } from "../formats/layout.ts";

/** What must be in one window. */
export interface Together {
  /** Of the tensor. */
  readonly count: number;
  readonly bytes: number;
  /** Of the tensor, in elements. */
  readonly grain: number;
  readonly tensor: TensorColumn;
  /** But for the column. */
  readonly position: Position;
}

/** No window is under way. @throws MemoryError */
export function widen(device: Device, { count, bytes, grain, tensor, position }: Together): void {
  try {
    device.resize(bytes);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    const { name, channels } = tensor;
    const isRow = grain === Number.POSITIVE_INFINITY || grain === channels?.count;
    const what = isRow ? `A row of ${count} elements does` : `${count} elements, to be computed at once, do`;
    const { remedy, cause = error } = error;
    throw new MemoryError(`${what} not fit in memory`, {
      ...(remedy === undefined ? {} : { remedy }),
      ...{ cause, position: name === "" ? position : { ...position, column: name } },
    });
  }
}
