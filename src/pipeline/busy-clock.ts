/** @file How long work is under way, and how fast it goes: time in which nothing is to do does not count. */

export class BusyClock {
  readonly #now: () => number;
  #underWay = 0;
  #since = 0;
  #busy = 0;
  /** Bytes that are done. */
  bytes = 0;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A piece of work begins; several may be under way. */
  start(): void {
    if (this.#underWay++ === 0) this.#since = this.#now();
  }

  /** It is over. */
  stop(bytes: number): void {
    this.bytes += bytes;
    if (--this.#underWay === 0) this.#busy += this.#now() - this.#since;
  }

  /** Milliseconds in which something was under way. */
  get busy(): number {
    return this.#busy + (this.#underWay > 0 ? this.#now() - this.#since : 0);
  }

  /** Bytes per millisecond of work; 0 before anything is done. */
  get speed(): number {
    return this.busy > 0 ? this.bytes / this.busy : 0;
  }
}
