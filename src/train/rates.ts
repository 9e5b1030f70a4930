/** @file Schedules of the learning rate: by how much the optimiser's own is multiplied at each step. */
import { UsageError } from "../errors.ts";

/** The factor at a step, of `total` steps, `perEpoch` of them an epoch; all counted from 0. */
export interface RateSchedule {
  readonly text: string;
  factorAt(step: number, total: number, perEpoch: number): number;
}

/** Every setting of a schedule with its default. `warmup`: steps in which the rate rises from near 0, in a line. */
export const RATE_SETTINGS = {
  constant: { warmup: 0 },
  /** Multiplied by `gamma` after every `epochs` epochs; `torch.optim.lr_scheduler.StepLR`. */
  step: { epochs: 10, gamma: 0.1, warmup: 0 },
  /** Half a cosine from 1 to `floor`, over all steps after the warm-up; Loshchilov and Hutter 2017, arXiv 1608.03983. */
  cosine: { floor: 0, warmup: 0 },
} as const;

export type RateName = keyof typeof RATE_SETTINGS;

/**
 * A schedule by name.
 *
 * ```ts
 * rateSchedule("cosine", { warmup: 100 }).factorAt(49, 1000, 100); // 0.5
 * ```
 *
 * @throws UsageError for a setting that is unknown or out of range
 */
export function rateSchedule(name: RateName, settings: Readonly<Record<string, number>> = {}): RateSchedule {
  const known: Readonly<Record<string, number>> = RATE_SETTINGS[name];
  for (const [key, value] of Object.entries(settings)) {
    if (!Object.hasOwn(known, key)) {
      throw new UsageError(`${name} has no setting ${JSON.stringify(key)}`, {
        remedy: `Its settings: ${Object.keys(known).join(", ")}.`,
      });
    }
    const whole = key === "warmup" || key === "epochs";
    if (
      !(Number.isFinite(value) && value >= (key === "epochs" ? 1 : 0) && (!whole || Number.isInteger(value)))
    ) {
      throw new UsageError(`${key} of ${name} cannot be ${value}`, {
        remedy: whole ? `Give a whole number from ${key === "epochs" ? 1 : 0}.` : "Give a number from 0.",
      });
    }
  }
  const values: Readonly<Record<string, number>> = { ...known, ...settings };
  const text = `${name}(${Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ")})`;
  const { warmup = 0 } = values;
  return {
    text,
    factorAt: (step, total, perEpoch) =>
      step < warmup ? (step + 1) / warmup : FACTORS[name](values, step, total, perEpoch),
  };
}

type Factor = (
  values: Readonly<Record<string, number>>,
  step: number,
  total: number,
  perEpoch: number,
) => number;

const FACTORS: Readonly<Record<RateName, Factor>> = {
  constant: () => 1,
  step: ({ epochs, gamma }, step, _, perEpoch) => gamma! ** Math.floor(step / perEpoch / epochs!),
  cosine: ({ floor, warmup }, step, total) => {
    const done = Math.min(1, (step - warmup!) / Math.max(1, total - warmup!));
    return floor! + ((1 - floor!) * (1 + Math.cos(Math.PI * done))) / 2;
  },
};
