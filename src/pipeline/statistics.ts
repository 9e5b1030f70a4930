/** @file Statistics of a tensor's values, gathered a block at a time. */
import { BYTES_PER_ELEMENT, type Dtype } from "../ops/dtype.ts";
import { float16ToNumber } from "../ops/float16.ts";

/** Of the elements of a tensor that were looked at. */
export interface Statistics {
  /** Elements seen. */
  readonly count: number;
  readonly nan: number;
  /** Of either sign. */
  readonly infinite: number;
  /** Of either sign. */
  readonly zero: number;
  /** Below zero; -0 is zero, -Infinity is negative. */
  readonly negative: number;
  /** Over the finite values; `undefined` where there are none. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly mean: number | undefined;
}

/** Takes bytes of elements in the order of the machine (little-endian, as every format here) and counts. */
export class StatisticsGatherer {
  readonly #dtype: Dtype;
  #count = 0;
  #nan = 0;
  #infinite = 0;
  #zero = 0;
  #negative = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #mean = 0;

  constructor(dtype: Dtype) {
    this.#dtype = dtype;
  }

  /** `bytes` starts at a multiple of 8 in its buffer and holds whole elements. */
  add(bytes: Uint8Array): void {
    const count = bytes.length / BYTES_PER_ELEMENT[this.#dtype];
    this.#gather(valuesOf(bytes, this.#dtype, count), count);
  }

  result(): Statistics {
    const finite = this.#count - this.#nan - this.#infinite;
    const known = finite > 0;
    return {
      count: this.#count,
      nan: this.#nan,
      infinite: this.#infinite,
      zero: this.#zero,
      negative: this.#negative,
      min: known ? this.#min : undefined,
      max: known ? this.#max : undefined,
      mean: known ? this.#mean : undefined,
    };
  }

  #gather(values: Float32Array | Float64Array, count: number): void {
    let [nan, infinite, zero, negative, sum, min, max] = [0, 0, 0, 0, 0, this.#min, this.#max];
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (value < 0) negative++;
      if (value - value === 0) {
        if (value === 0) zero++;
        if (value < min) min = value;
        if (value > max) max = value;
        sum += value;
      } else if (Number.isNaN(value)) nan++;
      else infinite++;
    }
    const finite = count - nan - infinite;
    const before = this.#count - this.#nan - this.#infinite;
    if (finite > 0) {
      const mean = Number.isFinite(sum) ? sum / finite : slowMean(values, count, finite);
      this.#mean += (finite / (before + finite)) * mean - (finite / (before + finite)) * this.#mean;
    }
    this.#count += count;
    this.#nan += nan;
    this.#infinite += infinite;
    this.#zero += zero;
    this.#negative += negative;
    this.#min = min;
    this.#max = max;
  }
}

/** For blocks of float64 whose sum is beyond the largest number: divides first. */
function slowMean(values: Float32Array | Float64Array, count: number, finite: number): number {
  let mean = 0;
  for (let i = 0; i < count; i++) if (Number.isFinite(values[i]!)) mean += values[i]! / finite;
  return mean;
}

function valuesOf(bytes: Uint8Array, dtype: Dtype, count: number): Float32Array | Float64Array {
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    case "float64":
      return new Float64Array(bytes.buffer, bytes.byteOffset, count);
    case "float16":
      return widen(new Uint16Array(bytes.buffer, bytes.byteOffset, count));
  }
}

/** Every float16 as a number, indexed by its bits; made when first needed. */
let wide: Float32Array | undefined;

function widen(halves: Uint16Array): Float32Array {
  wide ??= Float32Array.from({ length: 0x10000 }, (_, bits) => float16ToNumber(bits));
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = wide[halves[i]!]!;
  return values;
}
