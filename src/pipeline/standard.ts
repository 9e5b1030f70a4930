/** @file Standard input and output as a source and a sink, whatever the shell connected them to. */
import { fstatSync, read, type Stats, write } from "node:fs";
import { Socket } from "node:net";
import { ioError } from "../errors.ts";
import { type StreamSink, streamSink } from "./sink.ts";
import { identify, isDirectory, type StreamSource, streamSource } from "./source.ts";

const INPUT = "<stdin>";
const OUTPUT = "<stdout>";
const CHUNK_BYTES = 1024 * 1024;

/** Standard input. A redirected file is read on from where it stands, like a pipe: someone may have read a part of it. */
export function standardInput(): StreamSource {
  const stats = statsOf(0, "open the input", INPUT);
  if (stats.isDirectory()) throw ioError(isDirectory(), "open the input", { path: INPUT });
  if (!stats.isFile()) return streamSource(process.stdin, INPUT);
  const chunk = new Uint8Array(CHUNK_BYTES);
  let byteOffset = 0;
  return {
    kind: "stream",
    path: INPUT,
    identity: identify(stats),
    next: () =>
      new Promise((resolve, reject) => {
        read(0, chunk, 0, chunk.length, null, (cause, count) => {
          if (cause) return reject(ioError(cause, "read", { path: INPUT, byteOffset }));
          byteOffset += count;
          resolve(count === 0 ? undefined : chunk.subarray(0, count));
        });
      }),
    close: async () => {},
  };
}

/** Standard output. It is left open. */
export function standardOutput(): StreamSink {
  const stats = statsOf(1, "open the output", OUTPUT);
  if (!stats.isFile() && !stats.isCharacterDevice()) {
    // Not process.stdout: its writes to a pipe block the thread, and with it Ctrl-C, for as long as the reader sleeps. But
    // it must exist before: the first worker makes it otherwise, and that fails while a socket waits on the descriptor.
    void process.stdout;
    const socket = new Socket({ fd: 1, readable: false, writable: true });
    return streamSink(socket, OUTPUT, { copies: false, ends: true });
  }
  let byteOffset = 0;
  return {
    kind: "stream",
    path: OUTPUT,
    ...(stats.isFile() ? { identity: identify(stats) } : {}),
    write: async (bytes) => {
      for (let done = 0; done < bytes.length; ) {
        done += await new Promise<number>((resolve, reject) => {
          write(1, bytes, done, bytes.length - done, null, (cause, count) => {
            if (cause) reject(ioError(cause, "write", { path: OUTPUT, byteOffset }));
            else resolve(count);
          });
        });
      }
      byteOffset += bytes.length;
    },
    commit: async () => {},
    discard: async () => {},
  };
}

function statsOf(fd: number, action: string, path: string): Stats {
  try {
    return fstatSync(fd);
  } catch (cause) {
    throw ioError(cause as NodeJS.ErrnoException, action, { path });
  }
}
