/**
 * @file NumPy's npy format, versions 1 to 3: one array, all of it elements.
 *
 * ```text
 *   | 93 "NUMPY" | major minor | u16 length (version 1) or u32 | {'descr': '<f4', 'fortran_order': False, ...}\n | data |
 *     6 bytes      2             2 or 4                           header: Latin-1, UTF-8 from version 3 on
 * ```
 * Source: numpy.lib.format.
 */
import { UsageError } from "../errors.ts";
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import type { Channels, LayoutOptions, Step, Steps, TensorColumn } from "./layout.ts";
import { Place } from "./place.ts";
import { type PythonValue, parsePythonLiteral } from "./pythonLiteral.ts";

export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const MAX_HEADER = 2 ** 20;

/** What the header says of the array. */
export interface NpyHeader {
  /** The dtype as NumPy writes it, such as `<f4`; for records a list. */
  readonly descr: PythonValue;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Byte of the first element. */
  readonly start: number;
}

/** Walks an npy file. Bytes after the data, which numpy ignores, are kept. */
export function* walkNpy(options: LayoutOptions): Steps {
  const place = new Place(options.path, options.size);
  if (options.columns !== undefined && options.columns.length > 0) {
    throw new UsageError("An npy file holds one array, without columns", { remedy: "Leave out --column." });
  }
  const { descr, fortran, shape, start } = yield* readNpyHeader(place);
  const dtype = readDtype(descr, place);
  const count = product(shape);
  const length = count * BYTES_PER_ELEMENT[dtype];
  if (!Number.isSafeInteger(length))
    throw place.corrupt(`The shape (${shape.join(", ")}) is beyond any file`);

  // An empty list of columns selects nothing, as for Arrow.
  const selected = options.columns === undefined;
  yield {
    step: "schema",
    fields: [
      {
        name: "",
        type: `${dtype}[${shape.join(", ")}]${fortran ? " in Fortran order" : ""}`,
        nullable: false,
        role: selected ? "computed" : "tensor",
      },
    ],
    tensors: selected ? [tensorOf(dtype, shape, fortran)] : [],
    metadata: new Map(),
  };
  yield { step: "keep", length: start };
  place.offset += start;
  place.require(length, "the array");
  if (length > 0) {
    yield selected ? { step: "elements", tensor: 0, count, first: 0 } : { step: "keep", length };
    place.offset += length;
  }
  yield { step: "batch", rows: shape[0] ?? 1 };
  yield* keepRest(place);
}

/** Reads the header at the start of the input, by peeking. @throws CorruptError, TruncatedError, UnsupportedError */
export function* readNpyHeader(place: Place): Generator<Step, NpyHeader, Uint8Array> {
  const { version, prefix, length } = yield* headerLength(place);
  const start = prefix + length;
  place.require(start, "the header");
  const bytes = yield { step: "peek", length: start };
  if (bytes.length < start) throw place.short("the header", start, bytes.length);
  const text = new TextDecoder(version < 3 ? "latin1" : "utf-8").decode(bytes.subarray(prefix));
  return { ...readHeader(text, place), start };
}

/** The bytes before the header's text, and of it. */
function* headerLength(
  place: Place,
): Generator<Step, { version: number; prefix: number; length: number }, Uint8Array> {
  const head = yield { step: "peek", length: 12 };
  if (head.length < 10) throw place.short("the header", 10, head.length);
  if (!NPY_MAGIC.every((byte, i) => head[i] === byte))
    throw place.corrupt("The input does not begin as npy does");
  const version = head[6]!;
  if (version < 1 || version > 3 || head[7] !== 0) {
    throw place.unsupported(`The npy version is ${version}.${head[7]}; 1.0, 2.0 and 3.0 are read`, {
      remedy: "Save the array again with numpy.save.",
    });
  }
  if (version === 1) return { version, prefix: 10, length: head[8]! | (head[9]! << 8) };
  if (head.length < 12) throw place.short("the header", 12, head.length);
  const length = (head[8]! | (head[9]! << 8) | (head[10]! << 16) | (head[11]! << 24)) >>> 0;
  if (length > MAX_HEADER) throw place.corrupt(`The header has ${length} bytes; the limit is ${MAX_HEADER}`);
  return { version, prefix: 12, length };
}

function readHeader(text: string, place: Place): Omit<NpyHeader, "start"> {
  let value: PythonValue;
  try {
    value = parsePythonLiteral(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw place.corrupt(`The npy header ${error.message}`, { cause: error });
  }
  if (value === null || typeof value !== "object" || !("dict" in value)) {
    throw place.corrupt("The npy header is no dict");
  }
  const { dict } = value;
  const keys = ["descr", "fortran_order", "shape"];
  if (dict.size !== keys.length || !keys.every((key) => dict.has(key))) {
    throw place.corrupt(`The npy header has the keys ${[...dict.keys()].join(", ")}, not ${keys.join(", ")}`);
  }
  const fortran = dict.get("fortran_order");
  if (typeof fortran !== "boolean") throw place.corrupt("fortran_order in the npy header is no bool");
  return { descr: dict.get("descr")!, fortran, shape: readShape(dict.get("shape")!, place) };
}

const DTYPES: Readonly<Record<string, Dtype>> = { f2: "float16", f4: "float32", f8: "float64" };
const KINDS: Readonly<Record<string, string>> = {
  b: "booleans",
  i: "integers",
  u: "unsigned integers",
  f: "floats",
  c: "complex numbers",
  O: "Python objects",
  S: "bytes",
  U: "strings",
  V: "raw bytes",
  M: "dates",
  m: "time spans",
};

/** `<f4`, and `=f4` and `f4`, which mean the machine's own order: little endian wherever Node runs on. */
function readDtype(descr: PythonValue, place: Place): Dtype {
  if (typeof descr !== "string") {
    throw place.unsupported("The array is structured: its elements are records of several fields", {
      remedy: "Save one field as an array of its own, for example x['field'].astype('<f4').",
    });
  }
  const match = /^([<>=|]?)([a-zA-Z])(\d*)/.exec(descr);
  const [, order = "", kind = "", bytes = ""] = match ?? [];
  const dtype = DTYPES[kind + bytes];
  if (dtype !== undefined && match?.[0] === descr && order !== ">" && order !== "|") return dtype;
  const what =
    dtype !== undefined && order === ">" ? "big-endian floats" : (KINDS[kind] ?? "of another kind");
  const cast =
    kind === "c" ? "x.real.astype('<f4')" : `x.astype('<${kind === "f" && dtype ? kind + bytes : "f4"}')`;
  throw place.unsupported(`The elements of the array are ${what} (dtype ${JSON.stringify(descr)})`, {
    remedy: `Only float16, float32 and float64 are computed. Cast it in NumPy: ${cast}.`,
  });
}

function readShape(value: PythonValue, place: Place): number[] {
  const lengths = value !== null && typeof value === "object" && "tuple" in value ? value.tuple : null;
  if (lengths === null || !lengths.every((n): n is number => typeof n === "number" && n >= 0)) {
    throw place.corrupt("The shape in the npy header is no tuple of lengths");
  }
  return [...lengths];
}

function tensorOf(dtype: Dtype, shape: readonly number[], fortran: boolean): TensorColumn {
  const tensor = { name: "", dtype, shape, channels: channelsOf(shape, fortran) };
  return fortran ? { ...tensor, order: shape.map((_, axis) => shape.length - 1 - axis) } : tensor;
}

/** The last axis: its neighbours are 1 apart in C order, and in Fortran order as far as all other axes multiply to. */
function channelsOf(shape: readonly number[], fortran: boolean): Channels | null {
  const count = shape.at(-1);
  if (count === undefined) return null;
  return { count, stride: fortran ? Math.max(1, product(shape.slice(0, -1))) : 1 };
}

/** With a 0 among them it is 0, however large the others. */
function product(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((total, length) => total * length, 1);
}

function* keepRest(place: Place): Generator<Step, void, Uint8Array> {
  if (place.size !== Number.POSITIVE_INFINITY) {
    if (place.size > place.offset) yield { step: "keep", length: place.size - place.offset };
    return;
  }
  for (;;) {
    const bytes = yield { step: "peek", length: 65536 };
    if (bytes.length === 0) return;
    yield { step: "keep", length: bytes.length };
  }
}
