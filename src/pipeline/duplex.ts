/** @file `createTransform`: the pipeline as a Node stream, Arrow IPC or npy bytes in and out. */
import { Duplex } from "node:stream";
import { AbortError } from "../errors.ts";
import { forwardJob } from "./job.ts";
import type { FileTransformOptions } from "./options.ts";
import { pass } from "./pass.ts";
import type { StreamSink } from "./sink.ts";
import type { StreamSource } from "./source.ts";

/** What `createTransform` and `createWebTransform` take: there is no file to overwrite. */
export type StreamTransformOptions = Omit<FileTransformOptions, "overwrite">;

/**
 * A stream that computes a chain of ops on the tensors in the bytes that pass through it. A reader that is slow stops
 * the writer: at most some windows (2 MiB each, two a worker) are in between.
 *
 * @throws OpSyntaxError, UsageError for options it cannot have; everything else destroys the stream with a SluiceError
 *
 * ```ts
 * await pipeline(createReadStream("in.arrows"), createTransform({ ops: "leaky_relu" }), createWriteStream("out.arrows"));
 * ```
 */
export function createTransform(options: StreamTransformOptions): Duplex {
  return createDuplex(options, 64 * 1024);
}

/** The same with another bound on the bytes that wait to be taken, beside those in windows. */
export function createDuplex(options: StreamTransformOptions, writableHighWaterMark: number): Duplex {
  const job = forwardJob(options);
  const work: Work = async (source, sink, signal) => {
    await pass({ main: source }, sink, () => job, { ...options, signal });
  };
  return new PassDuplex(work, options.signal, writableHighWaterMark);
}

/** What is done between the two ends of a duplex. Rejects when it is aborted. */
export type Work = (source: StreamSource, sink: StreamSink, signal: AbortSignal) => Promise<void>;

type Taken = (error?: Error | null) => void;

interface Handover {
  readonly chunk: Uint8Array;
  readonly taken: Taken;
}

/** A stream through which some work passes the bytes. */
export class PassDuplex extends Duplex {
  readonly #controller = new AbortController();
  readonly #finished: Promise<void>;
  #stopListening: () => void = () => {};

  /** A chunk that was written and is not taken yet. */
  #offered: Handover | undefined;
  /** Tells the writer that the chunk before is used up. */
  #taken: Taken = () => {};
  #ended = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(work: Work, signal: AbortSignal | undefined, writableHighWaterMark: number) {
    super({ readableHighWaterMark: 1, writableHighWaterMark });
    if (signal) {
      const abort = (): void => void this.destroy(new AbortError(signal.reason));
      signal.addEventListener("abort", abort, { once: true });
      this.#stopListening = () => signal.removeEventListener("abort", abort);
      if (signal.aborted) queueMicrotask(abort);
    }
    this.#finished = work(this.#source(), this.#sink(), this.#controller.signal).then(
      () => {
        this.#taken();
        this.push(null);
      },
      (error: Error) => void this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, taken: Taken): void {
    this.#offered = { chunk, taken };
    this.#wakeReader?.();
  }

  override _final(done: () => void): void {
    this.#ended = true;
    this.#wakeReader?.();
    done();
  }

  override _read(): void {
    this.#wakeWriter?.();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stopListening();
    this.#controller.abort(error);
    this.#ended = true;
    this.#wakeReader?.();
    this.#wakeWriter?.();
    void this.#finished.then(() => {
      // Whoever waits for a write to be over must not wait for ever.
      for (const taken of [this.#taken, this.#offered?.taken]) taken?.(error ?? new AbortError());
      done(error);
    });
  }

  #source(): StreamSource {
    return {
      kind: "stream",
      path: "<stream>",
      next: async () => {
        this.#taken();
        this.#taken = () => {};
        if (!this.#offered && !this.#ended) {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        }
        const offered = this.#offered;
        this.#offered = undefined;
        this.#taken = offered?.taken ?? (() => {});
        return offered?.chunk;
      },
      close: async () => {
        this.#ended = true;
        this.#wakeReader?.();
      },
    };
  }

  #sink(): StreamSink {
    return {
      kind: "stream",
      path: "<stream>",
      write: async (bytes) => {
        // The slot is used again: whoever reads gets bytes of their own.
        if (this.destroyed || this.push(Buffer.from(bytes))) return;
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
      },
      commit: async () => {},
      discard: async () => {
        this.#wakeWriter?.();
      },
    };
  }
}
