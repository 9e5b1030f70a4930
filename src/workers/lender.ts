/** @file Lends a fixed number of things in turn: whoever comes when all are out waits in line. */
export class Lender<T> {
  readonly #free: T[] = [];
  readonly #waiting: ((thing: T) => void)[] = [];
  readonly #make: () => T;
  readonly #most: number;
  #made = 0;

  /** At most `most` things, each made when it is first needed. */
  constructor(most: number, make: () => T) {
    this.#most = most;
    this.#make = make;
  }

  /** How many were ever out at once. */
  get made(): number {
    return this.#made;
  }

  async acquire(): Promise<T> {
    const thing = this.#free.pop();
    if (thing !== undefined) return thing;
    if (this.#made < this.#most) {
      this.#made++;
      return this.#make();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(thing: T): void {
    const next = this.#waiting.shift();
    if (next) next(thing);
    else this.#free.push(thing);
  }
}
