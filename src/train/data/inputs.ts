/** @file Opens the inputs as tables: all of them Arrow, or pairs of npy arrays. */
import { stat } from "node:fs/promises";
import { ColumnError, ioError, type Position, UsageError } from "../../errors.ts";
import { DETECT_BYTES, detectFormat } from "../../formats/detect.ts";
import type { Format } from "../../formats/layout.ts";
import { isDirectory, openSource } from "../../pipeline/source.ts";
import { openArrow } from "./arrow-tables.ts";
import type { LabelColumn, LabelKind, NumberColumn, Table } from "./column.ts";
import { BlockReader, DataFile } from "./data-file.ts";
import { openNpyPair } from "./npy-tables.ts";
import { isBool } from "./numbers.ts";
import type { DatasetOptions } from "./options.ts";
import { expandPath } from "./paths.ts";

export interface Inputs {
  readonly tables: readonly Table[];
  close(): Promise<void>;
}

interface OpenFile {
  readonly file: DataFile;
  readonly format: Format;
}

/** @throws SluiceError where an input is missing, damaged, a pipe, or does not fit the others */
export async function openInputs(
  inputs: string | readonly string[],
  options: DatasetOptions,
): Promise<Inputs> {
  const opened: DataFile[] = [];
  const close = async (): Promise<void> => {
    for (const { source } of opened.splice(0)) await source.close();
  };
  try {
    const lists: OpenFile[][] = [];
    for (const input of [inputs].flat()) {
      const list: OpenFile[] = [];
      for (const path of await expandPath(input)) {
        const file = await openFile(path, options.signal);
        opened.push(file);
        const head = new Uint8Array(Math.min(DETECT_BYTES, file.source.size));
        await file.read(0, head);
        list.push({ file, format: detectFormat(head, { path }) });
      }
      lists.push(list);
    }
    const isNpy = lists.flat().some(({ format }) => format === "npy");
    const tables = isNpy ? await openPairs(lists, options) : await openArrows(lists.flat(), options);
    return { tables: agreeing(tables), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rows are read again and again, in another order each time: only from files. */
async function openFile(path: string, signal: AbortSignal | undefined): Promise<DataFile> {
  const position = { path };
  const remedy = "Training reads its rows again in each epoch, in another order: write them to a file first.";
  if (path === "-") throw new UsageError("Training cannot read from a pipe", { position, remedy });
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw isDirectory();
    if (!stats.isFile())
      throw new UsageError("The input is a pipe or a device, no file", { position, remedy });
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw ioError(cause as NodeJS.ErrnoException, "open the input", position);
  }
  const source = await openSource(path);
  if (source.kind === "file") return new DataFile(source, signal);
  await source.close();
  throw new UsageError("The input is a pipe or a device, no file", { position, remedy });
}

/** The first file says which columns are meant, where the options do not. */
async function openArrows(files: readonly OpenFile[], options: DatasetOptions): Promise<Table[]> {
  const tables: Table[] = [];
  const reader = new BlockReader();
  for (const { file, format } of files) {
    const [first] = tables;
    const names = first && { features: first.features.map(({ name }) => name), label: first.label.name };
    tables.push(...(await openArrow(file, format as "arrow" | "arrows", { ...options, ...names }, reader)));
  }
  return tables;
}

/** Inputs come in twos: features and labels, each a file or a pattern that matches as many. */
async function openPairs(lists: readonly (readonly OpenFile[])[], options: DatasetOptions): Promise<Table[]> {
  const other = lists.flat().find(({ format }) => format !== "npy");
  if (other !== undefined || lists.length % 2 !== 0) {
    throw new UsageError(
      other
        ? "The inputs are npy arrays, but this one is not"
        : "npy arrays come in pairs: features, then labels",
      {
        position: { path: (other ?? lists.at(-1)![0]!).file.path },
        remedy: "Give x.npy y.npy, or two quoted patterns that match as many files each.",
      },
    );
  }
  const tables: Table[] = [];
  for (let i = 0; i < lists.length; i += 2) {
    const [features, labels] = [lists[i]!, lists[i + 1]!];
    if (features.length !== labels.length) {
      throw new UsageError(
        `There are ${features.length} arrays of features, but ${labels.length} of labels`,
        {
          position: { path: labels[0]!.file.path },
          remedy: "Each array of features needs its labels: check the patterns.",
        },
      );
    }
    for (const [k, { file }] of features.entries()) {
      tables.push(await openNpyPair(file, labels[k]!.file, options));
    }
  }
  return tables;
}

/** The tables, if features and labels are the same in all of them. @throws ColumnError for the first that differs */
function agreeing(tables: readonly Table[]): readonly Table[] {
  const [first] = tables;
  if (first === undefined) return tables;
  // A file whose lists are all null, or that has no rows, does not know how long they are.
  const known = first.features.map(
    (_, i) =>
      tables.find(({ features }) => !features[i]?.shape.includes(-1))?.features[i] ?? first.features[i]!,
  );
  return tables.map((table) => {
    const where = (column: { readonly name: string }): Position => ({
      path: table.path,
      ...(column.name === "" ? {} : { column: column.name }),
    });
    const features = table.features.map((column, i) => {
      const like = known[i]!;
      const own = column.shape.includes(-1) ? withLength(column, like.shape[0]!) : column;
      if (column.name === like.name && sameShape(own.shape, like.shape)) return own;
      throw new ColumnError(
        `A row of the features has the shape [${own.shape.join(", ")}], but [${like.shape.join(", ")}] in ${like.file.path}`,
        {
          position: where(column),
          remedy: "All files must hold features of one shape: leave out those that differ.",
        },
      );
    });
    const [kind, firstKind] = [kindOf(table.label), kindOf(first.label)];
    if (kind !== firstKind) {
      throw new ColumnError(`The labels are ${kind}, but in ${first.path} they are ${firstKind}`, {
        position: where(table.label),
        remedy: "All files must hold labels of one kind: cast them, or leave out those that differ.",
      });
    }
    const [shape, firstShape] = [shapeOf(table.label), shapeOf(first.label)];
    if (!sameShape(shape, firstShape)) {
      throw new ColumnError(
        `A label has the shape [${shape.join(", ")}], but [${firstShape.join(", ")}] in ${first.path}`,
        { position: where(table.label), remedy: "All files must hold labels of one shape." },
      );
    }
    return { ...table, features };
  });
}

function withLength(column: NumberColumn, items: number): NumberColumn {
  const shape = [items, ...column.shape.slice(1)];
  const size = shape.reduce((product, length) => product * length, 1);
  return { ...column, shape, size, list: column.list && { ...column.list, items } };
}

function kindOf(label: LabelColumn): LabelKind {
  if (label.kind === "text") return "strings";
  if (label.kind === "dictionary") return label.holds;
  return isBool(label.type) ? "booleans" : "numbers";
}

function shapeOf(label: LabelColumn): readonly number[] {
  return label.kind === "numbers" ? label.shape : [];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
