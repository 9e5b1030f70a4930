/** @file `createWebTransform`: the pipeline as a pair of web streams. */
import { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import { createTransform, type StreamTransformOptions } from "./duplex.ts";

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
  const { readable, writable } = Duplex.toWeb(createTransform(options));
  return { readable, writable };
}
