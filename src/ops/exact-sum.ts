/**
 * @file Exact sums of float64: however many numbers are added, in whatever order, the sum is rounded once, when it is read.
 *
 * Each sum is one very long fixed-point number, as U. Kulisch has it ("Computer Arithmetic and Validity", 2008, chapter 8):
 * limbs of 32 bits, from the least subnormal number up, each kept as a whole float64. A number's 53 bits fall on three
 * limbs; carries wait until a limb may be full.
 *
 * ```text
 *   weight    2^-1074   2^-1042   2^-1010   …   2^1006   2^1038
 *   limb          0         1         2     …      65       66
 *   adds                  |....|=========|===|                        the bits of one number
 *
 *   memory    additions | special of each sum | limb 0 of each sum | limb 1 of each sum | … | limb 66 of each sum
 * ```
 *
 * Sums lie side by side, limb by limb: numbers of similar size meet in few cache lines.
 */

const LIMBS = 67;
const BASE = 2 ** 32;
/** Additions after which carries are made: each adds less than 2^32 to a limb, and 2^53 is the most that is exact. */
const MOST_ADDITIONS = 2 ** 20;

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/**
 * `count` exact sums in memory of the caller, which may be shared, and is all zeros at the start. NaN and infinities add
 * up as in IEEE 754: infinities of both signs give NaN. An exact zero is +0.
 */
export class ExactSums {
  readonly count: number;
  readonly #memory: Float64Array;
  readonly #limbs: number;

  /** Float64s that `count` sums take. */
  static length(count: number): number {
    return 1 + (LIMBS + 1) * count;
  }

  constructor(count: number, memory: Float64Array = new Float64Array(ExactSums.length(count))) {
    this.count = count;
    this.#memory = memory;
    this.#limbs = 1 + count;
  }

  /** Adds to one sum. */
  add(sum: number, value: number): void {
    this.#note();
    this.#add(sum, value);
  }

  /** Adds `values[from + i]` to sum `first + i`, for `count` of them. */
  addEach(first: number, values: Float64Array, from: number, count: number): void {
    this.#note();
    for (let i = 0; i < count; i++) this.#add(first + i, values[from + i]!);
  }

  /** Adds all of as many other sums. */
  merge(other: ExactSums): void {
    this.#carry();
    other.#carry();
    for (let i = 1; i < this.#memory.length; i++) this.#memory[i]! += other.#memory[i]!;
    this.#memory[0] = 2;
  }

  /** The sums, rounded to nearest even. */
  values(): Float64Array {
    this.#carry();
    return Float64Array.from({ length: this.count }, (_, sum) => {
      const special = this.#memory[1 + sum]!;
      return special === 0 ? this.#rounded(sum) : special;
    });
  }

  #add(sum: number, value: number): void {
    if (value === 0) return;
    number[0] = value;
    const low = words[0]!;
    const high = words[1]!;
    const exponent = (high >>> 20) & 0x7ff;
    const memory = this.#memory;
    if (exponent === 0x7ff) {
      memory[1 + sum]! += value;
      return;
    }
    // Subnormal numbers have exponent 0, no hidden bit, and the place of exponent 1.
    const top = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
    const place = exponent === 0 ? 0 : exponent - 1;
    const shift = place & 31;
    const first = (low << shift) >>> 0;
    // A shift by 32 is one by 0.
    const second = shift === 0 ? top : ((top << shift) | (low >>> (32 - shift))) >>> 0;
    const third = shift === 0 ? 0 : top >>> (32 - shift);
    const sign = high >>> 31 === 0 ? 1 : -1;
    const limb = this.#limbs + (place >>> 5) * this.count + sum;
    memory[limb]! += sign * first;
    memory[limb + this.count]! += sign * second;
    memory[limb + 2 * this.count]! += sign * third;
  }

  /** Each sum takes at most one number between two calls. */
  #note(): void {
    if (this.#memory[0]! >= MOST_ADDITIONS) this.#carry();
    this.#memory[0]! += 1;
  }

  /** Makes each limb a number from 0 to 2^32 - 1, but for the last, which has the sign. */
  #carry(): void {
    const memory = this.#memory;
    const last = memory.length - this.count;
    for (let i = this.#limbs; i < last; i++) {
      const limb = memory[i]!;
      const carried = Math.floor(limb / BASE);
      memory[i] = limb - carried * BASE;
      memory[i + this.count]! += carried;
    }
    memory[0] = 1;
  }

  #rounded(sum: number): number {
    let total = 0n;
    for (let limb = LIMBS - 1; limb >= 0; limb--) {
      total = total * 0x1_0000_0000n + BigInt(this.#memory[this.#limbs + limb * this.count + sum]!);
    }
    return total < 0n ? -scaled(-total) : scaled(total);
  }
}

/** total * 2^-1074, rounded to nearest even. */
function scaled(total: bigint): number {
  const shift = bitLength(total) - 64;
  // 53 bits are exact, down to the last subnormal number; up to 64 bits BigInt rounds, and the result is normal.
  if (shift <= 0) return Number(total) * 2 ** -1074;
  const kept = total >> BigInt(shift);
  const sticky = kept << BigInt(shift) === total ? 0n : 1n;
  return Number(kept | sticky) * 2 ** (shift - 1074);
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return 4 * hex.length - (Math.clz32(Number.parseInt(hex[0]!, 16)) - 28);
}
