/**
 * @file How threads work through a list of phases together. A phase is a number of items, of which any thread takes the next
 * one; whoever finishes the last one opens the next phase. One thread alone can do everything, and a late one joins. What an item
 * does must not depend on who does it, nor on the other items of its phase.
 *
 * ```text
 *   words:  open | aborted | next, done of phase 0 | next, done of phase 1 | …
 *
 *   thread A   phase 0: item 0, item 2      phase 1: item 0 ...
 *   thread B   phase 0: item 1 ......  waits phase 1: item 1 ...
 * ```
 */

export interface Phase {
  /** At least one. */
  readonly items: number;
  run(item: number): void;
  /** What one thread does after all items. `false`: the phases that follow are left out. */
  finish?(): boolean;
}

/** Words before the counters of the phases. */
const OPEN = 0;
const ABORTED = 1;
const HEAD = 2;
const WORD_BYTES = 4;

/** Looks at `open` before sleeping: some 30 microseconds, less than it takes to be woken. */
const SPINS = 10_000;
/** A thread that sleeps looks up after so many milliseconds, whatever wakes it. */
const LONGEST_SLEEP = 100;

export class Phases {
  readonly #words: Int32Array;

  static bytes(phases: number): number {
    return WORD_BYTES * (HEAD + 2 * phases);
  }

  /** @param address of `bytes(phases)` bytes */
  constructor(memory: WebAssembly.Memory, address: number, phases: number) {
    this.#words = new Int32Array(memory.buffer, address, HEAD + 2 * phases);
  }

  /** Begins anew. Nobody is at work. */
  reset(): void {
    this.#words.fill(0);
  }

  /** Makes all threads stop after the items they have in hand. */
  abort(): void {
    Atomics.store(this.#words, ABORTED, 1);
    Atomics.notify(this.#words, OPEN);
  }

  /** Takes part until all phases are done, left out or aborted. Every thread comes with the same phases. */
  work(count: number, phaseAt: (index: number) => Phase): void {
    const words = this.#words;
    for (let index = Atomics.load(words, OPEN); index < count; index = this.#waitBeyond(index)) {
      const phase = phaseAt(index);
      const next = HEAD + 2 * index;
      const done = next + 1;
      for (let item = Atomics.add(words, next, 1); item < phase.items; item = Atomics.add(words, next, 1)) {
        phase.run(item);
        if (Atomics.add(words, done, 1) + 1 < phase.items) continue;
        const goesOn = phase.finish?.() ?? true;
        Atomics.store(words, OPEN, goesOn ? index + 1 : count);
        Atomics.notify(words, OPEN);
      }
      if (Atomics.load(words, ABORTED) !== 0) return;
    }
  }

  /** The phase that is open, once it is not phase `index` any more; beyond all phases where they were aborted. */
  #waitBeyond(index: number): number {
    const words = this.#words;
    for (let spin = 0; spin < SPINS; spin++) {
      const open = Atomics.load(words, OPEN);
      if (open > index) return open;
    }
    for (;;) {
      if (Atomics.load(words, ABORTED) !== 0) return Number.POSITIVE_INFINITY;
      const open = Atomics.load(words, OPEN);
      if (open > index) return open;
      Atomics.wait(words, OPEN, open, LONGEST_SLEEP);
    }
  }
}
