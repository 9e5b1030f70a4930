/**
 * @file The phases of a training step that go over the rows: one, or more where layers have statistics of the whole batch.
 *
 * ```text
 *   dense | batch_norm | dense      phase 0   dense forward, sums of batch_norm                       -> statistics
 *                                   phase 1   batch_norm and dense forward, loss, dense backward,
 *                                             sums of batch_norm                                      -> statistics
 *                                   phase 2   batch_norm and dense backward
 * ```
 */
import type { Batch, Shard } from "./layer.ts";
import type { PlacedLayer } from "./placing.ts";

export interface RowPhase {
  /** One after the other, for each shard. */
  readonly tasks: readonly ((shard: Shard) => void)[];
  /** After all shards; `false` ends the step. */
  readonly finish: () => boolean;
}

export interface RowEnds {
  /** The batch at hand. */
  readonly batch: () => Batch;
  /** Of one shard: its loss, and the gradient of its outputs. */
  readonly loss: (shard: Shard) => void;
  /** Of all shards; whether the step goes on. */
  readonly finishLoss: () => boolean;
}

export function rowPhases(
  layers: readonly PlacedLayer[],
  { batch, loss, finishLoss }: RowEnds,
): readonly RowPhase[] {
  const phases: RowPhase[] = [];
  let tasks: ((shard: Shard) => void)[] = [];
  let finish = (): boolean => true;
  const end = (): void => {
    phases.push({ tasks, finish });
    tasks = [];
    finish = () => true;
  };
  for (const { runner } of layers) {
    const reduction = runner.forwardReduction;
    if (reduction) {
      tasks.push((shard) => reduction.ofShard(shard));
      finish = () => {
        reduction.combine(batch());
        return true;
      };
      end();
    }
    tasks.push((shard) => runner.forward(shard));
  }
  tasks.push(loss);
  finish = finishLoss;
  for (const { runner, places } of layers.toReversed()) {
    if (places.dy === undefined) break;
    const reduction = runner.backwardReduction;
    if (reduction) {
      tasks.push((shard) => reduction.ofShard(shard));
      const before = finish;
      finish = () => {
        if (!before()) return false;
        reduction.combine(batch());
        return true;
      };
      end();
    }
    tasks.push((shard) => runner.backward(shard));
  }
  end();
  return phases;
}
