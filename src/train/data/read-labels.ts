/** @file Reads rows of labels: as codes of classes, from any column that can hold them, or as values. */
import { ColumnError, CorruptError, type Position } from "../../errors.ts";
import type { DictionaryColumn, LabelColumn, NumberColumn, Rows, TextColumn } from "./column.ts";
import type { BlockReader } from "./data-file.ts";
import { markNulls } from "./nulls.ts";
import { isBool } from "./numbers.ts";
import type { ClassLabel } from "./options.ts";
import { markNumbers, readElements, readInteger, readNumbers } from "./read-numbers.ts";
import { readTexts } from "./read-text.ts";
import { MOST_CLASSES, type Vocabulary } from "./vocabulary.ts";

/** A code in a dictionary that was not met yet. */
export const UNMET = -1;

/** Where labels go: `usable[at + i]` of row i is cleared where it is null, or else `codes[at + i]` is its code. */
export interface CodeTarget {
  readonly codes: Int32Array;
  readonly usable: Uint8Array;
  readonly at: number;
}

/** Clears `usable` for labels that are null. A null in a dictionary is found by `readCodes`. */
export async function markLabels(
  column: LabelColumn,
  rows: Rows,
  usable: Uint8Array,
  at: number,
  reader: BlockReader,
): Promise<void> {
  if (column.kind === "text") {
    const { outer } = column.place(rows.batch);
    return markNulls(column.file, outer, rows.first, rows.count, 1, usable, at, reader);
  }
  return markNumbers(column.kind === "numbers" ? column : column.indices, rows, usable, at, reader);
}

/** Reads the codes of rows that are marked already. @throws ColumnError for a label that is no class, CorruptError */
export async function readCodes(
  column: LabelColumn,
  rows: Rows,
  target: CodeTarget,
  vocabulary: Vocabulary,
  reader: BlockReader,
): Promise<void> {
  switch (column.kind) {
    case "numbers":
      return readNumberCodes(column, rows, target, vocabulary, reader);
    case "text":
      return readTextCodes(column, rows, target, vocabulary, reader);
    case "dictionary":
      return readDictionaryCodes(column, rows, target, vocabulary, reader);
  }
}

/** The labels of rows as they are stored, for the values of a dictionary. @throws ColumnError, CorruptError */
export async function readLabels(
  column: NumberColumn | TextColumn,
  rows: Rows,
  reader: BlockReader,
): Promise<(ClassLabel | null)[]> {
  const usable = new Uint8Array(rows.count).fill(1);
  await markLabels(column, rows, usable, 0, reader);
  const labels = new Array<ClassLabel | null>(rows.count).fill(null);
  if (column.kind === "text") {
    const each = (row: number, text: string): void => {
      labels[row] = text;
    };
    await readTexts(column, rows, (row) => usable[row] === 1, each, reader);
    return labels;
  }
  const numbers = await readElements(column, rows, reader);
  const bool = isBool(column.type);
  for (let row = 0; row < rows.count; row++) {
    if (usable[row] === 0) continue;
    const number = numbers[row]!;
    if (!Number.isSafeInteger(number)) throw await noLabel(column, rows, row, number, reader);
    labels[row] = bool ? number !== 0 : number;
  }
  return labels;
}

/** Reads values to learn. @throws ColumnError for one that is not finite as float32 */
export async function readValues(
  column: NumberColumn,
  rows: Rows,
  out: Float32Array,
  row: number,
  reader: BlockReader,
  usable: Uint8Array | null,
  at: number,
): Promise<void> {
  const { size } = column;
  await readNumbers(column, rows, { out, row, stride: size, offset: 0 }, reader);
  for (let i = 0, k = row * size; i < rows.count; i++) {
    for (let j = 0; j < size; j++, k++) {
      const value = out[k]!;
      if (value - value === 0 || usable?.[at + i] === 0) continue;
      throw new ColumnError(`The label is ${Number.isNaN(value) ? "NaN" : "beyond the range of float32"}`, {
        position: column.position(rows.batch, rows.first + i),
        remedy: "Repair or leave out such rows: a loss cannot be computed for them.",
      });
    }
  }
}

async function readNumberCodes(
  column: NumberColumn,
  rows: Rows,
  { codes, usable, at }: CodeTarget,
  vocabulary: Vocabulary,
  reader: BlockReader,
): Promise<void> {
  const numbers = await readElements(column, rows, reader);
  const bool = isBool(column.type);
  for (let i = 0; i < rows.count; i++) {
    if (usable[at + i] === 0) continue;
    const number = numbers[i]!;
    if (!Number.isSafeInteger(number)) throw await noLabel(column, rows, i, number, reader);
    const code = bool ? vocabulary.codeOf(number !== 0) : vocabulary.codeOfNumber(number);
    if (code < 0)
      throw noClass(bool ? number !== 0 : number, column.position(rows.batch, rows.first + i), vocabulary);
    codes[at + i] = code;
  }
}

async function readTextCodes(
  column: TextColumn,
  rows: Rows,
  { codes, usable, at }: CodeTarget,
  vocabulary: Vocabulary,
  reader: BlockReader,
): Promise<void> {
  const each = (row: number, text: string): void => {
    const code = vocabulary.codeOf(text);
    if (code < 0) throw noClass(text, column.position(rows.batch, rows.first + row), vocabulary);
    codes[at + row] = code;
  };
  await readTexts(column, rows, (row) => usable[at + row] === 1, each, reader);
}

async function readDictionaryCodes(
  column: DictionaryColumn,
  rows: Rows,
  { codes, usable, at }: CodeTarget,
  vocabulary: Vocabulary,
  reader: BlockReader,
): Promise<void> {
  const { values, codes: met } = column.dictionary(rows.batch);
  const indices = await readElements(column.indices, rows, reader);
  for (let i = 0; i < rows.count; i++) {
    if (usable[at + i] === 0) continue;
    const index = indices[i]!;
    const label = values[index];
    const position = (): Position => column.position(rows.batch, rows.first + i);
    if (label === undefined) {
      const problem = `An index is ${index}, but the dictionary has ${values.length} values`;
      throw new CorruptError(problem, { position: position() });
    }
    if (label === null) {
      usable[at + i] = 0;
      continue;
    }
    if (met[index] === UNMET) met[index] = vocabulary.codeOf(label);
    if (met[index]! < 0) throw noClass(label, position(), vocabulary);
    codes[at + i] = met[index]!;
  }
}

/** Only whole numbers that JavaScript holds exactly are labels. */
async function noLabel(
  column: NumberColumn,
  rows: Rows,
  row: number,
  number: number,
  reader: BlockReader,
): Promise<ColumnError> {
  const whole = Number.isInteger(number);
  const problem = whole
    ? `${await readInteger(column, rows, row, reader)} is out of range`
    : `${number} is no class`;
  return new ColumnError(`The label ${problem}`, {
    position: column.position(rows.batch, rows.first + row),
    remedy: whole
      ? "Whole numbers up to 2^53 can be classes: renumber them, or make them strings."
      : "Classes are whole numbers, booleans or strings. To predict numbers, choose a loss such as mse.",
  });
}

function noClass(label: ClassLabel, position: Position, vocabulary: Vocabulary): ColumnError {
  if (!vocabulary.isGiven) {
    return new ColumnError(`The labels have more than ${MOST_CLASSES} different values`, {
      position,
      remedy: "Name the column of the classes with --label. To predict numbers, choose a loss such as mse.",
    });
  }
  const { labels } = vocabulary;
  const shown = labels.slice(0, 10).map((each) => JSON.stringify(each));
  if (labels.length > 10) shown.push(`and ${labels.length - 10} more`);
  return new ColumnError(`The label ${JSON.stringify(label)} is none of the model's classes`, {
    position,
    remedy: `The classes are ${shown.join(", ")}: leave such rows out, or train a model that knows the label.`,
  });
}
