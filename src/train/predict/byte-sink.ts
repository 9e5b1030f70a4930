/** @file Bytes in order into a sink, whatever kind it is. */
import { AbortError } from "../../errors.ts";
import type { Sink } from "../../pipeline/sink.ts";
import { writeSpan } from "../../workers/files.ts";

export class ByteSink {
  /** Bytes written. */
  position = 0;
  readonly #sink: Sink;
  readonly #signal: AbortSignal | undefined;

  constructor(sink: Sink, signal: AbortSignal | undefined) {
    this.#sink = sink;
    this.#signal = signal;
  }

  /** Settles when the bytes may be overwritten. @throws IoError, AbortError */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#signal?.aborted) throw new AbortError(this.#signal.reason);
    const sink = this.#sink;
    const offset = this.position;
    this.position += bytes.length;
    if (bytes.length === 0) return;
    if (sink.kind === "file") await writeSpan({ fd: sink.fd, path: sink.path, offset }, bytes);
    else await sink.write(bytes);
  }

  /** Zeros up to this position. */
  async pad(to: number): Promise<void> {
    if (to > this.position) await this.write(new Uint8Array(to - this.position));
  }
}
