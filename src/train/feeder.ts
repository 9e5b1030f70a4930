/** @file Brings the rows of each step into the slots of the engine. */
import { CorruptError } from "../errors.ts";
import type { Dataset, EpochReader } from "./data/dataset.ts";
import type { Engine, StepInput } from "./engine/engine.ts";
import type { StepGroup, StepPlan } from "./step-plan.ts";

/** A step whose rows lie in a slot. */
export interface FilledStep {
  readonly slot: number;
  readonly input: StepInput;
}

export interface FeederParts {
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly plan: StepPlan;
  /** Of the optimiser, for a step. */
  readonly scalarsAt: (step: number) => readonly number[];
}

export class Feeder {
  readonly #parts: FeederParts;
  #reader: EpochReader | undefined;
  #epoch = -1;

  constructor(parts: FeederParts) {
    this.#parts = parts;
  }

  /** Fills slots from `slot` on. Groups come in their order; the first one may begin anywhere in its epoch. */
  async fill({ epoch, first, count }: StepGroup, slot: number): Promise<readonly FilledStep[]> {
    const { engine, plan, scalarsAt } = this.#parts;
    const reader = await this.#readerOf(epoch, first);
    const filled: FilledStep[] = [];
    for (let i = 0; i < count; i++) {
      const step = first + i;
      const rows = plan.rowsOf(step);
      const found = await reader.fill(engine.target(slot + i), rows);
      if (found !== rows) {
        throw new CorruptError(
          `Step ${step} has ${found} rows instead of ${rows}: the data changed while it was read`,
        );
      }
      filled.push({ slot: slot + i, input: { step, rows, scalars: scalarsAt(step) } });
    }
    return filled;
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }

  async #readerOf(epoch: number, step: number): Promise<EpochReader> {
    if (this.#reader && this.#epoch === epoch) return this.#reader;
    await this.close();
    const { dataset, plan } = this.#parts;
    const reader = dataset.open("train", epoch);
    [this.#reader, this.#epoch] = [reader, epoch];
    const before = plan.rowsBefore(step);
    if (before > 0) await reader.skip(before);
    return reader;
  }
}
