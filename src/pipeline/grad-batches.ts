/** @file `gradBatches`: gradients of apache-arrow record batches, for those who have them in memory already. */
import type { RecordBatch } from "apache-arrow";
import { type Batches, passBatches } from "./batches.ts";
import { backwardJob, type Gradients, type GradOptions, gradientsOf } from "./grad-job.ts";
import { pending } from "./pending.ts";

/** What `gradBatches` takes: the columns of x and dy must be named. */
export type BatchGradOptions = GradOptions & { readonly inputColumn: string; readonly upstream: string };

/** Batches with dx in the place of dy; the parameter gradients come when they are through. */
export interface GradBatches extends AsyncGenerator<RecordBatch, Gradients, void> {
  /** Resolves after the last batch; rejects where it failed or was left before. */
  readonly gradients: Promise<Gradients>;
}

/**
 * Replaces dy by dx in each batch, as `grad` does in a file. The batches that come in are not changed. One batch is
 * computed at a time, when it is asked for.
 *
 * @throws OpSyntaxError, UsageError for options it cannot have; from the generator SluiceError, see `errors.ts`
 *
 * ```ts
 * const batches = gradBatches(table.batches, { ops: "leaky_relu", inputColumn: "point.x", upstream: "point.y" });
 * for await (const batch of batches) console.log(batch.numRows); // 1000
 * console.log(await batches.gradients); // { 'leaky_relu.alpha': -41791750 }
 * ```
 */
export function gradBatches(batches: Batches, options: BatchGradOptions): GradBatches {
  const job = backwardJob(options);
  // Whoever does not ask for them learns of errors from the generator.
  const gradients = pending<Gradients>();
  async function* run(): AsyncGenerator<RecordBatch, Gradients, void> {
    try {
      const result = gradientsOf(job.program, yield* passBatches(batches, job, options.signal));
      gradients.settle(result);
      return result;
    } catch (error) {
      gradients.fail(error);
      throw error;
    } finally {
      gradients.abandon();
    }
  }
  return Object.assign(run(), { gradients: gradients.promise });
}
