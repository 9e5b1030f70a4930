/** @file `createPredictTransform`: a model as a Node stream, Arrow IPC or npy bytes in and out. */
import type { Duplex } from "node:stream";
import { PassDuplex } from "../../pipeline/duplex.ts";
import type { Model } from "../model.ts";
import { type PredictOptions, predict } from "./predict.ts";

/** What `createPredictTransform` takes: there is no file to overwrite. */
export type StreamPredictOptions = Omit<PredictOptions, "overwrite">;

/**
 * A stream that adds predictions to the batches that pass through it. A reader that is slow stops the writer. Of a batch
 * it holds the predictions and the null bitmaps, at most `memory` bytes.
 *
 * @param model a model, or the path of one
 * @throws nothing; what goes wrong destroys the stream with a SluiceError
 *
 * ```ts
 * const model = await Model.load("digits.safetensors");
 * await pipeline(
 *   createReadStream("new.arrows"),
 *   createPredictTransform(model, { into: "digit", argmax: true }),
 *   createWriteStream("out.arrows"),
 * );
 * ```
 */
export function createPredictTransform(model: Model | string, options: StreamPredictOptions = {}): Duplex {
  return new PassDuplex(
    async (source, sink, signal) => {
      await predict(model, source, sink, { ...options, signal });
    },
    options.signal,
    64 * 1024,
  );
}
