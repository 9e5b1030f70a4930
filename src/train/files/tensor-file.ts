/** @file Safetensors files of float32 tensors, read and written. A file appears whole or not at all. */
import { fsync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { ioError, NotRecognisedError, UsageError } from "../../errors.ts";
import { Place } from "../../formats/place.ts";
import { OutputFile } from "../../pipeline/output-file.ts";
import { statOutput } from "../../pipeline/sink.ts";
import { type FileSource, openSource } from "../../pipeline/source.ts";
import { readSpan, writeSpan } from "../../workers/files.ts";
import { beginsAsSafetensors, HEAD_BYTES } from "./is-safetensors.ts";
import {
  LENGTH_BYTES,
  readHeader,
  readHeaderLength,
  type SafetensorsHeader,
  type TensorEntry,
  writeHeader,
} from "./safetensors.ts";

/** A tensor with its values, in C order. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An open safetensors file, whose header has been read and checked. */
export interface TensorFile extends SafetensorsHeader {
  readonly path: string;
  /** Bytes in all. */
  readonly size: number;
  /** Reads one tensor. @throws UnsupportedError where it is not float32 */
  read(entry: TensorEntry): Promise<Float32Array>;
}

/** One read or write of the system must be shorter than 2^31 bytes. */
const MOST_BYTES = 2 ** 30;

/**
 * Opens a file for as long as `use` takes.
 * @throws IoError, NotRecognisedError, CorruptError, TruncatedError, UnsupportedError
 */
export async function withTensorFile<Result>(
  path: string,
  use: (file: TensorFile) => Promise<Result>,
): Promise<Result> {
  const source = await openSource(path);
  try {
    if (source.kind !== "file") {
      throw new UsageError("A model is read at any offset, and this is a stream", {
        position: { path },
        remedy: "Give the path of a regular file.",
      });
    }
    return await use(await readFile(source));
  } finally {
    await source.close();
  }
}

async function readFile({ fd, path, size }: FileSource): Promise<TensorFile> {
  const place = new Place(path, size);
  const head = new Uint8Array(Math.min(HEAD_BYTES, size));
  await readSpan({ fd, path, offset: 0 }, head);
  if (head.length === HEAD_BYTES && !beginsAsSafetensors(head)) {
    throw new NotRecognisedError("The file is no safetensors", {
      position: { path },
      remedy: "Name a model, which sluice train or model.save has written.",
    });
  }
  const length = readHeaderLength(head, size, place);
  place.offset = LENGTH_BYTES;
  const json = new Uint8Array(length);
  await readSpan({ fd, path, offset: LENGTH_BYTES }, json);
  const start = LENGTH_BYTES + length;
  const header = readHeader(json, size - start, place);
  return {
    ...header,
    path,
    size,
    async read({ name, dtype, begin, end }) {
      if (dtype !== "F32") {
        throw place.unsupported(`The tensor ${JSON.stringify(name)} is ${dtype}, not F32`, {
          remedy: "Save it as float32, in PyTorch: tensor.float().",
        });
      }
      const values = new Float32Array((end - begin) / 4);
      await inPieces(values, (bytes, at) => readSpan({ fd, path, offset: start + begin + at }, bytes));
      return values;
    },
  };
}

export interface WriteOptions {
  /** Replace a file that exists. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Writes tensors in the order of their names. The bytes follow from names, shapes, values and metadata alone. All of them
 * are on the disk before the file takes its name: whatever happens, there is the old file or the new one.
 *
 * @throws OutputExistsError, IoError
 */
export async function writeTensorFile(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string>,
  options: WriteOptions = {},
): Promise<void> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const described = sorted.map(([name, { shape, values }]) => ({ name, shape, bytes: values.byteLength }));
  await writeWhole(
    path,
    [writeHeader(described, metadata), ...sorted.map(([, { values }]) => values)],
    options,
  );
}

/** Writes a file of these parts, one behind the other. @throws OutputExistsError, IoError */
export async function writeWhole(
  path: string,
  parts: readonly (Uint8Array | Float32Array)[],
  { overwrite = false }: WriteOptions = {},
): Promise<void> {
  const output = await createOutput(path, overwrite);
  try {
    let offset = 0;
    for (const part of joined(parts)) {
      const start = offset;
      await inPieces(part, (bytes, at) => writeSpan({ fd: output.fd, path, offset: start + at }, bytes));
      offset += part.byteLength;
    }
    await sync(output.fd).catch((cause) => {
      throw ioError(cause as NodeJS.ErrnoException, "write", { path });
    });
  } catch (error) {
    await output.discard();
    throw error;
  }
  await output.commit();
  await syncDirectory(dirname(path));
}

/**
 * Begins a file, and gives it up: what cannot be written is to be told before hours are spent.
 * @throws OutputExistsError, IoError; UsageError for a device
 */
export async function checkOutputFile(path: string, { overwrite = false }: WriteOptions = {}): Promise<void> {
  await (await createOutput(path, overwrite)).discard();
}

async function createOutput(path: string, overwrite: boolean): Promise<OutputFile> {
  const existing = await statOutput(path);
  refuseDevice(existing, path);
  return OutputFile.create(path, { overwrite, existing });
}

/** Small parts are written together: a graph is thousands of names. */
const SMALL = 64 * 1024;

function* joined(parts: readonly (Uint8Array | Float32Array)[]): Generator<Uint8Array | Float32Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    const isSmall = part.byteLength < SMALL;
    if (isSmall) {
      small.push(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      bytes += part.byteLength;
    }
    if (!isSmall || bytes > SMALL) {
      yield Buffer.concat(small);
      [small, bytes] = [[], 0];
    }
    if (!isSmall) yield part;
  }
  yield Buffer.concat(small);
}

const sync = promisify(fsync);

/** So that the new name, too, survives a power cut; not every system can do that for a directory. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path).catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

function refuseDevice(existing: Stats | undefined, path: string): void {
  if (!existing || existing.isFile() || existing.isDirectory()) return;
  throw new UsageError("A model is written to a regular file, and this is none", { position: { path } });
}

/** Hands out the bytes of an array in pieces that the system takes, each with its offset. */
async function inPieces(
  { buffer, byteOffset, byteLength }: Uint8Array | Float32Array,
  move: (bytes: Uint8Array, at: number) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < byteLength; at += MOST_BYTES) {
    await move(new Uint8Array(buffer, byteOffset + at, Math.min(MOST_BYTES, byteLength - at)), at);
  }
}
