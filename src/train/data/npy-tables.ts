/** @file A pair of npy arrays as a table: the features of row i and its label are entry i of each. */
import { ColumnError, type Position, UsageError } from "../../errors.ts";
import { readNpyHeader } from "../../formats/npy.ts";
import { Place } from "../../formats/place.ts";
import { FileFeed } from "../../pipeline/feed.ts";
import type { NumberColumn, Table, TextColumn } from "./column.ts";
import type { DataFile } from "./data-file.ts";
import { bytesOfElements, type NumberType } from "./numbers.ts";
import type { DatasetOptions } from "./options.ts";

const KINDS: Readonly<Record<string, string>> = { f: "float", i: "int", u: "uint" };

interface NpyArray {
  readonly rows: number;
  readonly column: NumberColumn | TextColumn;
}

/** @throws ColumnError where the arrays do not belong together; what their headers are at fault for */
export async function openNpyPair(x: DataFile, y: DataFile, options: DatasetOptions): Promise<Table> {
  const { features, label, weight, task } = options;
  if (features !== undefined || label !== undefined || weight !== undefined) {
    throw new UsageError("npy arrays have no columns to name", {
      position: { path: x.path },
      remedy:
        "Leave out features, label and weight: the first array holds the features, the second one the labels.",
    });
  }
  const [inputs, labels] = [await openArray(x), await openArray(y)];
  if (inputs.rows !== labels.rows) {
    throw new ColumnError(
      `There are ${labels.rows} labels for ${inputs.rows} rows of features in ${x.path}`,
      {
        position: { path: y.path },
        remedy: "Give arrays that belong together: their first axes have one length.",
      },
    );
  }
  if (inputs.column.kind === "text") throw unfit(x, "strings, which are no features");
  if (task === "values" && labels.column.kind === "text")
    throw unfit(y, "strings, where the loss takes numbers");
  if (task === "classes" && labels.column.kind === "numbers" && labels.column.size !== 1) {
    const { shape } = labels.column;
    throw unfit(y, `rows of the shape [${shape.join(", ")}], where one label a row is needed`);
  }
  return {
    path: x.path,
    rows: inputs.rows,
    starts: Float64Array.of(0, inputs.rows),
    features: [inputs.column],
    label: labels.column,
    weight: undefined,
  };
}

async function openArray(file: DataFile): Promise<NpyArray> {
  const feed = new FileFeed(file.source);
  const place = new Place(file.path, file.source.size);
  const steps = readNpyHeader(place);
  let next = steps.next();
  while (!next.done) {
    if (next.value.step !== "peek") throw new TypeError("A header is only peeked at");
    next = steps.next(await feed.peek(next.value.length));
  }
  const { descr, fortran, shape: whole, start } = next.value;
  const [rows, ...shape] = whole;
  if (rows === undefined) throw unfit(file, "a single number, not one a row");
  if (fortran && shape.length > 0 && !whole.includes(0)) {
    throw place.unsupported("The array is in Fortran order: its rows are not side by side", {
      remedy: "Save it again in C order, in NumPy: np.save(path, np.ascontiguousarray(x)).",
    });
  }
  const size = shape.reduce((product, length) => product * length, 1);
  const position = (_: number, row: number): Position => ({ path: file.path, row });
  const stored = { name: "", file, position };
  const [, order = "", kind = "", width = ""] = /^([<>=|]?)([a-zA-Z?])(\d*)$/.exec(String(descr)) ?? [];
  place.offset = start;
  if (kind === "U" && order !== ">") {
    const characters = Number(width);
    place.require(rows * size * characters * 4, "the array");
    if (size !== 1)
      throw unfit(file, `strings of the shape [${shape.join(", ")}], where one a row is needed`);
    const at = { outer: [], first: start, data: [] };
    return { rows, column: { kind: "text", ...stored, storage: { characters }, place: () => at } };
  }
  const type = npyNumberType(descr);
  if (type === undefined) {
    throw place.unsupported(`The array has the dtype ${JSON.stringify(descr)}`, {
      remedy:
        "Floats, integers, booleans and (for labels) strings are read, little-endian: cast it with x.astype.",
    });
  }
  const { bytes } = bytesOfElements(type, 0, rows * size);
  if (!Number.isSafeInteger(bytes)) throw place.corrupt(`The shape (${whole.join(", ")}) is beyond any file`);
  place.require(bytes, "the array");
  const at = { outer: [], inner: [], values: start, offsets: -1, items: 0 };
  const column: NumberColumn = {
    ...{ kind: "numbers", ...stored, type, shape, size },
    ...{ order: () => null, list: null, place: () => at },
  };
  return { rows, column };
}

/** The numbers that a dtype stands for, little-endian; undefined for what is not read. */
export function npyNumberType(descr: unknown): NumberType | undefined {
  const [, order = "", kind = "", width = ""] = /^([<>=|]?)([a-zA-Z?])(\d*)$/.exec(String(descr)) ?? [];
  return order === ">" && width !== "1" ? undefined : numberType(kind, Number(width));
}

function numberType(kind: string, width: number): NumberType | undefined {
  if (kind === "b" || kind === "?") return "bool8";
  const name = KINDS[kind];
  const bits = 8 * width;
  if (name === undefined || ![8, 16, 32, 64].includes(bits) || (name === "float" && bits === 8))
    return undefined;
  return `${name}${bits}` as NumberType;
}

function unfit(file: DataFile, what: string): ColumnError {
  return new ColumnError(`The array holds ${what}`, {
    position: { path: file.path },
    remedy: "Give two arrays: the features, with one row each, and their labels.",
  });
}
