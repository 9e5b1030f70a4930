/** @file `grad`: the gradient of a chain of ops, backward through one input into one output. */
import { UsageError } from "../errors.ts";
import { backwardJob, type FileGradOptions, type GradResult, gradientsOf } from "./grad-job.ts";
import type { Job } from "./job.ts";
import { type Inputs, pass } from "./pass.ts";
import type { Output } from "./sink.ts";
import type { Input } from "./source.ts";

/** For npy: two inputs. */
export interface GradInputs {
  /** The input of the ops. */
  readonly x: Input;
  /** The gradient of their output; the output of `grad` has its bytes, with dx in the place of dy. */
  readonly dy: Input;
}

/**
 * The vector-Jacobian product of a chain of ops: dx = dy * f'(x) takes the place of dy, all other bytes stay as they
 * were, and the gradients of the ops' parameters are summed over all elements, to the same bits for any number of
 * workers and any `memory`.
 *
 * @param input Arrow (file or stream) with the columns `inputColumn` and `upstream`; or for npy `{ x, dy }`
 * @param output a path, a file URL or a Node Writable. A file appears only when it is whole.
 * @returns what `transform` gives, and `gradients`
 * @throws SluiceError as `transform`; ColumnError where x and dy differ in type, shape or the lengths of their rows;
 *   MemoryError where a stream has more between x and dy than `memory` holds
 *
 * ```ts
 * const { gradients } = await grad("steps.arrow", "out.arrow", { ops: "leaky_relu", inputColumn: "x", upstream: "dy" });
 * console.log(gradients["leaky_relu.alpha"]); // -187625
 * ```
 */
export async function grad(
  input: Input | GradInputs,
  output: Output,
  options: FileGradOptions,
): Promise<GradResult> {
  const inputs = isPair(input) ? { main: input.dy, other: input.x } : { main: input };
  const { result, program, sums } = await pass(inputs, output, () => jobFor(inputs, options), options);
  return { ...result, gradients: gradientsOf(program, sums) };
}

/** @throws as `backwardJob`; UsageError where the inputs and the options do not agree */
function jobFor({ main, other }: Inputs, options: FileGradOptions): Job {
  const job = backwardJob(options);
  if (other !== undefined && job.otherColumn !== undefined) {
    throw new UsageError("x and dy are two inputs, and columns are named too", {
      remedy: "Give two npy inputs, or one Arrow input and the names of its columns.",
    });
  }
  if (other === main) {
    throw new UsageError("x and dy are the same input", {
      remedy: "Give two: the input of the ops, and the gradient of their output.",
    });
  }
  return job;
}

function isPair(input: Input | GradInputs): input is GradInputs {
  return typeof input === "object" && input !== null && "x" in input && "dy" in input;
}
