/**
 * @file The first pass, over labels and validity alone: which rows are usable, which classes there are, and how many rows
 * go into which part. What is wrong with any label is found here, before the training begins.
 */
import { ColumnError } from "../../errors.ts";
import type { LabelColumn, NumberColumn, Rows, Table } from "./column.ts";
import { BlockReader } from "./data-file.ts";
import type { DatasetOptions } from "./options.ts";
import { markLabels, readCodes, readValues } from "./read-labels.ts";
import { markNumbers, readNumbers } from "./read-numbers.ts";
import type { RowWindows } from "./row-windows.ts";
import { BLOCK_ROWS, chooseBlock } from "./split.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Rows that are looked at together, and bytes that they may take. */
const MOST_ROWS = 16_384;
const MOST_BYTES = 4 * 2 ** 20;

export interface Survey {
  /** Rows of each window that are usable, and those of them that are held out. */
  readonly usable: Uint32Array;
  readonly heldOut: Uint32Array;
  /** Usable rows of all windows before each. */
  readonly usableBefore: Float64Array;
  readonly train: number;
  readonly validation: number;
  readonly skipped: number;
  /** Whether any row that is trained or held out counts something. */
  readonly isWeighted: boolean;
  /** Rows of each code of the vocabulary. */
  readonly trainRows: readonly number[];
  readonly validationRows: readonly number[];
}

export type SurveyOptions = Pick<DatasetOptions, "task" | "seed" | "skipNulls"> & { readonly share: number };

/** @throws ColumnError for a null, a label that is no class, or a value or weight that is not finite */
export async function survey(
  tables: readonly Table[],
  windows: RowWindows,
  vocabulary: Vocabulary,
  options: SurveyOptions,
): Promise<Survey> {
  const tally = new Tally(windows, options);
  const reader = new BlockReader();
  const rowBytes = Math.max(...tables.map(bytesToSurvey));
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_BYTES / rowBytes)));
  const usable = new Uint8Array(most);
  const codes = new Int32Array(most);
  for (const [index, table] of tables.entries()) {
    for (let batch = 0; batch + 1 < table.starts.length; batch++) {
      const start = table.starts[batch]!;
      const end = table.starts[batch + 1]!;
      for (let first = 0; start + first < end; first += most) {
        const rows = { batch, first, count: Math.min(most, end - start - first) };
        usable.fill(1);
        const counts = await surveyRows(table, rows, usable, codes, vocabulary, options, reader);
        tally.isWeighted ||= counts;
        for (let i = 0; i < rows.count; i++) {
          tally.add(windows.of(index, start + first + i), usable[i] === 1, codes[i]!);
        }
      }
    }
  }
  return tally.finish();
}

/** Bytes of a row that this pass may hold. */
function bytesToSurvey({ features, label }: Table): number {
  const elements = features.reduce((sum, { size }) => sum + size, 0);
  return Math.ceil(elements / 8) + (label.kind === "numbers" ? 16 * label.size : 64);
}

/**
 * Clears `usable` for rows with a null, and gives the others their codes, if labels are classes.
 * @returns whether any row has a weight above 0
 */
async function surveyRows(
  table: Table,
  rows: Rows,
  usable: Uint8Array,
  codes: Int32Array,
  vocabulary: Vocabulary,
  { task, skipNulls }: SurveyOptions,
  reader: BlockReader,
): Promise<boolean> {
  const { features, label, weight } = table;
  const { count } = rows;
  const refuseNull = (column: NumberColumn | LabelColumn): void => {
    const row = skipNulls ? -1 : usable.indexOf(0);
    if (row < 0) return;
    throw new ColumnError("The row has a null", {
      position: column.position(rows.batch, rows.first + row),
      remedy: "Fill nulls in, or leave out such rows with --skip-nulls (in the API: skipNulls).",
    });
  };
  for (const column of features) {
    reader.reset();
    await markNumbers(column, rows, usable, 0, reader);
    refuseNull(column);
  }
  reader.reset();
  await markLabels(label, rows, usable, 0, reader);
  refuseNull(label);
  if (task === "classes") {
    await readCodes(label, rows, { codes, usable, at: 0 }, vocabulary, reader);
    refuseNull(label);
  } else if (label.kind === "numbers") {
    await readValues(label, rows, new Float32Array(count * label.size), 0, reader, usable, 0);
  }
  if (weight === undefined) return true;
  reader.reset();
  await markNumbers(weight, rows, usable, 0, reader);
  refuseNull(weight);
  const weights = new Float32Array(count);
  await readNumbers(weight, rows, { out: weights, row: 0, stride: 1, offset: 0 }, reader);
  const wrong = weights.findIndex((value, i) => usable[i] === 1 && !(value >= 0 && value - value === 0));
  if (wrong < 0) return weights.some((value, i) => usable[i] === 1 && value > 0);
  throw new ColumnError(`The weight of the row is ${weights[wrong]}`, {
    position: weight.position(rows.batch, rows.first + wrong),
    remedy: "Weights are finite numbers from 0 on.",
  });
}

/** Counts rows one after the other; a block of usable ones is shared out when it is full, or at the end. */
class Tally {
  isWeighted = false;
  readonly #usable: Uint32Array;
  readonly #heldOut: Uint32Array;
  readonly #options: SurveyOptions;
  readonly #trainRows: number[] = [];
  readonly #validationRows: number[] = [];
  readonly #blockWindows = new Uint32Array(BLOCK_ROWS);
  readonly #blockCodes = new Int32Array(BLOCK_ROWS);
  #inBlock = 0;
  #rows = 0;
  #skipped = 0;
  #validation = 0;

  constructor(windows: RowWindows, options: SurveyOptions) {
    this.#usable = new Uint32Array(windows.count);
    this.#heldOut = new Uint32Array(windows.count);
    this.#options = options;
  }

  add(window: number, isUsable: boolean, code: number): void {
    if (!isUsable) {
      this.#skipped++;
      return;
    }
    this.#usable[window]!++;
    this.#blockWindows[this.#inBlock] = window;
    this.#blockCodes[this.#inBlock] = code;
    this.#rows++;
    if (++this.#inBlock === BLOCK_ROWS) this.#shareOut();
  }

  finish(): Survey {
    this.#shareOut();
    const usableBefore = new Float64Array(this.#usable.length);
    for (let i = 1; i < usableBefore.length; i++)
      usableBefore[i] = usableBefore[i - 1]! + this.#usable[i - 1]!;
    return {
      usable: this.#usable,
      heldOut: this.#heldOut,
      usableBefore,
      train: this.#rows - this.#validation,
      validation: this.#validation,
      skipped: this.#skipped,
      isWeighted: this.isWeighted,
      trainRows: this.#trainRows,
      validationRows: this.#validationRows,
    };
  }

  #shareOut(): void {
    const rows = this.#inBlock;
    const { seed, share } = this.#options;
    const block = Math.ceil(this.#rows / BLOCK_ROWS) - 1;
    const chosen = share > 0 && rows > 0 ? chooseBlock(seed, share, block, rows) : null;
    for (let i = 0; i < rows; i++) {
      const isHeldOut = chosen?.[i] === 1;
      const counts = isHeldOut ? this.#validationRows : this.#trainRows;
      const code = this.#blockCodes[i]!;
      while (counts.length <= code) counts.push(0);
      counts[code]!++;
      if (!isHeldOut) continue;
      this.#validation++;
      this.#heldOut[this.#blockWindows[i]!]!++;
    }
    this.#inBlock = 0;
  }
}
