/** @file Which container format an input is in, from its first bytes; and the layout that walks it. */
import { NotRecognisedError, type Position, TruncatedError, UsageError } from "../errors.ts";
import { walkFile } from "./arrow/file.ts";
import { MAGIC } from "./arrow/footer.ts";
import { CONTINUATION, word } from "./arrow/message.ts";
import { walkStream } from "./arrow/stream.ts";
import type { Format, LayoutOptions, Steps } from "./layout.ts";
import { NPY_MAGIC, walkNpy } from "./npy.ts";
import { MAX_METADATA } from "./place.ts";

const CONTINUED = [0xff, 0xff, 0xff, 0xff];

/** How many of the first bytes `detectFormat` looks at. */
export const DETECT_BYTES = 16;

const READ = "Sluice reads Arrow IPC files and streams, and npy.";
const TO_ARROW = 'in PyArrow: feather.write_feather(table, "out.arrow", compression="uncompressed")';

/** What else an input may be: its first bytes (text, or numbers where it is none), its name, and what to do. */
const OTHERS: readonly (readonly [start: string | readonly number[], name: string, remedy: string])[] = [
  ["PAR1", "a Parquet file", `Convert it to Arrow, ${TO_ARROW}.`],
  ["FEA1", "a Feather V1 file, a format older than Arrow IPC", `Convert it to Arrow, ${TO_ARROW}.`],
  ["ORC", "an ORC file", `Convert it to Arrow, ${TO_ARROW}.`],
  ["Obj\x01", "an Avro file", "Convert it to Arrow."],
  [
    [0x89, 0x48, 0x44, 0x46],
    "an HDF5 file",
    "Save the data set as .npy, in Python: np.save(path, dataset[...]).",
  ],
  [
    [0x50, 0x4b],
    "a zip archive (as .npz, .pt and .zip files are)",
    "Take the array out of it, in Python: np.save(path, np.load(archive)[name]).",
  ],
  [
    [0x1f, 0x8b],
    "compressed with gzip",
    "Decompress it on the way: gzip -dc input | sluice apply <ops> - output.",
  ],
  [
    [0x28, 0xb5, 0x2f, 0xfd],
    "compressed with zstd",
    "Decompress it on the way: zstd -dc input | sluice apply <ops> - output.",
  ],
  [
    [0x04, 0x22, 0x4d, 0x18],
    "compressed with lz4",
    "Decompress it on the way: lz4 -dc input | sluice apply <ops> - output.",
  ],
  [
    "BZh",
    "compressed with bzip2",
    "Decompress it on the way: bzip2 -dc input | sluice apply <ops> - output.",
  ],
  [
    [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    "compressed with xz",
    "Decompress it on the way: xz -dc input | sluice apply <ops> - output.",
  ],
  ["GGUF", "a GGUF file", READ],
  [
    "MATLAB 5.0",
    "a MATLAB file",
    "Save the array as .npy, in Python: np.save(path, scipy.io.loadmat(file)[name]).",
  ],
  [[0x80, 0x02], "a Python pickle", "Save the array as .npy, in Python: np.save(path, array)."],
  [[0x80, 0x04], "a Python pickle", "Save the array as .npy, in Python: np.save(path, array)."],
  [[0x80, 0x05], "a Python pickle", "Save the array as .npy, in Python: np.save(path, array)."],
];

/**
 * Tells the format from the first bytes of an input: `DETECT_BYTES` of them, fewer only where the input has no more.
 * `position` is for the error.
 * @throws NotRecognisedError, saying what the input looks like instead; TruncatedError where it ends within its magic
 */
export function detectFormat(head: Uint8Array, position: Position = {}): Format {
  if (startsWith(head, MAGIC)) return "arrow";
  if (startsWith(head, NPY_MAGIC)) return "npy";
  if (head.length === 0) {
    throw new NotRecognisedError("The input is empty", { position, remedy: READ });
  }
  const size = `The input has only ${head.length} byte${head.length === 1 ? "" : "s"}`;
  if (isCut(head)) {
    throw new TruncatedError(size, { position, remedy: "It was cut short; copy or write it again." });
  }
  const [name, remedy] = looksLike(head);
  if (name !== undefined) throw new NotRecognisedError(`The input is ${name}`, { position, remedy });
  if (head.length < 8) {
    throw new NotRecognisedError(`${size}, and is in no known format`, { position, remedy: READ });
  }
  if (looksLikeStream(head)) return "arrows";
  throw new NotRecognisedError("The input is in no known format", { position, remedy: READ });
}

/** The format that the name of an output asks for; undefined where it does not say. */
export function formatOfPath(path: string): Format | undefined {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  switch (extension) {
    case "arrow":
    case "feather":
    case "ipc":
      return "arrow";
    case "arrows":
      return "arrows";
    case "npy":
      return "npy";
    default:
      return undefined;
  }
}

/** The steps of a walk over an input in `format`. @throws UsageError for a conversion that makes no sense */
export function openLayout(format: Format, options: LayoutOptions): Steps {
  const to = options.to ?? format;
  if ((to === "npy") !== (format === "npy")) {
    throw new UsageError(`An input in ${NAMES[format]} format cannot be written as ${NAMES[to]}`, {
      position: options.path === undefined ? {} : { path: options.path },
      remedy: to === "npy" ? "Name the output .arrow or .arrows." : "Name the output .npy.",
    });
  }
  if (format === "npy") return walkNpy(options);
  return format === "arrow" ? walkFile({ ...options, to }) : walkStream({ ...options, to });
}

const NAMES = { arrow: "Arrow file", arrows: "Arrow stream", npy: "npy" } as const;

/** Whether the input ends within the first bytes of a format that is read. */
function isCut(head: Uint8Array): boolean {
  if (head.length >= 8) return false;
  return (
    [MAGIC, NPY_MAGIC].some((magic) => startsWith(magic, head)) || startsWith(CONTINUED, head.subarray(0, 4))
  );
}

/** What the input is instead of a tensor file, and what to do about it. */
function looksLike(head: Uint8Array): readonly [name: string | undefined, remedy: string] {
  for (const [start, name, remedy] of OTHERS) {
    const bytes = typeof start === "string" ? new TextEncoder().encode(start) : start;
    if (startsWith(head, bytes)) return [name, remedy];
  }
  // safetensors: u64 length of a JSON header, then the header itself.
  if (head.length >= 9 && head[8] === 0x7b && word(head, 4) === 0) {
    return [
      "a safetensors file",
      "Save its tensors as .npy, in Python: np.save(path, safe_open(...).get_tensor(name)).",
    ];
  }
  if (!head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13) || isNotText(head)) {
    return [undefined, ""];
  }
  const text = new TextDecoder().decode(head).trimStart();
  if (/^[{[]/.test(text)) return ["text that looks like JSON", `Convert it to Arrow, ${TO_ARROW}.`];
  return [
    "text (CSV, perhaps)",
    `Convert it to Arrow, in PyArrow with pyarrow.csv.read_csv, then ${TO_ARROW.slice(12)}.`,
  ];
}

/** Whether the bytes are not UTF-8 text, even if the last character may be cut. */
function isNotText(head: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return false;
  } catch {
    return true;
  }
}

/**
 * A message since Arrow 0.15 begins with a continuation word. Before, it began with the length of its metadata, followed by
 * the distance to the flatbuffer's root table, which lies within that length.
 */
function looksLikeStream(head: Uint8Array): boolean {
  const first = word(head, 0);
  const second = word(head, 4);
  if (first === CONTINUATION) return second >= 0 && second <= MAX_METADATA;
  return first >= 16 && first <= MAX_METADATA && second >= 4 && second < first && second % 4 === 0;
}

function startsWith(bytes: ArrayLike<number>, start: ArrayLike<number>): boolean {
  if (start.length > bytes.length) return false;
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
