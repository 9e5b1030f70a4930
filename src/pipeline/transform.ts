/** @file `transform`: one input through a chain of ops into one output. */
import { forwardJob } from "./job.ts";
import type { FileTransformOptions, TransformResult } from "./options.ts";
import { pass } from "./pass.ts";
import type { Output } from "./sink.ts";
import type { Input } from "./source.ts";

/**
 * Computes a chain of ops on the tensors of `input` and writes everything to `output`: the tensor elements changed, all
 * other bytes as they were.
 *
 * @param input a path, a file URL, a Node Readable or an async iterable of bytes; Arrow IPC (file or stream) or npy
 * @param output a path, a file URL or a Node Writable. A file appears only when it is whole.
 * @throws SluiceError of the class that says what went wrong; see `errors.ts`. Then there is no output file, one that was
 *   there is untouched, and streams that were given are destroyed, as `stream.pipeline` does.
 *
 * ```ts
 * const result = await transform("in.arrow", "out.arrow", { ops: "leaky_relu(alpha=0.1)", columns: ["embedding"] });
 * console.log(`${result.elements} elements in ${result.seconds} s`);
 * ```
 */
export async function transform(
  input: Input,
  output: Output,
  options: FileTransformOptions,
): Promise<TransformResult> {
  const { result } = await pass({ main: input }, output, () => forwardJob(options), options);
  return result;
}
