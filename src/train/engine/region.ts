/** @file Hands out addresses one after the other: where everything of an engine lies, worked out alike in every thread. */

/** Every piece begins on a cache line. */
const ALIGNMENT = 64;

export class Region {
  readonly #start: number;
  #end: number;

  /** @param start a multiple of 64; 0 to find out how many bytes it takes */
  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  get bytes(): number {
    return this.#end - this.#start;
  }

  take(bytes: number): number {
    const address = this.#end;
    this.#end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return address;
  }

  floats(count: number): number {
    return this.take(count * Float32Array.BYTES_PER_ELEMENT);
  }

  doubles(count: number): number {
    return this.take(count * Float64Array.BYTES_PER_ELEMENT);
  }
}
