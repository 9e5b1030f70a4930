/** @file Mean and deviation of each feature, for `standardize`: one pass, in float64, in the order of the rows. */
import { ColumnError } from "../../errors.ts";
import type { EpochReader } from "./dataset.ts";
import type { RowLayout } from "./row-buffer.ts";

const BYTES_AT_ONCE = 2 ** 18;

/**
 * The population's deviation, as scikit-learn's StandardScaler has it, and as there 1 for a feature that never changes.
 * Welford's recurrence (1962): it does not cancel where the mean is large, and gives exactly 0 for a constant.
 *
 * @throws ColumnError for a feature with a NaN or an infinity, which has neither
 */
export async function gatherStatistics(
  rows: EpochReader,
  { features: size, targets }: RowLayout,
  names: readonly string[],
): Promise<{ mean: Float32Array; deviation: Float32Array }> {
  const most = Math.max(1, Math.floor(BYTES_AT_ONCE / (4 * size)));
  const features = new Float32Array(most * size);
  const target = { features, targets: new Float32Array(most * targets), weights: new Float32Array(most) };
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  let seen = 0;
  for (;;) {
    const count = await rows.fill(target, most);
    if (count === 0) break;
    for (let row = 0, at = 0; row < count; row++) {
      const share = 1 / ++seen;
      for (let i = 0; i < size; i++, at++) {
        const value = features[at]!;
        const before = mean[i]!;
        const after = before + (value - before) * share;
        mean[i] = after;
        squares[i]! += (value - before) * (value - after);
      }
    }
    const wrong = squares.findIndex((sum) => sum - sum !== 0);
    if (wrong < 0) continue;
    throw new ColumnError(`Element ${wrong} of the features is NaN or infinite in some row`, {
      position: names.length === 1 ? { column: names[0]! } : {},
      remedy: "Fill such values in, or leave out standardize: they have no mean.",
    });
  }
  const deviation = Float32Array.from(squares, (sum) => Math.fround(Math.sqrt(sum / Math.max(1, seen))) || 1);
  return { mean: Float32Array.from(mean), deviation };
}
