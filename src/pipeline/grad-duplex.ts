/** @file `createGradTransform`: gradients through a Node stream, Arrow IPC bytes in and out. */
import { PassDuplex } from "./duplex.ts";
import { backwardJob, type Gradients, type GradOptions, gradientsOf } from "./grad-job.ts";
import type { FileTransformOptions } from "./options.ts";
import { pass } from "./pass.ts";
import { pending } from "./pending.ts";

/** What `createGradTransform` takes: the columns of x and dy must be named. */
export type StreamGradOptions = GradOptions &
  Pick<FileTransformOptions, "format"> & { readonly inputColumn: string; readonly upstream: string };

/** A stream whose parameter gradients are known when all has passed. */
export interface GradTransform extends PassDuplex {
  /** Resolves when the last byte is computed; rejects with what destroyed the stream. */
  readonly gradients: Promise<Gradients>;
}

/**
 * A stream that replaces dy by dx in the bytes that pass through it. In each batch the column of x must be at hand where
 * dy is: it is held, or looked ahead for, up to `memory` bytes.
 *
 * @throws OpSyntaxError, UsageError for options it cannot have; everything else destroys the stream with a SluiceError
 *
 * ```ts
 * const backward = createGradTransform({ ops: "leaky_relu", inputColumn: "x", upstream: "dy" });
 * await pipeline(createReadStream("steps.arrows"), backward, createWriteStream("out.arrows"));
 * console.log(await backward.gradients); // { 'leaky_relu.alpha': -187625 }
 * ```
 */
export function createGradTransform(options: StreamGradOptions): GradTransform {
  const job = backwardJob(options);
  // Whoever does not ask for them learns of errors from the stream.
  const gradients = pending<Gradients>();
  const duplex = new PassDuplex(
    async (source, sink, signal) => {
      const { sums } = await pass({ main: source }, sink, () => job, { ...options, signal });
      gradients.settle(gradientsOf(job.program, sums));
    },
    options.signal,
    64 * 1024,
  );
  duplex.once("error", gradients.fail);
  duplex.once("close", gradients.abandon);
  return Object.assign(duplex, { gradients: gradients.promise });
}
