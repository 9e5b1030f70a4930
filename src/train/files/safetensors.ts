/**
 * @file The safetensors format: named tensors behind a JSON header, which says where each lies.
 *
 * ```text
 *   | u64 header length | {"__metadata__":{...},"0.bias":{"dtype":"F32","shape":[256],"data_offsets":[0,1024]},...}   | data |
 *     8 bytes             UTF-8, padded with spaces to a multiple of 8
 * ```
 * The offsets count from the first byte of the data. Tensors fill it without a gap and without sharing a byte.
 * Source: github.com/huggingface/safetensors, README ("Format") and safetensors/src/tensor.rs (`validate`).
 */
import type { Place } from "../../formats/place.ts";

/** One tensor as the header describes it. */
export interface TensorEntry {
  readonly name: string;
  /** As the format calls it: `F32`, `BF16`, `I64`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the first byte of the data. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorEntry[];
}

/** The header's length, at the very start. */
export const LENGTH_BYTES = 8;
/** As the reference has it (`MAX_HEADER_SIZE`). */
export const MAX_HEADER = 100_000_000;

const METADATA = "__metadata__";

const BYTES: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1 },
  ...{ I16: 2, U16: 2, F16: 2, BF16: 2 },
  ...{ I32: 4, U32: 4, F32: 4 },
  ...{ I64: 8, U64: 8, F64: 8 },
};

/**
 * The header's length from the first eight bytes of a file of `size` bytes.
 * @throws TruncatedError, CorruptError for a length that cannot be
 */
export function readHeaderLength(head: Uint8Array, size: number, place: Place): number {
  if (head.length < LENGTH_BYTES) throw place.short("the length of the header", LENGTH_BYTES, head.length);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  if (length < 2 || length > MAX_HEADER) {
    throw place.corrupt(`The length of the header is ${length} bytes; the limit is ${MAX_HEADER}`);
  }
  const left = size - LENGTH_BYTES;
  if (length > left) throw place.short("the header", length, left);
  return length;
}

/**
 * Reads the header's JSON, and checks each tensor against the `dataBytes` that follow.
 * @throws CorruptError, TruncatedError, UnsupportedError for a dtype whose size is not known
 */
export function readHeader(json: Uint8Array, dataBytes: number, place: Place): SafetensorsHeader {
  const entries = Object.entries(parseObject(json, place));
  const metadata = new Map<string, string>();
  const tensors: TensorEntry[] = [];
  for (const [name, value] of entries) {
    if (name !== METADATA) tensors.push(readEntry(name, value, place));
    else for (const [key, text] of readMetadata(value, place)) metadata.set(key, text);
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkExtents(tensors, dataBytes, place);
  return { metadata, tensors };
}

/**
 * The length and the header of a file, for tensors that follow in this order, without gaps.
 * @param tensors float32
 */
export function writeHeader(
  tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly bytes: number }[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  let end = 0;
  // Not as one object: JavaScript would put names that are whole numbers first.
  const members = tensors.map(({ name, shape, bytes }) => {
    const begin = end;
    end += bytes;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: "F32", shape, data_offsets: [begin, end] })}`;
  });
  if (metadata.size > 0) {
    const texts = [...metadata].sort(byKey).map((pair) => pair.map((text) => JSON.stringify(text)).join(":"));
    members.unshift(`"${METADATA}":{${texts.join(",")}}`);
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

function parseObject(json: Uint8Array, place: Place): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    throw place.corrupt("The header is no JSON", { cause });
  }
  if (isObject(value)) return value;
  throw place.corrupt("The header is no JSON object");
}

function readMetadata(value: unknown, place: Place): [string, string][] {
  const entries = isObject(value) ? Object.entries(value) : undefined;
  if (entries?.every((entry): entry is [string, string] => typeof entry[1] === "string")) return entries;
  throw place.corrupt(`${METADATA} in the header is no map of texts`);
}

function readEntry(name: string, value: unknown, place: Place): TensorEntry {
  const what = `The tensor ${JSON.stringify(name)}`;
  if (!isObject(value)) throw place.corrupt(`${what} is no JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw place.corrupt(`${what} has no dtype`);
  if (!isLengths(shape)) throw place.corrupt(`The shape of ${what.slice(4)} is no list of lengths`);
  if (!isLengths(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw place.corrupt(`The data_offsets of ${what.slice(4)} are no begin and end`);
  }
  const each = Object.hasOwn(BYTES, dtype) ? BYTES[dtype]! : undefined;
  if (each === undefined) {
    throw place.unsupported(`${what} has the dtype ${JSON.stringify(dtype)}`, {
      remedy: "Cast it to float32, in PyTorch: {name: tensor.float()} with safetensors.torch.save_file.",
    });
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, each);
  if (end - begin !== bytes) {
    throw place.corrupt(
      `${what} has ${end - begin} bytes; ${dtype} of shape [${shape.join(", ")}] takes ${bytes}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Throws unless the tensors, in the order of their bytes, fill the data. */
function checkExtents(tensors: readonly TensorEntry[], dataBytes: number, place: Place): void {
  let at = 0;
  for (const { name, begin, end } of tensors) {
    if (end > dataBytes) {
      throw place.short(`the tensor ${JSON.stringify(name)}`, end - begin, Math.max(0, dataBytes - begin));
    }
    if (begin !== at) {
      const problem = begin < at ? "shares bytes with the one before it" : "leaves a gap before it";
      throw place.corrupt(`The tensor ${JSON.stringify(name)} ${problem}`);
    }
    at = end;
  }
  if (at !== dataBytes) throw place.corrupt(`${dataBytes - at} bytes follow the last tensor`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}
