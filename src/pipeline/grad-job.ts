/** @file What `grad` takes and what it tells: options, checked, and gradients by the names of parameters. */
import { UsageError } from "../errors.ts";
import { backward } from "../ops/backward.ts";
import { backwardFromOutput } from "../ops/from-output.ts";
import type { Program } from "../ops/program.ts";
import { type Job, jobOf } from "./job.ts";
import type { FileTransformOptions, TransformOptions, TransformResult } from "./options.ts";

/** What `grad` and its relatives take, wherever the bytes come from. */
export interface GradOptions extends Omit<TransformOptions, "columns"> {
  /** The column of x, the input of the ops; of one type and shape with `upstream`. For npy left out. */
  readonly inputColumn?: string | undefined;
  /** The column of dy, the gradient of the ops' output, which dx replaces. For npy left out. */
  readonly upstream?: string | undefined;
  /**
   * Whether x holds the output of the ops instead of their input, as after an op in place. Only for one op whose output
   * tells enough: leaky_relu and prelu with slopes above 0, and relu.
   */
  readonly fromOutput?: boolean | undefined;
}

/** What `grad` takes: these, and what an output file needs. */
export type FileGradOptions = GradOptions & Pick<FileTransformOptions, "format" | "overwrite">;

/**
 * The gradient of every parameter of the chain: `leaky_relu.alpha`; of the second leaky_relu in a chain
 * `leaky_relu#2.alpha`. One number, or one per channel where the parameter has one per channel.
 */
export type Gradients = Readonly<Record<string, number | readonly number[]>>;

/** What `grad` did, with the gradients of the parameters. */
export interface GradResult extends TransformResult {
  readonly gradients: Gradients;
}

/** @throws OpSyntaxError, UsageError; UnsupportedError where an op has no derivative */
export function backwardJob(options: GradOptions): Job {
  const { inputColumn, upstream, fromOutput = false } = options;
  if ((inputColumn === undefined) !== (upstream === undefined)) {
    const missing = upstream === undefined ? "dy (--upstream)" : "x (--input-column)";
    throw new UsageError(`It is not said which column is ${missing}`, {
      remedy:
        "Name both: the input of the ops with --input-column, the gradient of their output with --upstream " +
        "(in the API: inputColumn and upstream).",
    });
  }
  return {
    ...jobOf(options, fromOutput ? backwardFromOutput : backward),
    columns: upstream === undefined ? undefined : [upstream],
    otherColumn: inputColumn,
  };
}

/** The program's sums by their names. */
export function gradientsOf({ sums }: Program, values: readonly Float64Array[]): Gradients {
  return Object.fromEntries(
    sums.map(({ name, perChannel }, i) => {
      const value = values[i] ?? new Float64Array(1);
      return [name, perChannel ? [...value] : value[0]!];
    }),
  );
}
