/** @file Reads windows into buffers, and lists the rows of one part in them. */
import type { BlockReader } from "./data-file.ts";
import { markLabels, readCodes, readValues } from "./read-labels.ts";
import { markNumbers, readNumbers } from "./read-numbers.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { RowWindows, Segment } from "./row-windows.ts";
import { Split } from "./split.ts";
import type { Survey } from "./survey.ts";
import type { Vocabulary } from "./vocabulary.ts";

export type Part = "train" | "validation";

export class Loader {
  readonly windows: RowWindows;
  readonly #survey: Survey;
  readonly #split: Split;
  readonly #vocabulary: Vocabulary | null;

  /** @param vocabulary `null` where labels are values */
  constructor(
    windows: RowWindows,
    survey: Survey,
    seed: number,
    share: number,
    vocabulary: Vocabulary | null,
  ) {
    this.windows = windows;
    this.#survey = survey;
    this.#split = new Split(seed, share, survey.train + survey.validation);
    this.#vocabulary = vocabulary;
  }

  /** Rows of a window that are in the part. */
  count(window: number, part: Part): number {
    const heldOut = this.#survey.heldOut[window]!;
    return part === "validation" ? heldOut : this.#survey.usable[window]! - heldOut;
  }

  /** Reads a window to the rows of `buffer` from `base` on. */
  async load(window: number, buffer: RowBuffer, base: number, reader: BlockReader): Promise<void> {
    const rows = this.windows.rowsIn(window);
    const hasGaps = this.#survey.usable[window]! < rows;
    buffer.usable?.fill(1, base, base + rows);
    for (const segment of this.windows.segments(window)) {
      await this.#loadSegment(segment, buffer, base + segment.at, hasGaps, reader);
    }
  }

  /** Writes the rows of the part in a loaded window to `list`, from `at` on, in their order; gives where they end. */
  list(window: number, part: Part, buffer: RowBuffer, base: number, list: Uint32Array, at: number): number {
    const end = base + this.windows.rowsIn(window);
    const { usable } = buffer;
    const wanted = part === "validation";
    const all = !wanted && this.#survey.heldOut[window] === 0;
    let next = at;
    let number = this.#survey.usableBefore[window]!;
    for (let row = base; row < end; row++) {
      if (usable?.[row] === 0) continue;
      if (all || this.#split.isHeldOut(number) === wanted) list[next++] = row;
      number++;
    }
    return next;
  }

  async #loadSegment(
    { table, rows }: Segment,
    buffer: RowBuffer,
    base: number,
    hasGaps: boolean,
    reader: BlockReader,
  ): Promise<void> {
    const { features, label, weight } = table;
    const usable = hasGaps ? buffer.usable : null;
    const stride = features.reduce((sum, { size }) => sum + size, 0);
    let offset = 0;
    for (const column of features) {
      reader.reset();
      if (usable) await markNumbers(column, rows, usable, base, reader);
      await readNumbers(column, rows, { out: buffer.features, row: base, stride, offset }, reader);
      offset += column.size;
    }
    reader.reset();
    if (usable) await markLabels(label, rows, usable, base, reader);
    if (this.#vocabulary) {
      const { classOf } = this.#vocabulary;
      const known = usable?.subarray(base, base + rows.count) ?? new Uint8Array(rows.count).fill(1);
      const codes = new Int32Array(rows.count);
      await readCodes(label, rows, { codes, usable: known, at: 0 }, this.#vocabulary, reader);
      for (let i = 0; i < rows.count; i++) buffer.targets[base + i] = classOf[codes[i]!]!;
    } else if (label.kind === "numbers") {
      await readValues(label, rows, buffer.targets, base, reader, usable, base);
    }
    if (weight === undefined || buffer.weights === null) return;
    reader.reset();
    if (usable) await markNumbers(weight, rows, usable, base, reader);
    await readNumbers(weight, rows, { out: buffer.weights, row: base, stride: 1, offset: 0 }, reader);
  }
}
