/** @file `createWebTransform`: the pipeline as a pair of web streams. */
import { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import { createDuplex, type StreamTransformOptions } from "./duplex.ts";

/** What `ReadableStream.pipeThrough` takes. */
export interface WebTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * The web twin of `createTransform`: the same bytes, back-pressure and errors.
 *
 * ```ts
 * const body = response.body.pipeThrough(createWebTransform({ ops: "leaky_relu" }));
 * ```
 */
export function createWebTransform(options: StreamTransformOptions): WebTransform {
  // Node takes the mark for a number of chunks, of whatever size: 1 is the only one that bounds their bytes.
  const { readable, writable } = Duplex.toWeb(createDuplex(options, 1));
  return { readable, writable };
}
