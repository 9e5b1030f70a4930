/** @file Where bytes go: a file that appears only when it is whole, or anything that flows. */
import { constants, createWriteStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AbortError, ioError, UsageError } from "../errors.ts";
import { OutputFile } from "./output-file.ts";
import { openDescriptor, pathOfUrl } from "./source.ts";

/** Takes bytes in order. */
export interface StreamSink {
  readonly kind: "stream";
  readonly path: string;
  readonly identity?: string;
  /** Settles when the bytes may be overwritten, and more may come. */
  write(bytes: Uint8Array): Promise<void>;
  /** All is written. */
  commit(): Promise<void>;
  /** It went wrong: ends a `write` that is under way, too. */
  discard(error: Error): Promise<void>;
}

export type Sink = OutputFile | StreamSink;

/** What a transform writes: a path, a file URL or a Node stream. */
export type Output = string | URL | Writable | Sink;

export interface SinkOptions {
  readonly overwrite: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The path that an output names; `undefined` for a stream. */
export function pathOf(output: Output): string | undefined {
  if (typeof output === "string") return output;
  return output instanceof URL ? pathOfUrl(output) : undefined;
}

export async function openSink(output: Output, options: SinkOptions): Promise<Sink> {
  const path = pathOf(output);
  if (path !== undefined) return openPath(path, options);
  if (output && typeof output === "object") {
    if ("kind" in output) return output as Sink;
    if ("write" in output && "destroy" in output) {
      return streamSink(output, "<stream>", { copies: true, ends: true });
    }
  }
  throw new UsageError("The output is nothing to write to", {
    remedy: "Give a path, a file URL or a Writable.",
  });
}

/** Tells a stream that was given as output, but not opened yet, that nothing will come. */
export async function abandonOutput(output: Output, error: Error): Promise<void> {
  if (pathOf(output) !== undefined) return;
  const sink = await openSink(output, { overwrite: false, signal: undefined });
  await sink.discard(error);
}

/** The existing file at a path, if there is one. */
export async function statOutput(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw ioError(cause as NodeJS.ErrnoException, "open the output", { path });
  }
}

async function openPath(path: string, { overwrite, signal }: SinkOptions): Promise<Sink> {
  const stats = await statOutput(path);
  try {
    if (stats?.isFIFO()) return await openPipe(path, signal);
    if (stats?.isCharacterDevice()) {
      return streamSink(createWriteStream(path, { flags: "r+" }), path, { copies: false, ends: true });
    }
  } catch (cause) {
    if (cause instanceof AbortError) throw cause;
    throw ioError(cause as NodeJS.ErrnoException, "open the output", { path });
  }
  return OutputFile.create(path, { overwrite, existing: stats });
}

/** A named pipe opens when a reader comes. Waiting for one in a thread would keep the process from ending. */
async function openPipe(path: string, signal: AbortSignal | undefined): Promise<StreamSink> {
  for (;;) {
    try {
      const fd = await openDescriptor(path, constants.O_WRONLY | constants.O_NONBLOCK);
      const socket = new Socket({ fd, readable: false, writable: true });
      return streamSink(socket, path, { copies: false, ends: true });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENXIO") throw cause;
    }
    await sleep(20, undefined, signal ? { signal } : {}).catch((cause: unknown) => {
      throw new AbortError(cause);
    });
  }
}

export interface StreamSinkOptions {
  readonly identity?: string;
  /** Whether the stream may hold on to a chunk after it called back, so that it needs one of its own. */
  readonly copies: boolean;
  /** Whether to end the stream when all is written. */
  readonly ends: boolean;
}

export function streamSink(stream: Writable, path: string, options: StreamSinkOptions): StreamSink {
  let byteOffset = 0;
  let failed: Error | undefined;
  let fail: (error: Error) => void = () => {};
  const onError = (error: Error): void => {
    failed ??= error;
    fail(failed);
  };
  const onClosed = (): void => onError(stream.errored ?? new Error("The stream was closed"));
  stream.on("error", onError);
  stream.once("close", () => {
    if (!stream.writableFinished) onClosed();
  });
  // One that is over already does not say so again.
  if (stream.destroyed || stream.writableEnded) onClosed();

  /** Runs a call that calls back, or fails with the stream. */
  const settle = async (call: (done: (error?: Error | null) => void) => void): Promise<void> => {
    try {
      if (failed) throw failed;
      await new Promise<void>((resolve, reject) => {
        fail = reject;
        call((error) => (error ? reject(failed ?? error) : resolve()));
      });
    } catch (cause) {
      throw ioError(cause as NodeJS.ErrnoException, "write", { path, byteOffset });
    }
  };

  return {
    kind: "stream",
    path,
    ...(options.identity === undefined ? {} : { identity: options.identity }),
    async write(bytes) {
      const chunk = options.copies ? bytes.slice() : bytes;
      await settle((done) => {
        // A stream with room takes the next chunk at once; one without calls back when this one is gone.
        if (!options.copies) stream.write(chunk, done);
        else if (stream.write(chunk)) done();
        else stream.once("drain", done);
      });
      byteOffset += chunk.length;
    },
    async commit() {
      if (options.ends) await settle((done) => stream.end(done));
    },
    async discard(error) {
      stream.destroy(error);
    },
  };
}
