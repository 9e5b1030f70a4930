/** @file Where bytes come from: a file with random access, or anything that flows. */
import { constants, createReadStream, open as openFile, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ioError, SluiceError, UsageError } from "../errors.ts";

/** A regular file: any thread may read any part of it by position. */
export interface FileSource {
  readonly kind: "file";
  readonly path: string;
  readonly fd: number;
  readonly size: number;
  /** Which file it is, whatever its name. */
  readonly identity: string;
  close(): Promise<void>;
}

/** Bytes in order. */
export interface StreamSource {
  readonly kind: "stream";
  readonly path: string;
  readonly identity?: string;
  /** The next bytes, at least one; `undefined` at the end. They stay valid until the next call. */
  next(): Promise<Uint8Array | undefined>;
  /** Ends a `next` that is under way, too. */
  close(): Promise<void>;
}

export type Source = FileSource | StreamSource;

/** What a transform reads: a path, a file URL, a Node stream, or any source of chunks. */
export type Input = string | URL | Readable | AsyncIterable<Uint8Array> | Source;

export async function openSource(input: Input): Promise<Source> {
  if (typeof input === "string") return openPath(input);
  if (input instanceof URL) return openPath(pathOfUrl(input));
  if (input && typeof input === "object") {
    if ("kind" in input) return input;
    if (Symbol.asyncIterator in input) return streamSource(input, "<stream>");
  }
  throw new UsageError("The input is nothing to read from", {
    remedy: "Give a path, a file URL, a Readable or an async iterable of bytes.",
  });
}

/** Closes a stream that was given as input, but not opened yet: nobody will read it. */
export async function abandonInput(input: Input): Promise<void> {
  if (typeof input !== "object" || input === null || input instanceof URL) return;
  if ("kind" in input || Symbol.asyncIterator in input) await (await openSource(input)).close();
}

/** The path of a file URL. @throws UsageError for any other */
export function pathOfUrl(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const remedy = "Give a path or a file URL; of anything else, a stream.";
    throw new UsageError(`${url.href} is no file on this machine`, { cause, remedy });
  }
}

export const identify = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

/** What the system would say, sooner. */
export const isDirectory = (): NodeJS.ErrnoException =>
  Object.assign(new Error("is a directory"), { code: "EISDIR" });
export const noSuchFile = (): NodeJS.ErrnoException =>
  Object.assign(new Error("no such file or directory"), { code: "ENOENT" });

async function openPath(path: string): Promise<Source> {
  let file: FileHandle;
  try {
    const stats = await stat(path);
    if (stats.isFIFO()) return { ...(await openPipe(path)), identity: identify(stats) };
    if (stats.isDirectory()) throw isDirectory();
    if (!stats.isFile()) return streamSource(createReadStream(path), path);
    file = await open(path, "r");
  } catch (cause) {
    throw ioError(cause as NodeJS.ErrnoException, "open the input", { path });
  }
  const stats = await file.stat();
  return {
    kind: "file",
    path,
    fd: file.fd,
    size: stats.size,
    identity: identify(stats),
    close: () => file.close(),
  };
}

/**
 * A named pipe, read without blocking: a thread that is stuck in `open` or `read` would keep the process from ending.
 */
async function openPipe(path: string): Promise<StreamSource> {
  const fd = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return streamSource(new Socket({ fd, readable: true, writable: false }), path);
}

/** For a socket to own: a FileHandle would close its descriptor too, when that number may be another file's already. */
export const openDescriptor = promisify(openFile);

export function streamSource(chunks: Readable | AsyncIterable<Uint8Array>, path: string): StreamSource {
  // Its iterator listens only from the first `next` on; an error before that is told then, and must not end the process.
  if (chunks instanceof Readable) chunks.on("error", () => {});
  const iterator = chunks[Symbol.asyncIterator]() as AsyncIterator<unknown>;
  let byteOffset = 0;
  let closed = false;
  let end: () => void = () => {};

  /** The iterator's next chunk, or the end as soon as the source is closed: an iterator may never answer. */
  const nextChunk = (): Promise<IteratorResult<unknown>> =>
    new Promise((resolve, reject) => {
      end = () => resolve({ done: true, value: undefined });
      iterator.next().then(resolve, reject);
    });

  return {
    kind: "stream",
    path,
    async next() {
      try {
        while (!closed) {
          const { done, value } = await nextChunk();
          if (done) break;
          const bytes = bytesOf(value);
          byteOffset += bytes.length;
          if (bytes.length > 0) return bytes;
        }
        return undefined;
      } catch (cause) {
        if (cause instanceof SluiceError) throw cause;
        throw ioError(cause as NodeJS.ErrnoException, "read", { path, byteOffset });
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      end();
      if (chunks instanceof Readable) chunks.destroy();
      else void iterator.return?.().then(undefined, () => {});
    },
  };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`A chunk of the input is ${typeof chunk}, not bytes`);
}
