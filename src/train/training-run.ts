/** @file A training under way: its progress for whoever iterates, and its result. */
import type { Score } from "./history.ts";

/** How far a training is, after some steps or after an epoch. */
export interface TrainProgress {
  /** `"steps"`: some steps are done; `"epoch"`: an epoch is, and what is told is of all of it. */
  readonly kind: "steps" | "epoch";
  /** The epoch under way, or that is done; from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done, and of the whole training. */
  readonly step: number;
  readonly steps: number;
  /** The mean over these steps. */
  readonly loss: number;
  /** The share of rows whose class has the largest output; undefined where there are no classes. */
  readonly accuracy: number | undefined;
  /** The learning rate of the last step. */
  readonly rate: number;
  /** Of the rows held out, at the end of the last epoch that is done. */
  readonly validation: Score | undefined;
  /** Of late. */
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

/**
 * What `train` returns. The training is under way from the start, whoever looks.
 *
 * Iterating gives progress, and ends with the training: it throws what the training throws. Steps that nobody took in time
 * are left out; epochs never are. Leaving the loop does not stop the training: abort its `signal` for that. A training that
 * fails while nobody has iterated or taken `result` is an unhandled rejection, which ends a Node process.
 */
export class TrainingRun<Result> implements AsyncIterable<TrainProgress> {
  /** Rejects with what went wrong. */
  readonly result: Promise<Result>;
  readonly #listeners = new Set<Listener>();

  /** @param work begins after the caller had a chance to iterate; it tells of its progress */
  constructor(work: (tell: (progress: TrainProgress) => void) => Promise<Result>) {
    const tell = (progress: TrainProgress): void => {
      for (const listener of this.#listeners) listener.take(progress);
    };
    this.result = Promise.resolve()
      .then(() => work(tell))
      .finally(() => {
        for (const listener of this.#listeners) listener.end();
      });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainProgress, void, void> {
    const listener = new Listener();
    this.#listeners.add(listener);
    // The training may be over already; and who iterates need not look at `result`, too.
    this.result.then(
      () => listener.end(),
      () => listener.end(),
    );
    try {
      yield* listener.progress();
      await this.result;
    } finally {
      this.#listeners.delete(listener);
    }
  }
}

/** What one loop has not taken yet. */
class Listener {
  readonly #waiting: TrainProgress[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  take(progress: TrainProgress): void {
    if (this.#waiting.at(-1)?.kind === "steps") this.#waiting.pop();
    this.#waiting.push(progress);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *progress(): AsyncGenerator<TrainProgress, void, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
