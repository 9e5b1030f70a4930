/** @file How a trained network does on the rows held out: which classes it mixes up, and of which rows it is least certain. */
import type { TargetSpace } from "./data/dataset.ts";

/** Rows by their true class and by the one with the largest output. */
export interface Confusion {
  readonly classes: readonly string[];
  /** `counts[truth][predicted]` */
  readonly counts: readonly (readonly number[])[];
}

export interface UncertainRow {
  /** Its class. */
  readonly truth: string;
  /** The two classes that the network finds most likely, and how likely; together at most 1. */
  readonly guesses: readonly { readonly name: string; readonly share: number }[];
  /** In the network's input shape. */
  readonly features: Float32Array;
}

/** What the rows held out show beside their score. */
export interface Assessed {
  readonly confusion: Confusion;
  /** The least certain row first. */
  readonly uncertain: readonly UncertainRow[];
}

/** Rows that are kept. */
const UNCERTAIN = 10;
/** More classes than these have no confusion matrix worth its memory. */
const MOST_CLASSES = 4096;

/** Collects rows of batches, and keeps what is to be told of them. */
export class Assessment {
  readonly #names: readonly string[];
  /** 1 where the output is the logit of the second of two classes. */
  readonly #outputs: number;
  readonly #counts: Float64Array;
  #uncertain: UncertainRow[] = [];

  /** Undefined where targets are no classes, or too many. */
  static for(target: TargetSpace, outputs: number): Assessment | undefined {
    if (target.kind !== "classes" || target.classes.length > MOST_CLASSES) return undefined;
    const fits = outputs === target.classes.length || (outputs === 1 && target.classes.length === 2);
    return fits ? new Assessment(target.classes.map(String), outputs) : undefined;
  }

  private constructor(names: readonly string[], outputs: number) {
    [this.#names, this.#outputs] = [names, outputs];
    this.#counts = new Float64Array(names.length ** 2);
  }

  /** @param batch whose first `rows` are taken; features are copied where they are kept */
  add(
    batch: { readonly features: Float32Array; readonly targets: Float32Array },
    outputs: Float32Array,
    rows: number,
  ): void {
    const classes = this.#names.length;
    const size = batch.features.length / batch.targets.length;
    for (let row = 0; row < rows; row++) {
      const truth = batch.targets[row]!;
      const shares = this.#shares(outputs.subarray(row * this.#outputs, (row + 1) * this.#outputs));
      const order = topTwo(shares);
      this.#counts[truth * classes + order[0]!]! += 1;
      this.#offer(shares[order[0]!]!, () => ({
        truth: this.#names[truth]!,
        guesses: order.map((each) => ({ name: this.#names[each]!, share: shares[each]! })),
        features: batch.features.slice(row * size, (row + 1) * size),
      }));
    }
  }

  result(): Assessed {
    const classes = this.#names.length;
    const counts = this.#names.map((_, truth) => [
      ...this.#counts.subarray(truth * classes, (truth + 1) * classes),
    ]);
    return { confusion: { classes: this.#names, counts }, uncertain: this.#uncertain };
  }

  /** The probabilities of the classes. */
  #shares(outputs: Float32Array): Float64Array {
    if (this.#outputs === 1) {
      const second = 1 / (1 + Math.exp(-outputs[0]!));
      return Float64Array.of(1 - second, second);
    }
    const largest = outputs.reduce((a, b) => Math.max(a, b));
    const powers = Float64Array.from(outputs, (x) => Math.exp(x - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  #offer(certainty: number, make: () => UncertainRow): void {
    const last = this.#uncertain.at(-1);
    if (this.#uncertain.length === UNCERTAIN && certainty >= last!.guesses[0]!.share) return;
    const place = this.#uncertain.findIndex(({ guesses }) => guesses[0]!.share > certainty);
    this.#uncertain.splice(place < 0 ? this.#uncertain.length : place, 0, make());
    this.#uncertain = this.#uncertain.slice(0, UNCERTAIN);
  }
}

/** The places of the two largest; the first of equal ones. */
function topTwo(values: Float64Array): number[] {
  let [first, second] = [0, -1];
  for (let i = 1; i < values.length; i++) {
    if (values[i]! > values[first]!) [first, second] = [i, first];
    else if (second < 0 || values[i]! > values[second]!) second = i;
  }
  return second < 0 ? [first] : [first, second];
}
